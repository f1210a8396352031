"""What came for the calls since the tick before, read once a tick: one look at all sockets, one read for each datagram.

Audio is not heard before the next tick anyway, so nothing is gained by waking for each packet, and waking is most of
what a packet would cost. When each came is told by the system (socket(7), SO_TIMESTAMPNS), to the microsecond.
While somebody floods a socket, it is read more often: its queue would not hold what comes until the next tick.
"""

import asyncio
import contextlib
import select
import socket
import struct
from collections.abc import Callable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.embedded.source import Address

Taker = Callable[[bytes, Address, float], None]
"""Takes a datagram, whom it is from, and when it came in monotonic seconds."""

MOST_ROUNDS: Final = 256
"""Datagrams of one socket that are read at a time."""
_FLOOD_ROUNDS: Final = 8
"""Of one socket at a time: more than audio has."""
_FLOOD_SECONDS: Final = 0.1
"""So long after them there may be more."""
_FLOOD_PAUSE: Final = 0.002
"""Seconds between two looks meanwhile."""
_MOST_BYTES: Final = 2048
_SO_TIMESTAMPNS: Final = 35
"""Linux's number, which Python's socket module has no name for."""
_STAMP: Final = struct.Struct("@qq")
_ROOM: Final = socket.CMSG_SPACE(_STAMP.size)
_LONGEST_WAIT: Final = 1.0
"""Seconds: a datagram that seems to have waited longer tells that the machine's time was set meanwhile."""


class Gathering:
    """Reads the sockets that it was given, whenever `gather` is called."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready = select.epoll()
        self._takers: dict[int, tuple[socket.socket, Taker]] = {}
        self._flood_until = 0.0
        self._look: asyncio.TimerHandle | None = None

    def add(self, here: socket.socket, taker: Taker) -> None:
        """Read this socket, too, which has to be non-blocking."""
        with contextlib.suppress(OSError):  # a system that does not tell: then they came when they are read
            here.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._takers[here.fileno()] = here, taker
        self._ready.register(here, select.EPOLLIN)

    def remove(self, here: socket.socket) -> None:
        """Read it no more; to be called before it is closed."""
        if self._takers.pop(here.fileno(), None) is not None:
            self._ready.unregister(here)

    def gather(self, now: float) -> None:
        """Hand over all that has come, on the running event loop; `now` is this moment in monotonic seconds."""
        if self._read(now) >= _FLOOD_ROUNDS:
            self._flood_until = now + _FLOOD_SECONDS
        if now < self._flood_until and self._takers and self._look is None:
            self._look = asyncio.get_running_loop().call_later(_FLOOD_PAUSE, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        self.gather(self._clock.monotonic())

    def _read(self, now: float) -> int:
        """How many datagrams came on the socket that had most."""
        earliest, offset = now - _LONGEST_WAIT, now - self._clock.now().timestamp()
        for rounds in range(MOST_ROUNDS):
            ready = self._ready.poll(0)
            if not ready:
                return rounds
            for number, _events in ready:
                if (found := self._takers.get(number)) is None:  # what came before ended its call
                    continue
                try:
                    data, beside, _flags, source = found[0].recvmsg(_MOST_BYTES, _ROOM)
                except OSError:  # an ICMP error of an earlier packet, which tells us nothing to act on
                    continue
                came = now
                for _level, kind, value in beside:
                    if kind == _SO_TIMESTAMPNS and len(value) == _STAMP.size:
                        seconds, nanoseconds = _STAMP.unpack(value)
                        came = min(now, max(earliest, seconds + nanoseconds / 1e9 + offset))
                found[1](data, (source[0], source[1]), came)
        return MOST_ROUNDS
