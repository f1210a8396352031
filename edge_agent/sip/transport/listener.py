"""One listening socket, accepted from in bounded batches, before any handshake: a flood is refused at its cheapest."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from edge_agent.network.marks import Dscp, mark
from edge_agent.sip.transport.udp import BOTH_FAMILIES, without_mapping

_BACKLOG: Final = 512
_ACCEPT_LIMIT: Final = 16
"""Connections taken for each wake-up, so that datagrams and timers get their turn, and an honest handshake of a few
wake-ups is through long before a flood has filled the places of those that are half open."""
_PAUSE_SECONDS: Final = 1.0
"""How long nothing is accepted when the process has no descriptor left."""


class Listener:
    """A listening socket whose connections go to `accepted`, with the peer's address and port.

    Args:
        address: to bind; port 0 takes a free one.
        accepted: takes each connection over.

    Raises:
        OSError: it cannot be bound.
    """

    def __init__(self, address: tuple[str, int], accepted: Callable[[socket.socket, str, int], None]) -> None:
        self._accepted = accepted
        self._socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if address[0] == BOTH_FAMILIES:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            # Its connections inherit this; asyncio sets it on those sockets only that it made itself. Without it the
            # second of two messages waits until the peer acknowledges the first: 40 ms, several times in each call.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            mark(self._socket, Dscp.SIGNALLING)
            self._socket.bind(address)
            self._socket.listen(_BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._pause: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept; what came since the socket was bound has waited in the kernel."""
        self._pause = None
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        for _ in range(_ACCEPT_LIMIT):
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # No descriptor or no memory is left: what stands goes on, the rest waits in the kernel.
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._socket.fileno())
                self._pause = loop.call_later(_PAUSE_SECONDS, self.start)
                return
            connection.setblocking(False)
            self._accepted(connection, without_mapping(peer[0]), peer[1])

    def close(self) -> None:
        """Stop listening."""
        if self._pause is not None:
            self._pause.cancel()
        elif self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
