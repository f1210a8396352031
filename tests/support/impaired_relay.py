"""A bad network on real UDP: a relay between a phone and an engine that loses, delays and reorders both ways."""

import asyncio
import socket
from typing import Self

from tests.support.impaired_path import ImpairedPath

Address = tuple[str, int]


class ImpairedRelay:
    """Two sockets on loopback: the phone sends to `near`, the engine to `far`. By a seed, each run loses the same.

    Args:
        lost: share of the datagrams that never arrive, in each direction.
        jitter_seconds: each is late by something between 0 and this.
        seed: which run.
    """

    def __init__(self, lost: float, jitter_seconds: float, seed: int) -> None:
        self.paths = ImpairedPath(lost, jitter_seconds, seed), ImpairedPath(lost, jitter_seconds, seed + 1)
        self._sockets = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.phone: Address | None = None
        self.engine: Address | None = None
        """Where what comes for each of them goes on to."""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for place, each in enumerate(self._sockets):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
            loop.add_reader(each, self._readable, place)
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._sockets:
            asyncio.get_running_loop().remove_reader(each)
            each.close()

    @property
    def near(self) -> Address:
        """Where the phone sends to."""
        return self._at(0)

    @property
    def far(self) -> Address:
        """Where the engine sends to."""
        return self._at(1)

    def _at(self, place: int) -> Address:
        host, port = self._sockets[place].getsockname()
        return host, port

    def _readable(self, place: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = self._sockets[place].recv(2048)
            except OSError:
                return
            if (comes_at := self.paths[place].send(data, loop.time())) is not None:
                loop.call_at(comes_at, self._pass_on, place)

    def _pass_on(self, place: int) -> None:
        to = (self.engine, self.phone)[place]
        for _, data in self.paths[place].arrived(asyncio.get_running_loop().time()):
            if to is not None and self._sockets[1 - place].fileno() >= 0:
                self._sockets[1 - place].sendto(data, to)
