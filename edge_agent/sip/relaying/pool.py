"""The ports of relayed media, and what whoever carries it is told: everything, at every change and now and then.

Ports are chosen here, so that no description waits for another process. What carries media may have been started anew,
so it is told again; one pool is for all calls of a process, since what is not named ends. A relay that chooses its
ports itself opens some ahead; those are taken first.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge_agent.ports import MediaRelay, PortsAhead, RelayedStream


@dataclass(frozen=True, slots=True)
class TakenPorts:
    """Ports of one stream.

    Args:
        ports: of each end.
        ahead_id: see `PortsAhead`; empty: they are of the pool's own range.
    """

    ports: tuple[int, int]
    ahead_id: str = ""


class Relayed(Protocol):
    """One user of the pool."""

    def streams(self) -> Sequence[RelayedStream]:
        """What is to be carried for it now."""
        ...


class RelayPool:
    """Ports and streams of every relayed call.

    Args:
        carrier: carries the streams.
        first_port, last_port: the range; a stream takes two even ports of it, with the odd ones behind them.
    """

    def __init__(self, carrier: MediaRelay, first_port: int = 17408, last_port: int = 18431) -> None:
        self._carrier = carrier
        self._free = deque(range(first_port + first_port % 2, last_port, 2))
        self._open: dict[Relayed, None] = {}
        self._ahead: dict[str, PortsAhead] = {}
        self._spent: set[str] = set()
        """Taken of those ahead; forgotten once they are not offered any more."""
        self.counts: Counter[str] = Counter()
        """What was relayed, and why other media was not."""

    def __len__(self) -> int:
        return len(self._open)

    def take(self, hosts: tuple[str, str] | None = None) -> TakenPorts | None:
        """Two ports opened ahead for these hosts, or else those that rested longest; None: all are taken.

        Args:
            hosts: our address as each end is told it; None: none that was opened ahead will do.
        """
        for one in self._ahead.values():
            if hosts is not None and one.hosts in (hosts, hosts[::-1]) and one.ahead_id not in self._spent:
                self._spent.add(one.ahead_id)
                return TakenPorts(one.ports if one.hosts == hosts else one.ports[::-1], one.ahead_id)
        if self._ahead and hosts is not None:
            self.counts["none_ahead"] += 1
        if len(self._free) < 2:
            self.counts["no_port"] += 1
            return None
        return TakenPorts((self._free.popleft(), self._free.popleft()))

    def offer(self, ahead: Iterable[PortsAhead]) -> None:
        """Exactly these are open ahead now, as far as they have not been taken."""
        self._ahead = {one.ahead_id: one for one in ahead}
        self._spent &= self._ahead.keys()

    def opened(self, one: Relayed) -> None:
        """It has its first ports."""
        self._open[one] = None
        self.counts["relayed"] += 1

    def closed(self, one: Relayed, taken: Sequence[TakenPorts]) -> None:
        """It gives its ports back; what was opened ahead is its relay's, which sees that nobody names it any more."""
        for each in taken:
            if not each.ahead_id:
                self._free.extend(each.ports)
        if one in self._open:
            del self._open[one]
            self.tell()

    def tell(self) -> None:
        """Tell the carrier of every stream."""
        self._carrier.carry(tuple(stream for one in self._open for stream in one.streams()))

    def restate(self) -> None:
        """Tell the carrier of every stream again, if there is any."""
        if self._open:
            self.tell()
