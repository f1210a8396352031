"""Whether calls by a trunk will work: its registration, OPTIONS, what calls found out, 503s that ask for a pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edge_agent.sip.message import Message, RawHeader, Uri, new_request
from edge_agent.sip.message.retry_after import retry_after_seconds
from edge_agent.sip.transaction import ClientTransaction
from edge_agent.sip.trunks.account import Account
from edge_agent.sip.trunks.registration import Registering, Registration
from edge_agent.tokens import Tokens

_FAILURES: Final = 2
"""Unanswered OPTIONS in a row, until a trunk counts as silent."""
_SOON_SECONDS: Final = 5.0
"""How soon a trunk is asked again whose OPTIONS, or call, was not answered."""
_LONGEST_HOLD: Final = 3600.0


class Health:
    """One trunk's; `tick` is to be called about once a second.

    Args:
        account: whose.
        agent: sends OPTIONS.
        tokens: Call-IDs.
        registration: its registration; None: it does not register.
        changed: told whenever `problem` may be another than before.
    """

    def __init__(
        self,
        account: Account,
        agent: Registering,
        tokens: Tokens,
        registration: Registration | None,
        changed: Callable[[], None],
    ) -> None:
        self.account = account
        self._agent = agent
        self._tokens = tokens
        self._registration = registration
        self._changed = changed
        self._failures = 0
        self._asked_at: float | None = None
        self._due = 0.0
        self._held_until = 0.0

    @property
    def problem(self) -> str:
        """Why calls by this trunk will not work, for people; empty: nothing speaks against it."""
        registration = self._registration
        if registration is not None and registration.failed:
            said = f"refused with {registration.status}" if registration.state == "refused" else "not answered"
            return f"its registration was {said}"
        if self._failures >= _FAILURES:
            return "it does not answer"
        return "it asked for a pause" if self._held_until else ""

    def tick(self, now: float) -> None:
        """Ask when it is time."""
        if self._held_until and now >= self._held_until:
            self._held_until = 0.0
            self._changed()
        seconds = self.account.trunk.options_seconds
        if seconds and self._asked_at is None and now >= self._due:
            self._ask(now)

    def call_answered(self, now: float) -> None:
        """A call got an answer of any kind: somebody is there."""
        self._heard(now)

    def call_unanswered(self, now: float) -> None:
        """A call got none: the next ones go another way until OPTIONS are answered, where any are sent."""
        if self.account.trunk.options_seconds:
            self._failures = _FAILURES
            self._due = min(self._due, now + _SOON_SECONDS)
            self._changed()

    def refused(self, response: Message, now: float) -> None:
        """A 503: calls go another way for as long as it asks for."""
        seconds = retry_after_seconds(response)
        if response.status == 503 and seconds:
            self._held_until = max(self._held_until, now + min(seconds, _LONGEST_HOLD))
            self._changed()

    def _ask(self, now: float) -> None:
        account = self.account
        way = account.way
        user = (account.trunk.username or "").encode()
        uri = bytes(Uri(account.domain))
        headers: list[RawHeader] = [
            (b"Max-Forwards", b"70"),
            (b"From", b"<" + bytes(account.address) + b">;tag=" + self._tokens.token(8).encode()),
            (b"To", b"<" + uri + b">"),
            (b"Call-ID", self._tokens.token(12).encode()),
            (b"CSeq", b"1 OPTIONS"),
            (b"Contact", b"<" + bytes(self._agent.contact(user, way)) + b">"),
            (b"Accept", b"application/sdp"),
        ]
        self._asked_at = now
        self._due = now + account.trunk.options_seconds
        self._agent.request(new_request(b"OPTIONS", uri, headers), way, self, now)

    def _heard(self, now: float) -> None:
        del now
        was, self._failures = self._failures, 0
        if was >= _FAILURES:
            self._changed()

    # -- see `ClientOwner`

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Whatever the answer says, somebody gave it."""
        del client
        if response.status >= 200:
            self._asked_at = None
            self._heard(now)
            self.refused(response, now)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """Nobody answered."""
        del client
        self._unanswered(now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """It could not be sent."""
        del client
        self._unanswered(now)

    def _unanswered(self, now: float) -> None:
        self._asked_at = None
        self._failures += 1
        self._due = min(self._due, now + _SOON_SECONDS)
        if self._failures >= _FAILURES:
            self._changed()
