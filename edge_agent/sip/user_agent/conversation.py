"""What both sides of a call may do within it, whoever placed it (RFC 3261 §14, §15; RFC 3311, 3515, 4028, 6086)."""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

from edge_agent.ports import AnswerLater, CallListener, CallRefused, Transfer, TransferTold
from edge_agent.sip.dialog import Dialog
from edge_agent.sip.message import Message, RawHeader, SipError, Uri, response_bytes
from edge_agent.sip.transaction import ClientOwner, InviteServer, NonInviteServer, Timers, TimerWheel
from edge_agent.sip.user_agent.asked import SDP, Asked, Done
from edge_agent.sip.user_agent.challenges import Challenges, Login
from edge_agent.sip.user_agent.record_key import wanted_recording
from edge_agent.sip.user_agent.refer import SECONDS, is_quiet, progress, refer_headers, told_progress, wanted_transfer
from edge_agent.sip.user_agent.session_timer import (
    Refresh,
    SessionTimer,
    answered_refresh,
    knows_timers,
    least_of,
    refresh_of,
)
from edge_agent.sip.user_agent.success import Success
from edge_agent.tokens import Tokens

ALLOW: Final = b"INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"
EXTENSIONS: Final = (b"100rel", b"timer", b"replaces", b"norefersub")
SUPPORTED: Final = b", ".join(EXTENSIONS)
_TRY_AGAIN: Final = 0
_GLARE_SECONDS: Final = (3.0, 1.0)
"""After a 491: who owns the Call-ID waits 2.1 to 4 seconds, the other less than 2 (RFC 3261 §14.1)."""
_GLARES: Final = 3
_DEAD: Final = frozenset({408, 481})
"""Answers within a dialog that say that there is none any more (RFC 3261 §12.2.1.2)."""


"""What the record key of a phone says, in a header that no RFC names."""


class CallState(Enum):
    """Where a call is."""

    PROCEEDING = "proceeding"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    ENDED = "ended"


class CallHome(Protocol):
    """What a call asks of its user agent."""

    timers: Timers
    wheel: TimerWheel
    tokens: Tokens
    session_expires: int
    min_session_expires: int

    def send_in_dialog(self, dialog: Dialog, request: Message, owner: ClientOwner | None, now: float) -> None:
        """Send a request of ours in a transaction; with no owner what comes of it does not matter."""
        ...

    def acknowledge(self, dialog: Dialog, ack: Message) -> None:
        """Send the ACK of a 2xx."""
        ...

    def call_reoffered(self, call: Conversation, offer: bytes | None) -> bytes:
        """Our description for another session, where the call has no listener; raises `CallRefused`."""
        ...

    def call_confirmed(self, call: Conversation, answer: bytes | None) -> None:
        """The ACK of a 2xx came; `answer` is its body where the 2xx had our offer."""
        ...

    def call_ended(self, call: Conversation, cause: str) -> None:
        """The call is over; told once."""
        ...


class Conversation:
    """A call within its dialog; every `now` is seconds on one monotonic clock."""

    __slots__ = (
        "_contact",
        "_description",
        "_glares",
        "_held",
        "_home",
        "_login",
        "_offering",
        "_owns_call_id",
        "_peer_allows",
        "_pending",
        "_referred",
        "_success",
        "_timer",
        "_transfer_told",
        "_wish",
        "dialog",
        "listener",
        "state",
    )

    peer_ended = "peer"
    """The cause when the peer hangs up."""

    def __init__(self, home: CallHome, contact: Uri, listener: CallListener | None, login: Login | None) -> None:
        self._home, self._contact, self._login = home, contact, login
        self._success: Success | None = None
        self._pending: tuple[InviteServer | NonInviteServer, Message, tuple[RawHeader, ...]] | None = None
        """The peer's wish for another session, which somebody else is asked about."""
        self._held: Asked | None = None
        """Our newest re-INVITE."""
        self._offering = False
        self._wish: tuple[bytes, bytes | None] | None = None
        self._glares = 0
        self._owns_call_id = False
        self._description = b""
        self._peer_allows: frozenset[bytes] = frozenset()
        self._referred: bytes | None = None
        self._transfer_told: TransferTold | None = None
        self._timer: SessionTimer | None = None
        self.dialog: Dialog | None = None
        self.listener = listener
        self.state = CallState.PROCEEDING

    # What our side wants.

    def reoffer(self, description: bytes | None, now: float) -> None:
        """Ask for another session (re-INVITE); what comes of it is told by `CallListener.changed`.

        Args:
            description: our offer; None asks the peer for one.
            now: seconds, monotonic.
        """
        self._wish_for(b"INVITE", description, now)

    def update(self, description: bytes | None, now: float) -> None:
        """As `reoffer`, by UPDATE; without a description it only refreshes (RFC 3311)."""
        self._wish_for(b"UPDATE", description, now)

    def reanswer(self, description: bytes, now: float) -> None:
        """Give the description that was promised by `AnswerLater`; nothing happens where none is waited for."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        transaction, request, headers = pending
        if isinstance(transaction, InviteServer):
            self._succeed(transaction, request, description, now, headers)
        else:
            self._description = description
            described = (*headers, (b"Content-Type", SDP))
            self._reply(request, transaction, 200, now, b"", described, description)

    def rerefuse(self, status: int, reason: str, now: float) -> None:
        """Refuse what a description was promised for by `AnswerLater`; the session stays as it is."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        transaction, request, _ = pending
        transaction.respond(status, response_bytes(request, status, reason.encode(), (), self._tag()), now)

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that waits for our answer by `AnswerLater`; nothing happens where none does."""
        if self._held is not None:
            self._held.acknowledge(answer)

    def inform(self, content_type: bytes, body: bytes, now: float) -> None:
        """Send information (INFO, RFC 6086)."""
        if self.state is CallState.CONFIRMED and self.dialog is not None:
            self._ask(self.dialog.request(b"INFO", ((b"Content-Type", content_type),), body), self._informed, now)

    def refer(self, transfer: Transfer, now: float, quiet: bool = False, told: TransferTold | None = None) -> None:
        """Ask the peer to call somebody else (REFER); told by `CallListener.transfer_progressed`, unless `quiet`.

        Args:
            transfer: whom.
            now: seconds, monotonic.
            quiet: no word of what becomes of it is wanted.
            told: hears of it besides the listener.
        """
        if self.state is CallState.CONFIRMED and self.dialog is not None:
            self._transfer_told = told
            headers = (*self._contact_headers(), *refer_headers(transfer, quiet))
            self._ask(self.dialog.request(b"REFER", headers), self._referral_answered, now)

    def transfer_progress(self, status: int, now: float) -> None:
        """Tell the peer what became of the call that it wanted (RFC 3515 §2.4.5)."""
        if self._referred is not None and self.dialog is not None and self.state is not CallState.ENDED:
            headers, body = progress(self._referred, status, SECONDS)
            if status >= 200:
                self._referred = None
            self._ask(self.dialog.request(b"NOTIFY", (*self._contact_headers(), *headers), body), self._informed, now)

    # What arrives within the dialog.

    def request_arrived(self, request: Message, transaction: NonInviteServer, now: float) -> None:
        """Any request but INVITE, ACK and CANCEL."""
        try:
            headers, body = self._served(request, now)
        except AnswerLater:
            updated = (*self._contact_headers(), *self._timed(request, now), (b"Allow", ALLOW))
            self._pending = transaction, request, updated
        except CallRefused as refused:
            self._reply(request, transaction, refused.status, now, refused.reason.encode())
        except SipError as error:
            headers_of = tuple(getattr(error, "headers", ()))
            self._reply(request, transaction, error.status, now, error.reason.encode(), headers_of)
        else:
            status = 202 if request.method == b"REFER" else 200
            self._reply(request, transaction, status, now, b"", headers, body)
            self._after(request, now)

    def _served(self, request: Message, now: float) -> tuple[tuple[RawHeader, ...], bytes]:
        method = request.method
        if method == b"UPDATE":
            return self._updated(request, now)
        if method == b"INFO":
            self._told_information(request)
        elif method == b"REFER":
            return self._referral(request)
        elif method == b"NOTIFY":
            status, final = told_progress(request)
            self._transfer_progressed(status, final)
        elif method == b"OPTIONS":
            return ((b"Allow", ALLOW), (b"Accept", SDP), (b"Supported", SUPPORTED)), b""
        elif method != b"BYE":
            raise SipError(405, "Method Not Allowed")
        return (), b""

    def _after(self, request: Message, now: float) -> None:
        if request.method == b"BYE":
            self.rerefuse(487, "", now)
            self.end(self.peer_ended)
        elif request.method == b"REFER" and self._referred is not None:
            self.transfer_progress(100, now)

    def reinvite_arrived(self, request: Message, transaction: InviteServer, now: float) -> None:
        """The peer wants another session (§14.2); refused, the one there is goes on."""
        waiting = self._pending is not None or (self._success is not None and self._success.waiting)
        if self.state is CallState.PROCEEDING or waiting:
            self._respond(transaction, request, 500, b"", now, ((b"Retry-After", b"2"),))
            return
        if self._offering:
            self._respond(transaction, request, 491, b"", now)
            return
        try:
            headers = self._timed(request, now)
            description = self._described(request.body or None)
        except AnswerLater:
            self._pending = transaction, request, headers
            transaction.respond(100, response_bytes(request, 100), now)
            return
        except CallRefused as refused:
            self._respond(transaction, request, refused.status, refused.reason.encode(), now)
            return
        except SipError as error:
            headers = tuple(getattr(error, "headers", ()))
            self._respond(transaction, request, error.status, error.reason.encode(), now, headers)
            return
        self._succeed(transaction, request, description, now, headers)

    def reinvite_acknowledged(self, ack: Message) -> None:
        """The ACK of our 2xx to a re-INVITE came."""
        if self._success is not None and ack.cseq[0] == self._success.number:
            repeated = not self._success.waiting
            self._success.stop()
            if self._success.offers and not repeated and self.listener is not None:
                self.listener.acknowledged(ack.body or None)

    def never_acknowledged(self, now: float) -> None:
        """The ACK of a 2xx is missing: the call is given up by a BYE (§13.3.1.4)."""
        self.give_up("unacknowledged", now)

    def session_due(self, refreshing: bool, now: float) -> None:
        """See `TimedSession` (RFC 4028 §10)."""
        if self.state is not CallState.CONFIRMED:
            return
        if not refreshing:
            self.give_up("lapsed", now)
        elif b"UPDATE" in self._peer_allows:
            self._wish_for(b"UPDATE", None, now)
        else:
            self._wish_for(b"INVITE", self._description or None, now)

    def give_up(self, cause: str, now: float) -> None:
        """End an answered call from our side."""
        if self.state is not CallState.ENDED:
            self.acknowledge(b"")
            self.rerefuse(487, "", now)
            self.bye(now)
            self.end(cause)

    def bye(self, now: float) -> None:
        """Send a BYE, whatever comes of it."""
        if self.dialog is not None:
            request = self.dialog.request(b"BYE")
            Asked(self._home, self.dialog, request, self._challenges(), _nothing).send(now)

    def end(self, cause: str, status: int = 0) -> None:
        """The call is over."""
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        if self._success is not None:
            self._success.stop()
        if self._timer is not None:
            self._timer.stop()
        self._home.call_ended(self, cause)
        if self.listener is not None:
            self.listener.ended(cause, status)

    # Another session, asked for by us.

    def _wish_for(self, method: bytes, description: bytes | None, now: float) -> None:
        dialog = self.dialog
        waiting = self._pending is not None or (self._success is not None and self._success.waiting)
        busy = self._offering or waiting
        if dialog is None or self.state is not CallState.CONFIRMED or busy:
            if self.listener is not None:
                self.listener.changed(491, None)
            return
        self._offering = True
        self._wish = (method, description)
        headers = [*self._contact_headers(), (b"Allow", ALLOW), (b"Supported", SUPPORTED), *self._asked_timer()]
        if description:
            self._description = description
            headers.append((b"Content-Type", SDP))
        request = dialog.request(method, tuple(headers), description or b"")
        self._ask(request, self._wish_answered, now, ack=method == b"INVITE")

    def _wish_answered(self, response: Message | None, now: float) -> None:
        self._offering = False
        if self.state is CallState.ENDED:
            return
        if response is None or response.status in _DEAD:
            self.give_up("unreachable", now)
            return
        if response.status == 491 and self._glares < _GLARES:
            self._glares += 1
            self._home.wheel.add(_GLARE_SECONDS[0 if self._owns_call_id else 1], self, _TRY_AGAIN, now)
            return
        self._glares = 0
        accepted = response.status < 300
        if accepted:
            if self._wish is not None and self._wish[0] == b"UPDATE" and self.dialog is not None:
                self.dialog.answered(response)
            self._take_timer(response, now)
        elif self._timer is not None:
            # The session lives as long as was agreed; then the peer will end it, or we do.
            old = self._timer.refresh
            self._start_timer(Refresh(old.seconds, old.refresher), refreshing=False, now=now)
        if self.listener is not None:
            self.listener.changed(response.status, response.body or None if accepted else None)

    def expired(self, kind: int, now: float) -> None:
        """After a glare."""
        del kind
        if self._wish is not None:
            self._wish_for(*self._wish, now)

    def _late_answer(self, response: Message) -> bytes | None:
        """The body of the ACK: our answer, where we had asked for an offer; None: it comes later."""
        if self._wish is None or self._wish[1] is not None:
            return b""
        try:
            return self._described(response.body or None)
        except AnswerLater:
            return None

    # How.

    def _described(self, offer: bytes | None) -> bytes:
        if self.listener is not None:
            self._description = self.listener.reoffered(offer)
        else:
            self._description = self._home.call_reoffered(self, offer)
        return self._description

    def _updated(self, request: Message, now: float) -> tuple[tuple[RawHeader, ...], bytes]:
        """UPDATE (RFC 3311 §5.2)."""
        body = b""
        if request.body:
            if self._offering:
                raise SipError(491, "Request Pending")
            if self._pending is not None:
                raise RetryLater
            if self.state is not CallState.CONFIRMED:
                raise RetryLater
            body = self._described(request.body)
        headers = [*self._contact_headers(), *self._timed(request, now), (b"Allow", ALLOW)]
        if body:
            headers.append((b"Content-Type", SDP))
        return tuple(headers), body

    def _told_information(self, request: Message) -> None:
        """INFO: of no package (RFC 6086 §4.2.2), for whoever listens."""
        if b"info-package" in request.names:
            raise BadPackage
        wanted = wanted_recording(request)
        if wanted is not None and self.listener is not None:
            self.listener.record_wanted(wanted)
            return
        kind = (request.get(b"content-type") or b"").decode("ascii", "replace")
        if self.listener is not None:
            self.listener.informed(kind, request.body)
        elif request.body:
            raise SipError(415, "Unsupported Media Type")

    def _referral(self, request: Message) -> tuple[tuple[RawHeader, ...], bytes]:
        transfer, quiet = wanted_transfer(request), is_quiet(request)
        if self.listener is None:
            raise SipError(603, "Decline")
        if self._referred is not None:
            raise RetryLater
        self.listener.transfer_wanted(transfer)
        if quiet:
            return (*self._contact_headers(), (b"Refer-Sub", b"false")), b""
        self._referred = b"refer;id=%d" % request.cseq[0]
        return self._contact_headers(), b""

    def _referral_answered(self, response: Message | None, now: float) -> None:
        del now
        quiet = response is not None and is_quiet(response)
        status = 408 if response is None else response.status
        if status >= 300 or quiet:
            self._transfer_progressed(status, final=True)

    def _transfer_progressed(self, status: int, final: bool) -> None:
        if self.listener is not None:
            self.listener.transfer_progressed(status, final)
        if self._transfer_told is not None:
            self._transfer_told(status, final)

    def _informed(self, response: Message | None, now: float) -> None:
        if response is None or response.status == 481:
            self.give_up("unreachable", now)

    def _ask(self, request: Message, done: Done, now: float, ack: bool = False) -> None:
        if self.dialog is None:
            return
        late = self._late_answer if ack else None
        asked = Asked(self._home, self.dialog, request, self._challenges(), done, late)
        if ack:
            self._held = asked
        asked.send(now)

    def _challenges(self) -> Challenges:
        return Challenges(self._login, self._home.tokens)

    def _succeed(
        self,
        transaction: InviteServer,
        request: Message,
        description: bytes,
        now: float,
        more: tuple[RawHeader, ...] = (),
    ) -> None:
        headers = (
            *self._dialog_headers(request),
            (b"Allow", ALLOW),
            (b"Supported", SUPPORTED),
            *more,
            (b"Content-Type", SDP),
        )
        self._description = description
        self._note_allow(request)
        data = response_bytes(request, 200, b"", headers, self._tag(), description)
        home = self._home
        self._success = Success(
            transaction, data, request.cseq[0], not request.body, self, home.timers, home.wheel, now
        )

    def _respond(
        self,
        transaction: InviteServer,
        request: Message,
        status: int,
        reason: bytes,
        now: float,
        more: tuple[RawHeader, ...] = (),
    ) -> None:
        headers = (*more, *self._dialog_headers(request)) if status < 200 else more
        transaction.respond(status, response_bytes(request, status, reason, headers, self._tag()), now)

    def _reply(
        self,
        request: Message,
        transaction: NonInviteServer,
        status: int,
        now: float,
        reason: bytes = b"",
        headers: tuple[RawHeader, ...] = (),
        body: bytes = b"",
    ) -> None:
        transaction.respond(status, response_bytes(request, status, reason, headers, self._tag(), body), now)

    def _tag(self) -> bytes:
        return self.dialog.key.local_tag if self.dialog is not None else b""

    def _contact_headers(self) -> tuple[RawHeader, ...]:
        return ((b"Contact", b"<" + bytes(self._contact) + b">"),)

    def _dialog_headers(self, request: Message) -> tuple[RawHeader, ...]:
        routes = tuple((b"Record-Route", value) for value in request.all(b"record-route"))
        return (*routes, *self._contact_headers())

    def _note_allow(self, message: Message) -> None:
        if b"allow" in message.names:
            self._peer_allows = frozenset(message.values(b"allow"))

    # Session timers.

    def _asked_timer(self) -> tuple[RawHeader, ...]:
        """What a request of ours says of the session timer: the one that runs, or the one that we want (§7.1)."""
        if self._timer is not None:
            refresher = b"uac" if self._timer.refreshing else b"uas"
            return (Refresh(self._timer.refresh.seconds, refresher).header,)
        if self._home.session_expires:
            return (Refresh(self._home.session_expires).header,)
        return ()

    def _timed(self, request: Message, now: float) -> tuple[RawHeader, ...]:
        """Take the session timer of a request that is about to be answered 2xx; the headers of that.

        Raises:
            TooBrief: 422.
        """
        asked = refresh_of(request)
        least = max(self._home.min_session_expires, least_of(request))
        if asked is not None and asked.seconds < least and knows_timers(request):
            raise TooBrief(least)
        agreed, headers = answered_refresh(request, self._home.session_expires)
        if agreed is not None:
            self._start_timer(agreed, refreshing=agreed.refresher == b"uas", now=now)
        self._note_allow(request)
        return headers

    def _take_timer(self, response: Message, now: float) -> None:
        """Take the session timer that a 2xx to us agreed to (§7.2)."""
        self._note_allow(response)
        agreed = refresh_of(response)
        if agreed is not None:
            self._start_timer(agreed, refreshing=agreed.refresher != b"uas", now=now)
        elif self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _start_timer(self, refresh: Refresh, *, refreshing: bool, now: float) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = SessionTimer(self, refresh, refreshing, self._home.wheel, now)


class TooBrief(SipError):
    """422: a session timer that is too short."""

    def __init__(self, least: int) -> None:
        super().__init__(422, "Session Interval Too Small")
        self.headers: tuple[RawHeader, ...] = ((b"Min-SE", b"%d" % least),)


class RetryLater(SipError):
    """500: something of the kind is going on already."""

    def __init__(self) -> None:
        super().__init__(500, "Try Again Soon")
        self.headers: tuple[RawHeader, ...] = ((b"Retry-After", b"2"),)


class BadPackage(SipError):
    """469: no INFO package is known here (RFC 6086 §4.2.2)."""

    def __init__(self) -> None:
        super().__init__(469, "Bad Info Package")
        self.headers: tuple[RawHeader, ...] = ((b"Recv-Info", b""),)


def _nothing(response: Message | None, now: float) -> None:
    del response, now
