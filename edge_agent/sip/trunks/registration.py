"""The registration of one trunk at its provider (RFC 3261 §10.2).

    idle ──start──▶ asking ──2xx──▶ registered ──before it ends──▶ asking
                      │ ▲ └──401, 407: with credentials; 423: for longer──▶ asking
                      │ └──────────── after a pause ────────────┐
                      └──anything else, silence──▶ refused or silent (the pause doubles, or is what Retry-After says)

The Contact carries a token that nobody can guess: a call to it is this trunk's, wherever it comes from.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, Literal, Protocol

from edge_agent.sip.message import BadMessage, Flow, Message, NameAddr, RawHeader, Uri, new_request
from edge_agent.sip.message.retry_after import retry_after_seconds
from edge_agent.sip.transaction import ClientOwner, ClientTransaction
from edge_agent.sip.trunks.account import Account
from edge_agent.sip.user_agent.challenges import Challenges
from edge_agent.tokens import Tokens

State = Literal["idle", "asking", "registered", "refused", "silent"]

TOKEN: Final = b"line"
"""The Contact parameter that is this trunk's; the name that many phones give it, so that providers send it back."""
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 300.0
_LONGEST_RETRY_AFTER: Final = 3600.0
_PERMANENT_PAUSE: Final = 60.0
"""After an answer that asking again soon will not change: wrong credentials, an account that is barred."""
_PERMANENT: Final = frozenset({401, 403, 404, 405, 407, 410, 416, 485, 501, 603, 604, 606})
_LEAST_MARGIN: Final = 5.0
_MOST_MARGIN: Final = 60.0
_LONGEST: Final = 86_400


class Registering(Protocol):
    """What sends a REGISTER."""

    def request(self, request: Message, flow: Flow, owner: ClientOwner, now: float) -> None:
        """Send it in a transaction."""
        ...

    def contact(self, user: bytes, flow: Flow) -> Uri:
        """Where we are reached by whom this flow leads to."""
        ...


class Registration:
    """One trunk's; `tick` is to be called about once a second.

    Args:
        account: whose.
        agent: sends.
        tokens: names, client nonces, jitter.
        changed: told whenever `state` is another than before.
    """

    def __init__(
        self, account: Account, agent: Registering, tokens: Tokens, changed: Callable[[Registration], None]
    ) -> None:
        self.account = account
        self._agent = agent
        self._tokens = tokens
        self._changed = changed
        self.state: State = "idle"
        self.status = 0
        """Of the newest refusal."""
        self.token = tokens.token(16).encode()
        """Of our Contact."""
        self.service_route: tuple[bytes, ...] = ()
        """What goes on top of calls (RFC 3608)."""
        self.source = ""
        """The address that answered."""
        self.expires_at = 0.0
        """When the registration ends unless it is renewed; seconds, monotonic."""
        self._call_id = tokens.token(12).encode()
        self._tag = tokens.token(8).encode()
        self._number = 0
        self._wanted = account.trunk.register_seconds
        self._due = 0.0
        self._failures = 0
        self._leaving = False
        self._challenges = Challenges(None, tokens)
        self._request: Message | None = None

    @property
    def registered(self) -> bool:
        """Whether the provider knows where we are."""
        return self.state == "registered" or (self.state == "asking" and self.expires_at > 0.0)

    @property
    def failed(self) -> bool:
        """Whether the newest answer, or silence, says that calls will not work."""
        return self.state in ("refused", "silent")

    def is_token(self, token: bytes) -> bool:
        """Whether a call that carries this is ours; takes as long for every guess."""
        return hmac.compare_digest(token, self.token)

    def tick(self, now: float) -> None:
        """Ask when it is time."""
        if self.registered and 0.0 < self.expires_at <= now:
            self.expires_at = 0.0
        if self._request is None and not self._leaving and now >= self._due:
            self._ask(self._wanted, now)

    def leave(self, now: float) -> None:
        """Give the registration back; nothing more is sent once that is answered."""
        was, self._leaving = self.registered, True
        self._request = None
        if was:
            self._ask(0, now)

    def _ask(self, expires: int, now: float) -> None:
        account = self.account
        way = account.way
        own = self._agent.contact((account.trunk.username or "").encode(), way)
        contact = Uri(own.host, own.user, own.port, params={**own.params, TOKEN: self.token})
        address = b"<" + bytes(account.address) + b">"
        self._number += 1
        headers: list[RawHeader] = [
            (b"Max-Forwards", b"70"),
            (b"From", address + b";tag=" + self._tag),
            (b"To", address),
            (b"Call-ID", self._call_id),
            (b"CSeq", b"%d REGISTER" % self._number),
            (b"Contact", b"<" + bytes(contact) + b">;expires=%d" % expires),
            (b"Expires", b"%d" % expires),
            (b"Supported", b"path"),
        ]
        self._challenges = Challenges(account.login, self._tokens)
        self._send(new_request(b"REGISTER", bytes(Uri(account.domain)), headers), way, now)

    def _send(self, request: Message, way: Flow, now: float) -> None:
        self._request = request
        if not self._leaving and self.state != "asking" and not self.failed:
            # A trunk that failed stays so until an answer says otherwise.
            self._be("asking")
        self._agent.request(request.copy(), way, _Attempt(self, request), now)

    # -- what attempts tell

    def answered(self, request: Message, response: Message, now: float) -> None:
        """A final response to the newest REGISTER."""
        if request is not self._request:
            return
        status = response.status
        if status in (401, 407):
            again = self._challenges.answer(request, response, self._number + 1)
            if again is not None:
                self._number += 1
                self._send(again, self.account.way, now)
                return
        self._request = None
        if self._leaving:
            return
        if status < 300:
            self._granted(response, now)
        elif status == 423 and (least := _least(response)) > self._wanted:
            self._wanted = least
            self._ask(least, now)
        else:
            self._refused(status, retry_after_seconds(response), now)

    def unanswered(self, request: Message, now: float) -> None:
        """No answer came, or the REGISTER could not be sent."""
        if request is not self._request:
            return
        self._request = None
        if not self._leaving:
            self.status = 408
            self._pause(None, permanent=False, now=now)
            if self.state == "silent":
                # It may be silent for another reason than before.
                self._changed(self)
            self._be("silent")

    def _granted(self, response: Message, now: float) -> None:
        seconds = self._granted_seconds(response)
        self._failures, self.status = 0, 0
        self.source = response.flow.host
        self.service_route = tuple(response.all(b"service-route"))[:10]
        self.expires_at = now + seconds
        margin = min(max(seconds * 0.1, _LEAST_MARGIN), _MOST_MARGIN)
        self._due = now + max(seconds - margin, seconds / 2)
        self._be("registered")

    def _granted_seconds(self, response: Message) -> int:
        """What our own Contact got; several bindings of one account come back together (§10.3 step 8)."""
        granted = _seconds(response.get(b"expires"))
        try:
            for value in response.values(b"contact"):
                one = NameAddr.parse(value, "Contact")
                if one.uri.params.get(TOKEN) == self.token:
                    granted = _seconds(one.params.get(b"expires")) or granted
        except BadMessage:
            pass
        return granted or self._wanted

    def _refused(self, status: int, retry_after: float | None, now: float) -> None:
        self.status = status
        self._pause(retry_after, permanent=status in _PERMANENT, now=now)
        self._be("refused")

    def _pause(self, retry_after: float | None, *, permanent: bool, now: float) -> None:
        first = _PERMANENT_PAUSE if permanent else _FIRST_PAUSE
        pause = min(first * float(1 << min(self._failures, 12)), max(_LONGEST_PAUSE, first))
        self._failures += 1
        # Half of it is jitter, so that the sites of one provider do not all come back at once.
        pause = pause / 2 + pause / 2 * self._tokens.fraction()
        if retry_after is not None:
            pause = max(pause, min(retry_after, _LONGEST_RETRY_AFTER))
        self._due = now + pause

    def _be(self, state: State) -> None:
        if state != self.state:
            self.state = state
            if state != "asking":
                if state != "registered":
                    self.expires_at = 0.0
                self._changed(self)


class _Attempt:
    """One REGISTER; the `ClientOwner` of its transaction."""

    __slots__ = ("_registration", "_request")

    def __init__(self, registration: Registration, request: Message) -> None:
        self._registration, self._request = registration, request

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """See `ClientOwner`."""
        del client
        if response.status >= 200:
            self._registration.answered(self._request, response, now)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._registration.unanswered(self._request, now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._registration.unanswered(self._request, now)


def _seconds(value: bytes | None) -> int:
    text = (value or b"").partition(b";")[0].strip()
    return min(int(text), _LONGEST) if text.isdigit() and len(text) < 10 else 0


def _least(response: Message) -> int:
    """The Min-Expires of a 423, never more than a day: beyond that something is wrong with it."""
    return _seconds(response.get(b"min-expires"))
