"""One call at the side that answers it.

Proceeding ──answer──▶ Answered ──ACK──▶ Confirmed ──BYE──▶ Ended
    └──refuse, CANCEL, BYE──▶ Ended         Answered ──no ACK for 64·T1──▶ BYE, Ended
Hanging up while Answered waits for the ACK before it sends the BYE (§15).
"""

from enum import Enum
from typing import Protocol

from edge_agent.ports import CallRefused
from edge_agent.sip.dialog import Dialog
from edge_agent.sip.message import Message, RawHeader, Uri, response_bytes
from edge_agent.sip.transaction import InviteServer, ServerTransaction, Timers, TimerWheel
from edge_agent.sip.user_agent.success import Success

SDP = b"application/sdp"
ALLOW = b"INVITE, ACK, BYE, CANCEL, OPTIONS"


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

    def send_in_dialog(self, call: "Call", request: Message, now: float) -> None:
        """Send a request of ours in a transaction; what comes of it does not matter to the call."""
        ...

    def call_confirmed(self, call: "Call", answer: bytes | None) -> None:
        """The ACK of a 2xx came; `answer` is its body where the 2xx had our offer."""
        ...

    def call_reoffered(self, call: "Call", offer: bytes | None) -> bytes:
        """Our description for a re-INVITE; raises `CallRefused`."""
        ...

    def call_ended(self, call: "Call", cause: str) -> None:
        """The call is over; told once."""
        ...


class Call:
    """A call that came in; every `now` is seconds on one monotonic clock."""

    __slots__ = (
        "_confirmed_once",
        "_contact",
        "_home",
        "_invite",
        "_success",
        "_transaction",
        "_wants_end",
        "dialog",
        "state",
    )

    def __init__(
        self, home: CallHome, invite: Message, transaction: InviteServer, dialog: Dialog, contact: Uri
    ) -> None:
        self._home, self._invite, self._contact = home, invite, contact
        self._transaction: InviteServer | None = transaction
        self._success: Success | None = None
        self._wants_end: str | None = None
        self._confirmed_once = False
        self.dialog = dialog
        self.state = CallState.PROCEEDING

    @property
    def invite(self) -> Message:
        """The request that began it."""
        return self._invite

    # What our side wants.

    def trying(self, now: float) -> None:
        """Stop the caller's retransmissions (100)."""
        if self._transaction is not None:
            self._transaction.respond(100, response_bytes(self._invite, 100), now)

    def ring(self, now: float) -> None:
        """180; does nothing once the call is decided."""
        if self._transaction is not None:
            self._respond(self._transaction, self._invite, 180, b"", now)

    def answer(self, description: bytes, now: float) -> None:
        """200 with our description, repeated until the ACK; does nothing once the call is decided."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            self.state = CallState.ANSWERED
            self._succeed(transaction, self._invite, description, now)

    def refuse(self, status: int, reason: str, now: float) -> None:
        """A final response other than 2xx; does nothing once the call is decided."""
        if self._transaction is not None:
            self._decline(status, reason, now)
            self._end("local")

    def hang_up(self, now: float) -> None:
        """End the call, whatever state it is in."""
        if self.state is CallState.PROCEEDING:
            self.refuse(480, "", now)
        elif self.state is CallState.ANSWERED:
            self._wants_end = "local"
        elif self.state is CallState.CONFIRMED:
            self._bye(now)
            self._end("local")

    # What arrives.

    def cancelled(self, now: float) -> None:
        """A CANCEL came and was answered."""
        if self._transaction is not None:
            self._decline(487, "", now)
            self._end("caller")

    def acknowledged(self, ack: Message, now: float) -> None:
        """The ACK of a 2xx came; a further one is absorbed."""
        success = self._success
        if success is None or not success.waiting or ack.cseq[0] != success.number:
            return
        success.stop()
        if self.state is CallState.ANSWERED:
            self.state = CallState.CONFIRMED
        if self._wants_end is not None:
            self._bye(now)
            self._end(self._wants_end)
        elif success.offers or not self._confirmed_once:
            self._confirmed_once = True
            self._home.call_confirmed(self, (ack.body or None) if success.offers else None)

    def bye_arrived(self, request: Message, transaction: ServerTransaction, now: float) -> None:
        """The caller hangs up, also before our answer (§15)."""
        transaction.respond(200, response_bytes(request, 200, to_tag=self.dialog.key.local_tag), now)
        if self._transaction is not None:
            self._decline(487, "", now)
        self._end("caller")

    def reinvite_arrived(self, request: Message, transaction: InviteServer, now: float) -> None:
        """The caller wants another session (§14.2); refused, the one there is goes on."""
        if self._transaction is not None or (self._success is not None and self._success.waiting):
            self._respond(transaction, request, 500, b"", now, ((b"Retry-After", b"2"),))
            return
        try:
            description = self._home.call_reoffered(self, request.body or None)
        except CallRefused as refused:
            self._respond(transaction, request, refused.status, refused.reason.encode(), now)
            return
        self._succeed(transaction, request, description, now)

    def never_acknowledged(self, now: float) -> None:
        """The ACK of a 2xx is missing: the call is given up by a BYE (§13.3.1.4)."""
        if self.state is not CallState.ENDED:
            self._bye(now)
            self._end("unacknowledged")

    # How.

    def _succeed(self, transaction: InviteServer, request: Message, description: bytes, now: float) -> None:
        headers = (*self._dialog_headers(request), (b"Allow", ALLOW), (b"Content-Type", SDP))
        data = response_bytes(request, 200, b"", headers, self.dialog.key.local_tag, description)
        home = self._home
        self._success = Success(
            transaction, data, request.cseq[0], not request.body, self, home.timers, home.wheel, now
        )

    def _decline(self, status: int, reason: str, now: float) -> None:
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            self._respond(transaction, self._invite, status, reason.encode(), now)

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
        transaction.respond(status, response_bytes(request, status, reason, headers, self.dialog.key.local_tag), now)

    def _dialog_headers(self, request: Message) -> tuple[RawHeader, ...]:
        routes = tuple((b"Record-Route", value) for value in request.all(b"record-route"))
        return (*routes, (b"Contact", b"<" + bytes(self._contact) + b">"))

    def _bye(self, now: float) -> None:
        self._home.send_in_dialog(self, self.dialog.request(b"BYE"), now)

    def _end(self, cause: str) -> None:
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        if self._success is not None:
            self._success.stop()
        self._home.call_ended(self, cause)
