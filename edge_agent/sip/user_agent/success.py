"""A 2xx to an INVITE, repeated until its ACK comes (RFC 3261 §13.3.1.4): end to end, so no transaction does it."""

from typing import Final, Protocol

from edge_agent.sip.transaction import InviteServer, Timers, TimerWheel

RETRANSMIT: Final = 0
GIVE_UP: Final = 1


class Unacknowledged(Protocol):
    """Who sent the 2xx."""

    def never_acknowledged(self, now: float) -> None:
        """No ACK came within 64·T1."""
        ...


class Success:
    """One 2xx on its way; sends it at once, then after T1, doubling up to T2."""

    __slots__ = ("_data", "_interval", "_owner", "_status", "_timers", "_transaction", "_wheel", "number", "offers")

    def __init__(
        self,
        transaction: InviteServer,
        data: bytes,
        number: int,
        offers: bool,
        owner: Unacknowledged,
        timers: Timers,
        wheel: TimerWheel,
        now: float,
    ) -> None:
        """`number` is the INVITE's CSeq; `offers` says that the 2xx carries our offer, so the ACK brings the answer."""
        self._transaction: InviteServer | None = transaction
        self._data, self._owner, self._timers, self._wheel = data, owner, timers, wheel
        self._interval = timers.t1
        self.number, self.offers = number, offers
        transaction.respond(200, data, now)
        wheel.add(self._interval, self, RETRANSMIT, now)
        wheel.add(timers.timeout, self, GIVE_UP, now)

    @property
    def waiting(self) -> bool:
        """No ACK has come and it has not been given up."""
        return self._transaction is not None

    def stop(self) -> None:
        """The ACK came, or the call is over."""
        self._transaction = None
        self._data = b""

    def expired(self, kind: int, now: float) -> None:
        """Time to send again, or to give up."""
        if self._transaction is None:
            return
        if kind == GIVE_UP:
            self.stop()
            self._owner.never_acknowledged(now)
            return
        self._transaction.respond(200, self._data, now)
        self._interval = min(2 * self._interval, self._timers.t2)
        self._wheel.add(self._interval, self, RETRANSMIT, now)
