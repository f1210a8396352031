"""NOTIFYs that nobody subscribed to, from the edge to registered phones (RFC 3265 §3.2 as vendors use it).

Queued ──▶ Asked ──2xx──▶ accepted ──3xx–6xx──▶ refused ──silence, dead flow──▶ the phone's next contact, or unreachable
   └──phone in a call──▶ Deferred ──call over──▶ Queued
They leave at a steady pace, so that a thousand phones that are told to fetch their files do not all ask at once.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.ports import Notice, NoticeOutcome, NoticeRefused, NoticeState
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import Message, RawHeader, new_request
from edge_agent.sip.message.flow import Transport, local_kind
from edge_agent.sip.message.message import NO_FLOW
from edge_agent.sip.transaction import ClientTransaction, TransactionLayer
from edge_agent.sip.user_agent.challenges import Challenges, Login
from edge_agent.tokens import Tokens

_EVENT: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+(?:;[A-Za-z0-9\-]+(?:=[A-Za-z0-9\-.!%*_+`'~:\[\]]+)?)*")
_CONTENT_TYPE: Final = re.compile(r"[a-z0-9\-.+]+/[a-z0-9\-.+]+(?:;[a-z0-9\-]+=[A-Za-z0-9\-.]+)*")
_MOST_EVENT: Final = 255
_MOST_BODY: Final = 16_384
_TICK_SECONDS: Final = 0.1
_TICK: Final = 0
_FLOW_FAILED: Final = 430

BusyPhones = Callable[[], set[str]]
"""`address:port` of every phone that takes part in a call now."""
Told = Callable[[NoticeOutcome], None]


class Notices:
    """Implements `edge_agent.ports.Notifier`.

    Args:
        layer: sends.
        location: where phones are.
        sent_by: `host:port` of this edge by transport.
        busy: asked before anything is sent.
        config: of the site.
        clock: for `notify`, which is called from outside.
        tokens: Call-IDs and client nonces.
        told: hears what becomes of each notice at each phone.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        location: Location,
        sent_by: dict[str, bytes],
        busy: BusyPhones,
        config: SipConfig,
        clock: Clock,
        tokens: Tokens,
        told: Told,
    ) -> None:
        self._layer = layer
        self._location = location
        self._sent_by = sent_by
        self._busy = busy
        self._config = config
        self._clock = clock
        self._tokens = tokens
        self._told = told
        self._queue: deque[Errand] = deque()
        self._deferred: list[Errand] = []
        self._asked = 0
        self._ticking = False
        self._credentials: dict[str, Credential] | None = None

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config
        self._credentials = None

    def __len__(self) -> int:
        return len(self._queue) + len(self._deferred) + self._asked

    # -- what the outside calls

    def notify(self, notice: Notice) -> None:
        """See `Notifier`."""
        problem = _problem(notice)
        if problem:
            raise NoticeRefused(problem)
        if len(self) >= self._config.limits.notices:
            raise NoticeRefused(f"{len(self)} notices wait already")
        now = self._clock.monotonic()
        bindings = self._bindings(notice, now)
        if not bindings:
            self._told(NoticeOutcome(notice.notice_id, "not_registered", text="no such phone is registered"))
            return
        # A device is told once, each phone of a line for itself.
        contacts = [binding.contact for binding in bindings] if notice.line_id else [b""]
        for contact in contacts:
            self._queue.append(Errand(self, notice, contact, now + self._config.notice_wait_seconds))
        self._tick_soon(now)

    def sweep(self, now: float) -> None:
        """Look whether calls are over; to be called every few seconds."""
        if not self._deferred:
            return
        busy = self._busy()
        waiting, self._deferred = self._deferred, []
        for errand in waiting:
            if not self._is_busy(errand, busy, now):
                self._queue.append(errand)
            elif now >= errand.until:
                errand.ended("still_in_a_call", 0, "the phone was in a call for too long")
            else:
                self._deferred.append(errand)
        if self._queue:
            self._tick_soon(now)

    def expired(self, kind: int, now: float) -> None:
        """The next few may go."""
        del kind
        self._ticking = False
        busy = self._busy() if self._queue else set()
        for _ in range(max(1, round(self._config.notices_per_second * _TICK_SECONDS))):
            if not self._queue:
                break
            errand = self._queue.popleft()
            if self._is_busy(errand, busy, now):
                self._deferred.append(errand)
                errand.deferred()
            else:
                self.ask(errand, now)
        if self._queue:
            self._tick_soon(now)

    # -- what errands call

    def ask(self, errand: Errand, now: float) -> None:
        """Send the notice to the first contact of the phone that was not tried yet."""
        notice = errand.notice
        bindings = [one for one in self._of_errand(errand, now) if one.contact not in errand.tried]
        if not bindings:
            errand.no_way()
            return
        binding = bindings[0]
        errand.tried.add(binding.contact)
        errand.contact_told = binding.contact
        errand.flow = binding.flow
        errand.challenges = Challenges(self._login(binding), self._tokens)
        errand.request = self._request(notice, binding)
        self._asked += 1
        self._layer.request(errand.request.copy(), binding.flow, errand, now)

    def ask_again(self, errand: Errand, request: Message, now: float) -> None:
        """Send it with credentials."""
        errand.request = request
        self._asked += 1
        self._layer.request(request.copy(), errand.flow, errand, now)

    def answered(self) -> None:
        """One of those that were asked is decided."""
        self._asked -= 1

    def tell(self, outcome: NoticeOutcome) -> None:
        """Pass on what became of it."""
        self._told(outcome)

    # -- how

    def _tick_soon(self, now: float) -> None:
        if not self._ticking:
            self._ticking = True
            self._layer.wheel.add(_TICK_SECONDS, self, _TICK, now)

    def _is_busy(self, errand: Errand, busy: set[str], now: float) -> bool:
        return any(one.source in busy or one.flow.source in busy for one in self._of_errand(errand, now))

    def _of_errand(self, errand: Errand, now: float) -> list[Binding]:
        bindings = self._bindings(errand.notice, now)
        return [one for one in bindings if one.contact == errand.contact] if errand.contact else bindings

    def _bindings(self, notice: Notice, now: float) -> list[Binding]:
        """Where the notice can go, what was registered last first."""
        if notice.contact:
            binding = self._location.at_contact(notice.contact.encode("utf-8", "replace"))
            return [binding] if binding is not None and binding.expires > now else []
        lines = self._lines()
        users = {
            one.user_id
            for one in lines.values()
            if (one.line_id == notice.line_id if notice.line_id else one.device_id == notice.device_id)
        }
        found = [
            binding
            for user_id in sorted(users)
            for binding in self._location.of_user(user_id, now)
            if (binding.line_id == notice.line_id if notice.line_id else binding.device_id == notice.device_id)
        ]
        return sorted(found, key=lambda one: -one.expires)

    def _lines(self) -> dict[str, Credential]:
        if self._credentials is None:
            self._credentials = {one.line_id: one for one in self._config.credentials.values()}
        return self._credentials

    def _login(self, binding: Binding) -> Login | None:
        """Phones that want proof ask for the password of the account that they registered with."""
        known = self._lines().get(binding.line_id)
        if known is None:
            return None
        return Login(known.auth_username, known.password, self._config.realm, known.ha1)

    def _request(self, notice: Notice, binding: Binding) -> Message:
        config = self._config
        domain = config.domain.encode()
        user = config.users.get(binding.user_id)
        name = user.username.encode() + b"@" if user is not None else b""
        here = self._sent_by[local_kind(binding.flow, self._sent_by)]
        headers: list[RawHeader] = [(b"Route", value) for value in binding.path]
        headers += [
            (b"Max-Forwards", b"70"),
            (b"From", b"<sip:" + domain + b">;tag=" + self._layer.new_tag()),
            (b"To", b"<sip:" + name + domain + b">"),
            (b"Call-ID", self._tokens.token(12).encode() + b"@" + domain),
            (b"CSeq", b"1 NOTIFY"),
            (b"Contact", b"<sip:" + here + _transport_parameter(binding.flow.transport) + b">"),
            (b"Event", notice.event.encode()),
            (b"Subscription-State", b"terminated"),
        ]
        if notice.content_type:
            headers.append((b"Content-Type", notice.content_type.encode()))
        return new_request(b"NOTIFY", binding.contact, headers, notice.body.encode())


class Errand:
    """One notice on its way to one phone; the `ClientOwner` of its requests."""

    __slots__ = (
        "_notices",
        "_number",
        "_told_deferred",
        "challenges",
        "contact",
        "contact_told",
        "flow",
        "notice",
        "request",
        "tried",
        "until",
    )

    def __init__(self, notices: Notices, notice: Notice, contact: bytes, until: float) -> None:
        self._notices = notices
        self._number = 1
        self._told_deferred = False
        self.notice = notice
        self.contact = contact
        """The only contact that it is for; empty: any of the notice's."""
        self.contact_told = contact
        """The contact that it was sent to last."""
        self.until = until
        """How long it waits for a call to end; seconds, monotonic."""
        self.tried: set[bytes] = set()
        self.flow = NO_FLOW
        self.request: Message | None = None
        self.challenges: Challenges | None = None

    def deferred(self) -> None:
        """The phone is in a call."""
        if not self._told_deferred:
            self._told_deferred = True
            self._tell("deferred", 0, "the phone is in a call")

    def no_way(self) -> None:
        """No contact is left to be tried."""
        if self.tried:
            self.ended("unreachable", 0, "the phone does not answer")
        else:
            self.ended("not_registered", 0, "the phone is no longer registered")

    def ended(self, state: NoticeState, status: int, text: str) -> None:
        """This is the last word."""
        self.request = None
        self._tell(state, status, text)

    # -- see `ClientOwner`

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """The phone answered."""
        del client
        status = response.status
        if status < 200:
            return
        self._notices.answered()
        if status < 300:
            self.ended("accepted", status, "")
            return
        if status in (401, 407) and self.request is not None and self.challenges is not None:
            self._number += 1
            again = self.challenges.answer(self.request, response, self._number)
            if again is not None:
                self._notices.ask_again(self, again, now)
                return
        if status == _FLOW_FAILED:
            self._notices.ask(self, now)
            return
        reason = "".join(c for c in response.reason.decode("utf-8", "replace") if c.isprintable())[:100]
        self.ended("refused", status, f"the phone answered {status} {reason}".rstrip())

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """The phone stayed silent: it may have another contact."""
        del client
        self._notices.answered()
        self._notices.ask(self, now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """Its flow is dead: it may have another."""
        del client
        self._notices.answered()
        self._notices.ask(self, now)

    def _tell(self, state: NoticeState, status: int, text: str) -> None:
        contact = self.contact_told.decode("ascii", "replace")
        self._notices.tell(NoticeOutcome(self.notice.notice_id, state, contact, status, text))


def _problem(notice: Notice) -> str:
    """What is wrong with a notice; empty: nothing."""
    if sum(1 for one in (notice.device_id, notice.line_id, notice.contact) if one) != 1:
        return "exactly one of device_id, line_id and contact says whom a notice is for"
    if len(notice.event) > _MOST_EVENT or _EVENT.fullmatch(notice.event) is None:
        return "event is no event type with parameters, such as check-sync;reboot=false"
    if notice.content_type and _CONTENT_TYPE.fullmatch(notice.content_type) is None:
        return "content_type is no media type, such as text/plain"
    if bool(notice.body) != bool(notice.content_type):
        return "a body needs a content_type, and a content_type a body"
    if len(notice.body.encode("utf-8", "replace")) > _MOST_BODY:
        return f"the body is longer than {_MOST_BODY} bytes"
    return ""


def _transport_parameter(transport: Transport) -> bytes:
    return b"" if transport == "udp" else b";transport=" + transport.encode()
