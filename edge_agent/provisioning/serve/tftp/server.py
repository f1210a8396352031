"""Sockets and timers for TFTP: the well-known port, and a port of its own for each transfer."""

import asyncio
import logging
import socket
from collections import Counter
from typing import Any, Final, assert_never, cast

from edge_agent.clock import Clock
from edge_agent.provisioning.serve.tftp.listener import Begin, Drop, Listener, Reply
from edge_agent.provisioning.serve.tftp.transfer import Action, Ended, Peer, Send, Transfer

logger: Final = logging.getLogger(__name__)

_RECEIVE_BUFFER_BYTES: Final = 1 << 20


class TftpServer:
    """Serves a listener's files on one address.

    Args:
        listener: decides about requests.
        clock: for the transfers' deadlines.
    """

    def __init__(self, listener: Listener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._transfers: set[_TransferPort] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._host = ""
        self._idle = asyncio.Event()
        self._idle.set()
        self.ended: Counter[str] = Counter()
        """How many transfers ended how."""

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port that is bound (0 asks for a free one).

        Raises:
            OSError: the port cannot be bound.
        """
        loop = asyncio.get_running_loop()
        self._host = host
        transport, _ = await loop.create_datagram_endpoint(lambda: _WellKnownPort(self), local_addr=(host, port))
        self._transport = transport
        # A site's phones all ask at once when its power comes back; the system may grant less.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        bound: int = transport.get_extra_info("sockname")[1]
        return bound

    async def stop(self) -> None:
        """Close every port; transfers under way end."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for task in tuple(self._opening):
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for transfer in tuple(self._transfers):
            transfer.close()
        await self._idle.wait()

    def received(self, data: bytes, source: Peer) -> None:
        """A datagram came to the well-known port."""
        match self._listener.receive(data, source):
            case Begin(peer, transfer):
                task = asyncio.get_running_loop().create_task(self._begin(peer, transfer))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            case Reply(answer):
                if self._transport is not None:
                    self._transport.sendto(answer, source)
            case Drop():
                pass
            case other:
                assert_never(other)

    async def _begin(self, peer: Peer, transfer: Transfer) -> None:
        port = _TransferPort(self, peer, transfer, self._clock)
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: port, local_addr=(self._host, 0))
        except OSError as error:
            self._listener.ended(peer)
            logger.warning("tftp_port_failed", extra={"error": error.strerror})
        except asyncio.CancelledError:
            self._listener.ended(peer)
            raise

    def opened(self, port: "_TransferPort") -> None:
        """A transfer's port is open."""
        self._transfers.add(port)
        self._idle.clear()

    def closed(self, port: "_TransferPort", how: str) -> None:
        """A transfer's port is closed."""
        self._transfers.discard(port)
        if not self._transfers:
            self._idle.set()
        self._listener.ended(port.peer)
        self.ended[how] += 1


class _WellKnownPort(asyncio.DatagramProtocol):
    def __init__(self, server: TftpServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._server.received(data, (addr[0], addr[1]))


class _TransferPort(asyncio.DatagramProtocol):
    def __init__(self, server: TftpServer, peer: Peer, transfer: Transfer, clock: Clock) -> None:
        self.peer = peer
        self._server = server
        self._transfer = transfer
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._how = "stopped"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A datagram endpoint's transport, which Python 3.11 does not derive from DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._server.opened(self)
        self._perform(self._transfer.start(self._clock.monotonic()))

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._perform(self._transfer.receive(data, (addr[0], addr[1]), self._clock.monotonic()))

    def connection_lost(self, _error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._server.closed(self, self._how)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(data, to):
                    if self._transport is not None:
                        self._transport.sendto(data, to)
                case Ended(how):
                    self._how = how.value
                    self.close()
                case other:
                    assert_never(other)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._transfer.deadline
        if deadline is not None:
            wait = max(0.0, deadline - self._clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self._perform(self._transfer.advance(self._clock.monotonic()))
