"""A relay for one TFTP transfer that loses, repeats and swaps datagrams by count, so that each run is the same."""

import asyncio
import socket
from collections.abc import Collection
from typing import Any, Self


class LossyRelay:
    """Stands between a client and a server on 127.0.0.1; from the client's side it is the server.

    Args:
        server: the server's well-known port.
        lose: which datagrams from the server never arrive, counted from 1.
        lose_back: the same for those of the client.
        repeat: which datagrams from the server arrive twice.
        swap: which datagrams from the server arrive after the one that follows them.
    """

    def __init__(
        self,
        server: int,
        lose: Collection[int] = (),
        lose_back: Collection[int] = (),
        repeat: Collection[int] = (),
        swap: Collection[int] = (),
    ) -> None:
        self._server = ("127.0.0.1", server)
        self._lose, self._lose_back, self._repeat, self._swap = lose, lose_back, repeat, swap
        self._client: tuple[str, int] | None = None
        self._held: bytes | None = None
        self.from_server = 0
        self.from_client = 0
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for each, readable in ((self._front, self._from_client), (self._back, self._from_server)):
            each.setblocking(False)
            each.bind(("127.0.0.1", 0))
            loop.add_reader(each.fileno(), readable)
        return self

    async def __aexit__(self, *_: Any) -> None:
        for each in (self._front, self._back):
            asyncio.get_running_loop().remove_reader(each.fileno())
            each.close()

    @property
    def port(self) -> int:
        """Where the client asks."""
        port: int = self._front.getsockname()[1]
        return port

    def _from_client(self) -> None:
        data, self._client = self._front.recvfrom(65_535)
        self.from_client += 1
        if self.from_client not in self._lose_back:
            self._back.sendto(data, self._server)

    def _from_server(self) -> None:
        data, self._server = self._back.recvfrom(65_535)
        self.from_server += 1
        if self.from_server in self._lose:
            return
        if self.from_server in self._swap:
            self._held = data
            return
        self._to_client(data)
        if self.from_server in self._repeat:
            self._to_client(data)
        if self._held is not None:
            held, self._held = self._held, None
            self._to_client(held)

    def _to_client(self, data: bytes) -> None:
        if self._client is not None:
            self._front.sendto(data, self._client)
