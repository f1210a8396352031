"""Who may have a stream: bounds on connections in all and for each address, and on those that have not said anything.

Without I/O. A flood of connections that never bring a message pushes its own oldest ones out and cannot take more
than its share from one address, so that an honest phone, which speaks at once, still gets in.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from edge_agent.sip.message import DropReason, Limits

NOBODY: Final = -1


class StreamAdmission:
    """Counts streams by their number, which callers choose and never use twice.

    Args:
        limits: the bounds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._hosts: dict[int, str] = {}
        self._per_host: Counter[str] = Counter()
        self._half_open: dict[int, float] = {}
        """When each was accepted, oldest first."""
        self._half_open_per_host: Counter[str] = Counter()

    def refuses(self, host: str) -> DropReason | None:
        """Why no further stream from this address is accepted; None: it is."""
        limits = self._limits
        if len(self._hosts) >= limits.tcp_connections or self._per_host[host] >= limits.tcp_connections_per_host:
            return DropReason.TOO_MANY_CONNECTIONS
        if self._half_open_per_host[host] >= limits.half_open_per_host:
            return DropReason.TOO_MANY_HALF_OPEN
        return None

    def accepted(self, number: int, host: str, now: float) -> int:
        """An accepted stream is to be counted; the number of the one that has to go for it, or `NOBODY`."""
        oldest = next(iter(self._half_open)) if len(self._half_open) >= self._limits.half_open else NOBODY
        self.opened(number, host)
        self._half_open[number] = now
        self._half_open_per_host[host] += 1
        return oldest

    def opened(self, number: int, host: str) -> None:
        """A stream that we opened is to be counted."""
        self._hosts[number] = host
        self._per_host[host] += 1

    def spoke(self, number: int) -> None:
        """Its first message came."""
        if self._half_open.pop(number, None) is not None:
            self._less(self._half_open_per_host, self._hosts[number])

    def ended(self, number: int) -> None:
        """It is gone; more than once does no harm."""
        self.spoke(number)
        host = self._hosts.pop(number, None)
        if host is not None:
            self._less(self._per_host, host)

    def slow(self, now: float) -> list[int]:
        """Those that should have brought their first message by now."""
        since = now - self._limits.first_message_seconds
        found = []
        for number, accepted in self._half_open.items():
            if accepted > since:
                break
            found.append(number)
        return found

    @property
    def half_open(self) -> int:
        """Accepted streams that have not brought a message."""
        return len(self._half_open)

    def __len__(self) -> int:
        return len(self._hosts)

    def _less(self, counter: Counter[str], host: str) -> None:
        counter[host] -= 1
        if not counter[host]:
            del counter[host]
