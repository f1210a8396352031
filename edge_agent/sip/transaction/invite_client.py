"""The INVITE client transaction (RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2).

Calling ──1xx──▶ Proceeding ──2xx──▶ Accepted ──Timer M──▶ Terminated     (Calling ──Timer B──▶ Terminated)
                     └──300-699 / ACK──▶ Completed ──Timer D──▶ Terminated
"""

from typing import Final

from edge_agent.sip.message import Flow, Message
from edge_agent.sip.message.build import RawHeader, new_request
from edge_agent.sip.transaction.ports import ClientOwner, Home

CALLING: Final = 0
PROCEEDING: Final = 1
COMPLETED: Final = 2
ACCEPTED: Final = 3
TERMINATED: Final = 4

TIMER_A: Final = 0
TIMER_B: Final = 1
TIMER_D: Final = 2
TIMER_M: Final = 3
CANCEL_LIMIT: Final = 4


class InviteClient:
    """Sends one INVITE; made by `TransactionLayer.request`."""

    __slots__ = (
        "_ack",
        "_data",
        "_home",
        "_interval",
        "cancel_reason",
        "cancelled",
        "flow",
        "key",
        "owner",
        "request",
        "state",
    )

    def __init__(self, home: Home, key: bytes, request: Message, flow: Flow, owner: ClientOwner | None) -> None:
        self._home = home
        self._ack = b""
        self._data = b""
        self._interval = home.timers.t1
        self.key = key
        """The branch."""
        self.request: Message | None = request
        """As sent; None once a final response came."""
        self.flow = flow
        self.owner = owner
        self.state = CALLING
        self.cancelled = False
        """Whether `cancel` was called."""
        self.cancel_reason = b""
        """Of its CANCEL (RFC 3326); empty: none is told."""

    def start(self, now: float) -> None:
        """Send the INVITE."""
        home = self._home
        self._data = bytes(self.request) if self.request is not None else b""
        home.send(self._data, self.flow)
        if not self.flow.reliable:
            home.wheel.add(self._interval, self, TIMER_A, now)
        home.wheel.add(home.timers.timeout, self, TIMER_B, now)

    @property
    def answered(self) -> bool:
        """Whether any response came."""
        return self.state != CALLING

    def move(self, request: Message, key: bytes, flow: Flow, now: float) -> None:
        """Begin again another way, with another branch; only before any response."""
        self.request, self.key, self.flow = request, key, flow
        self.start(now)

    def cancel(self, now: float, reason: bytes = b"") -> None:
        """Take the INVITE back: at once if a provisional response came, else when one comes (§9.1).

        Args:
            now: seconds, monotonic.
            reason: value of the CANCEL's Reason (RFC 3326); empty: none is told.
        """
        if self.cancelled or self.state > PROCEEDING:
            return
        self.cancelled = True
        self.cancel_reason = reason
        if self.state == PROCEEDING:
            self._send_cancel(now)

    def give_way(self, now: float) -> None:
        """Send nothing more to a peer that has been silent: another one got the request. A late 2xx still counts."""
        self._data = b""
        self.cancel(now)

    def respond(self, response: Message, now: float) -> None:
        """A response came from the network."""
        status = response.status
        if self.state == COMPLETED:
            if status >= 300 and self._ack:
                self._home.send(self._ack, self.flow)
            return
        if self.state == ACCEPTED:
            if 200 <= status < 300 and self.owner is not None:
                self.owner.response_arrived(self, response, now)
            return
        if self.state == TERMINATED:
            return
        owner = self.owner
        if status < 200:
            if self.state == CALLING:
                self.state = PROCEEDING
                self._data = b""
                if self.cancelled:
                    self._send_cancel(now)
        elif status < 300:
            self._decided(ACCEPTED, TIMER_M, self._home.timers.linger, now)
        else:
            self._ack = self._build_ack(response)
            self._home.send(self._ack, self.flow)
            self._decided(COMPLETED, TIMER_D, 0.0 if self.flow.reliable else self._home.timers.linger, now)
        if owner is not None:
            owner.response_arrived(self, response, now)

    def unreachable(self, now: float) -> None:
        """The transport failed."""
        if self.state in (CALLING, PROCEEDING):
            owner = self.owner
            self._home.counts.unreachable += 1
            self._end()
            if owner is not None:
                owner.request_unreachable(self, now)
        elif self.state == COMPLETED:
            self._end()

    def expired(self, kind: int, now: float) -> None:
        """Timers A, B, D and M, and the wait after a CANCEL."""
        if kind == TIMER_A:
            if self.state == CALLING and self._data:
                self._home.counts.sent_again += 1
                self._home.send(self._data, self.flow)
                self._interval *= 2
                self._home.wheel.add(self._interval, self, TIMER_A, now)
        elif kind in (TIMER_B, CANCEL_LIMIT):
            if self.state == CALLING or (kind == CANCEL_LIMIT and self.state == PROCEEDING):
                owner = self.owner
                self._home.counts.timed_out += 1
                self._end()
                if owner is not None:
                    owner.request_timed_out(self, now)
        elif self.state in (COMPLETED, ACCEPTED):
            self._end()

    def _decided(self, state: int, timer: int, seconds: float, now: float) -> None:
        self.state = state
        self._data = b""
        self.request = None
        if seconds > 0:
            self._home.wheel.add(seconds, self, timer, now)
        else:
            self._end()

    def _send_cancel(self, now: float) -> None:
        self._home.send_cancel(self, now)
        # A branch that never answers after its CANCEL is considered cancelled (§9.1).
        self._home.wheel.add(self._home.timers.timeout, self, CANCEL_LIMIT, now)

    def _build_ack(self, response: Message) -> bytes:
        """The ACK of a final response other than 2xx: hop by hop, from the INVITE that was sent (§17.1.1.3)."""
        request = self.request
        if request is None:
            return b""
        return bytes(hop_request(request, b"ACK", response.need(b"to")))

    def _end(self) -> None:
        self.state = TERMINATED
        self.owner = None
        self._data = self._ack = b""
        self.request = None
        self._home.client_ended(self.key)


def hop_request(request: Message, method: bytes, to: bytes) -> Message:
    """The ACK or CANCEL that goes with a request: its URI, topmost Via, Route, From, Call-ID and CSeq number."""
    top = bytes(request.via)
    headers: list[RawHeader] = [(b"Via", top)]
    headers += [(b"Route", value) for value in request.all(b"route")]
    headers += [
        (b"Max-Forwards", b"70"),
        (b"From", request.need(b"from")),
        (b"To", to),
        (b"Call-ID", request.need(b"call-id")),
        (b"CSeq", b"%d " % request.cseq[0] + method),
    ]
    return new_request(method, request.uri, headers)
