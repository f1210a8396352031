"""One interface to every vendor's redirect service; each answer becomes one of few problems."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from cloud.clock import Clock
from cloud.errors import CloudError
from cloud.functions.outgoing import GuardedClient, NoReply, Reply
from cloud.functions.retry_after import parse_retry_after
from cloud.pbx.redirect_services import Problem
from cloud.pbx.redirects import Answer, LogIn
from cloud.tokens import Tokens

USER_AGENT: Final = "Tandem-Provisioning/1"
CHECKED_MAC: Final = "000000000000"
"""No phone's: what a log-in is tried with where a service has nothing better to ask."""


class Refusal(CloudError):
    """A service did not do what it was asked."""

    def __init__(self, problem: Problem, text: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    def answer(self) -> Answer:
        """As it is kept."""
        return Answer(self.problem, str(self), self.retry_after_seconds)


class Service(Protocol):
    """A vendor's service, logged in; what it does not do raises `Refusal`."""

    def push(self, mac: str, url: str) -> None:
        """Send the phone there, whatever it was told before. `mac`: twelve lower-case digits."""
        ...

    def withdraw(self, mac: str) -> None:
        """Send the phone nowhere any more; one that is not there is no problem."""
        ...

    def check(self) -> None:
        """Try the log-in and change nothing."""
        ...


class Line:
    """Requests to one service: guarded, and with what is common to all vendors understood.

    Args:
        log_in: whose account.
        serial: of the phone that is told of, where it is known.
    """

    def __init__(self, client: GuardedClient, clock: Clock, tokens: Tokens, log_in: LogIn, serial: str = "") -> None:
        self._client = client
        self._clock = clock
        self._tokens = tokens
        self.log_in = log_in
        self.serial = serial

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._clock.now()

    def nonce(self) -> str:
        """32 hexadecimal digits, other ones each time."""
        return self._tokens.secret(16).hex()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """One request.

        Raises:
            Refusal: no answer came (`unreachable`), it is to be asked later (`unreachable`), or the log-in is wrong.
        """
        try:
            reply = self._client.ask(method, url, {"user-agent": USER_AGENT, "connection": "close", **headers}, body)
        except NoReply as problem:
            raise Refusal("unreachable", str(problem)) from problem
        if reply.status == 401:
            raise Refusal("credentials", "The service does not accept the log-in.")
        if reply.status == 429 or reply.status >= 500:
            wait = parse_retry_after(reply.headers.get("retry-after", ""), self.now())
            raise Refusal("unreachable", f"The service answered {reply.status}.", wait)
        return reply


def json_of(reply: Reply) -> Any:
    """The JSON of an answer.

    Raises:
        Refusal: it is none.
    """
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as problem:
        raise Refusal("refused", f"The service answered {reply.status} with something that is no JSON.") from problem


def text_of(reply: Reply) -> str:
    """What people may read of an answer."""
    return " ".join(reply.body.decode(errors="replace").split())[:200]


def member(value: Any, *names: str) -> str:
    """A text deep in JSON.

    Raises:
        Refusal: it is not there.
    """
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise Refusal("refused", f"The service's answer has no {'.'.join(names)}.")
    return value
