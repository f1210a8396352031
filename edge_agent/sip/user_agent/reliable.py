"""A provisional response that is repeated until its PRACK comes (RFC 3262 §3)."""

from __future__ import annotations

from typing import Final, Protocol

from edge_agent.sip.message import BadMessage, DropReason, Message
from edge_agent.sip.transaction import InviteServer, Timers, TimerWheel

RETRANSMIT: Final = 0
GIVE_UP: Final = 1


class Unpracked(Protocol):
    """Who sent it."""

    def never_pracked(self, now: float) -> None:
        """No PRACK came within 64·T1."""
        ...


class Reliable:
    """One reliable provisional response on its way; sends it at once, then after T1, doubling."""

    __slots__ = ("_data", "_interval", "_owner", "_status", "_transaction", "_wheel", "number")

    def __init__(
        self,
        transaction: InviteServer,
        status: int,
        data: bytes,
        number: int,
        owner: Unpracked,
        timers: Timers,
        wheel: TimerWheel,
        now: float,
    ) -> None:
        """`number` is its RSeq."""
        self._transaction: InviteServer | None = transaction
        self._status, self._data, self._owner, self._wheel = status, data, owner, wheel
        self._interval = timers.t1
        self.number = number
        transaction.respond(status, data, now)
        wheel.add(self._interval, self, RETRANSMIT, now)
        wheel.add(timers.timeout, self, GIVE_UP, now)

    @property
    def waiting(self) -> bool:
        """No PRACK has come and it has not been given up."""
        return self._transaction is not None

    def stop(self) -> None:
        """The PRACK came, or the call is decided."""
        self._transaction = None
        self._data = b""

    def expired(self, kind: int, now: float) -> None:
        """Time to send again, or to give up."""
        if self._transaction is None:
            return
        if kind == GIVE_UP:
            self.stop()
            self._owner.never_pracked(now)
            return
        self._transaction.respond(self._status, self._data, now)
        self._interval *= 2
        self._wheel.add(self._interval, self, RETRANSMIT, now)


def acknowledged_by(request: Message) -> tuple[int, int, bytes]:
    """What a PRACK acknowledges: RSeq, CSeq number and method (§7.2).

    Raises:
        BadMessage: RAck is missing or malformed.
    """
    parts = request.need(b"rack").split()
    if len(parts) != 3 or not all(part.isdigit() and len(part) < 11 for part in parts[:2]):
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed RAck")
    return int(parts[0]), int(parts[1]), parts[2]


def number_of(response: Message) -> int:
    """The RSeq of a provisional response that wants to be acknowledged; 0: it does not (§4)."""
    if b"require" not in response.names or b"100rel" not in response.values(b"require"):
        return 0
    value = response.get(b"rseq") or b""
    return int(value) if value.isdigit() and len(value) < 11 else 0
