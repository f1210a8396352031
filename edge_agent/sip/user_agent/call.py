"""One call at the side that answers it.

Proceeding ──answer──▶ Answered ──ACK──▶ Confirmed ──BYE──▶ Ended
    └──refuse, CANCEL, BYE──▶ Ended         Answered ──no ACK for 64·T1──▶ BYE, Ended
Hanging up while Answered waits for the ACK before it sends the BYE (§15). An answer waits for the PRACK of a reliable
provisional response that carried a description (RFC 3262 §3).
"""

from __future__ import annotations

from edge_agent.sip.dialog import Dialog
from edge_agent.sip.message import Message, RawHeader, SipError, Uri, response_bytes
from edge_agent.sip.transaction import InviteServer, NonInviteServer
from edge_agent.sip.user_agent.asked import SDP
from edge_agent.sip.user_agent.conversation import ALLOW, CallHome, CallState, Conversation
from edge_agent.sip.user_agent.reliable import Reliable, acknowledged_by

__all__ = ["ALLOW", "SDP", "Call", "CallHome", "CallState"]


class Call(Conversation):
    """A call that came in; every `now` is seconds on one monotonic clock."""

    __slots__ = (
        "_answer",
        "_confirmed_once",
        "_invite",
        "_number",
        "_queue",
        "_reliable",
        "_transaction",
        "_wants_end",
        "replaces",
    )

    peer_ended = "caller"

    def __init__(
        self, home: CallHome, invite: Message, transaction: InviteServer, dialog: Dialog, contact: Uri
    ) -> None:
        super().__init__(home, contact, None, None)
        self._invite = invite
        self._transaction: InviteServer | None = transaction
        self._wants_end: str | None = None
        self._confirmed_once = False
        self._reliable: Reliable | None = None
        self._number = 0
        self._queue: list[tuple[int, bytes]] = []
        self._answer: bytes | None = None
        self.dialog = dialog
        self.replaces: Conversation | None = None
        """The call that ends when this one is answered (RFC 3891)."""

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
        self.progress(180, b"", now)

    def progress(self, status: int, description: bytes, now: float) -> None:
        """A provisional response, with a description for early media; reliable where the caller wants or needs that.

        A caller that made no offer gets no description before the answer.
        """
        if self._transaction is None or self._answer is not None:
            return
        if not self._invite.body:
            description = b""
        if not self._is_reliable(bool(description)):
            headers = ((b"Content-Type", SDP),) if description else ()
            self._provisional(status, description, headers, now)
        elif self._reliable is not None and self._reliable.waiting:
            self._queue.append((status, description))
        else:
            self._send_reliably(status, description, now)

    def answer(self, description: bytes, now: float) -> None:
        """200 with our description, repeated until the ACK; does nothing once the call is decided."""
        if self._transaction is None:
            return
        if self._reliable is not None and self._reliable.waiting:
            self._answer = description
            return
        transaction, self._transaction = self._transaction, None
        self.state = CallState.ANSWERED
        self._succeed(transaction, self._invite, description, now, self._timed(self._invite, now))
        replaced, self.replaces = self.replaces, None
        if replaced is not None:
            replaced.give_up("local", now)

    def refuse(self, status: int, reason: str, now: float, headers: tuple[RawHeader, ...] = ()) -> None:
        """A final response other than 2xx; does nothing once the call is decided."""
        if self._transaction is not None:
            self._decline(status, reason, now, headers)
            self.end("local", status)

    def hang_up(self, now: float) -> None:
        """End the call, whatever state it is in."""
        if self.state is CallState.PROCEEDING:
            self.refuse(480, "", now)
        elif self.state is CallState.ANSWERED:
            self._wants_end = "local"
        else:
            self.give_up("local", now)

    # What arrives.

    def check_timer(self, now: float) -> None:
        """Refuse a session timer that is too short before anybody is asked.

        Raises:
            SipError: 422, or it is malformed.
        """
        self._timed(self._invite, now)
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def cancelled(self, now: float) -> None:
        """A CANCEL came and was answered."""
        if self._transaction is not None:
            self._decline(487, "", now)
            self.end("caller")

    def acknowledged(self, ack: Message, now: float) -> None:
        """The ACK of a 2xx came; a further one is absorbed."""
        success = self._success
        if success is None or not success.waiting or ack.cseq[0] != success.number:
            return
        success.stop()
        if self.state is CallState.ANSWERED:
            self.state = CallState.CONFIRMED
        if self._wants_end is not None:
            self.give_up(self._wants_end, now)
        elif success.offers or not self._confirmed_once:
            self._confirmed_once = True
            self._home.call_confirmed(self, (ack.body or None) if success.offers else None)

    def request_arrived(self, request: Message, transaction: NonInviteServer, now: float) -> None:
        """As any call's; also PRACK, and a BYE before our answer (§15)."""
        if request.method == b"PRACK":
            self._pracked(request, transaction, now)
            return
        super().request_arrived(request, transaction, now)

    def _after(self, request: Message, now: float) -> None:
        if request.method == b"BYE" and self._transaction is not None:
            self._decline(487, "", now)
        super()._after(request, now)

    def never_pracked(self, now: float) -> None:
        """See `Unpracked`: the INVITE is refused (RFC 3262 §3)."""
        self.refuse(504, "", now)

    # How.

    def _pracked(self, request: Message, transaction: NonInviteServer, now: float) -> None:
        reliable = self._reliable
        try:
            number, cseq, method = acknowledged_by(request)
        except SipError as error:
            self._reply(request, transaction, error.status, now, error.reason.encode())
            return
        if (
            reliable is None
            or not reliable.waiting
            or (number, cseq, method)
            != (
                reliable.number,
                self._invite.cseq[0],
                b"INVITE",
            )
        ):
            self._reply(request, transaction, 481, now)
            return
        reliable.stop()
        # A description here would be an offer while the call is not even answered: the one there is stands.
        self._reply(request, transaction, 488 if request.body else 200, now)
        if self._queue:
            self._send_reliably(*self._queue.pop(0), now)
        elif self._answer is not None:
            description, self._answer = self._answer, None
            self.answer(description, now)

    def _is_reliable(self, described: bool) -> bool:
        invite = self._invite
        if b"require" in invite.names and b"100rel" in invite.values(b"require"):
            return True
        return described and b"supported" in invite.names and b"100rel" in invite.values(b"supported")

    def _send_reliably(self, status: int, description: bytes, now: float) -> None:
        if self._transaction is None:
            return
        self._number = self._number + 1 if self._number else 1 + int(self._home.tokens.token(2), 16)
        headers: list[RawHeader] = [
            *self._dialog_headers(self._invite),
            (b"Require", b"100rel"),
            (b"RSeq", b"%d" % self._number),
            (b"Allow", ALLOW),
        ]
        if description:
            headers.append((b"Content-Type", SDP))
        data = response_bytes(self._invite, status, b"", headers, self._tag(), description)
        home = self._home
        self._reliable = Reliable(self._transaction, status, data, self._number, self, home.timers, home.wheel, now)

    def _provisional(self, status: int, description: bytes, more: tuple[RawHeader, ...], now: float) -> None:
        if self._transaction is not None:
            headers = (*self._dialog_headers(self._invite), *more)
            data = response_bytes(self._invite, status, b"", headers, self._tag(), description)
            self._transaction.respond(status, data, now)

    def _decline(self, status: int, reason: str, now: float, headers: tuple[RawHeader, ...] = ()) -> None:
        if self._reliable is not None:
            self._reliable.stop()
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            self._respond(transaction, self._invite, status, reason.encode(), now, headers)
