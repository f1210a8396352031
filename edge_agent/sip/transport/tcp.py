"""TCP: accepted and opened connections, each with a number, cut into messages, bounded in number, time and memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final, Protocol, cast

from edge_agent.clock import Clock
from edge_agent.sip.message import BadMessage, DropReason, Flow, Limits
from edge_agent.sip.transport.framer import PING, StreamFramer

_READ_BYTES: Final = 65_536
_SWEEP_SECONDS: Final = 10.0
_STALLED_SECONDS: Final = 30.0
"""A message that began must be complete within this time."""
_PENDING_MESSAGES: Final = 64
"""Messages that wait for one connection to open."""


class StreamUser(Protocol):
    """Who hears from the connections."""

    def stream_received(self, data: bytes, flow: Flow) -> None:
        """One message."""
        ...

    def stream_batch_ended(self) -> None:
        """What one read brought is handled."""
        ...

    def stream_closed(self, flow: Flow) -> None:
        """The connection is gone, or could not be opened."""
        ...

    def stream_dropped(self, reason: DropReason) -> None:
        """Something was dropped here."""
        ...


class TcpConnection(asyncio.BufferedProtocol):
    """One stream. All connections read into one buffer, because each read is handled before the next begins."""

    def __init__(self, connections: TcpConnections) -> None:
        self._connections = connections
        self._framer = StreamFramer(connections.limits)
        self._transport: asyncio.Transport | None = None
        self.flow = Flow("tcp", "", 0, -1)
        self.heard = connections.clock.monotonic()
        """When something came last."""
        self.stalled_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername") or ("", 0)
        self.flow = self._connections.opened(self, peer[0], peer[1])

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._connections.buffer

    def buffer_updated(self, nbytes: int) -> None:
        connections = self._connections
        self.heard = connections.clock.monotonic()
        try:
            messages = self._framer.feed(bytes(connections.buffer[:nbytes]))
        except BadMessage as error:
            connections.user.stream_dropped(error.drop)
            self.close()
            return
        for message in messages:
            if message is PING:
                self.write(b"\r\n")
            else:
                connections.user.stream_received(message, self.flow)
        if not self._framer.waiting:
            self.stalled_since = None
        elif self.stalled_since is None or messages:
            self.stalled_since = self.heard
        connections.user.stream_batch_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.closed(self)

    def write(self, data: bytes) -> None:
        """Send; a peer that does not read is cut off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._connections.limits.tcp_buffer_bytes:
            transport.abort()

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()


class TcpConnections:
    """Every TCP connection of one transport."""

    def __init__(self, user: StreamUser, clock: Clock, limits: Limits) -> None:
        self.user = user
        self.clock = clock
        self.limits = limits
        self.buffer = memoryview(bytearray(_READ_BYTES))
        self._by_number: dict[int, TcpConnection] = {}
        self._by_address: dict[tuple[str, int], TcpConnection] = {}
        self._per_host: Counter[str] = Counter()
        self._opening: dict[tuple[str, int], list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 0
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self.port = 0

    async def listen(self, address: tuple[str, int]) -> None:
        """Accept connections there."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TcpConnection(self), address[0], address[1], backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep)

    def opened(self, connection: TcpConnection, host: str, port: int) -> Flow:
        """A connection stands; it gets its number, or is cut off when there are too many."""
        self._next += 1
        flow = Flow("tcp", host, port, self._next)
        over = len(self._by_number) >= self.limits.tcp_connections
        if over or self._per_host[host] >= self.limits.tcp_connections_per_host:
            self.user.stream_dropped(DropReason.TOO_MANY_CONNECTIONS)
            connection.close()
            return flow._replace(connection=-1)
        self._by_number[flow.connection] = connection
        self._by_address[host, port] = connection
        self._per_host[host] += 1
        return flow

    def closed(self, connection: TcpConnection) -> None:
        """A connection is gone."""
        flow = connection.flow
        if self._by_number.pop(flow.connection, None) is None:
            return
        address = (flow.host, flow.port)
        self._per_host[flow.host] -= 1
        if not self._per_host[flow.host]:
            del self._per_host[flow.host]
        if self._by_address.get(address) is connection:
            del self._by_address[address]
            self.user.stream_closed(flow._replace(connection=0))
        self.user.stream_closed(flow)

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send on a connection, opening one when the flow names none; False when the named one is gone."""
        if flow.connection:
            connection = self._by_number.get(flow.connection)
        else:
            connection = self._by_address.get((flow.host, flow.port))
            if connection is None:
                return self._open(data, flow)
        if connection is None:
            return False
        connection.write(data)
        return True

    def is_open(self, flow: Flow) -> bool:
        """Whether that very connection still stands."""
        return flow.connection in self._by_number

    def _open(self, data: bytes, flow: Flow) -> bool:
        address = (flow.host, flow.port)
        waiting = self._opening.get(address)
        if waiting is not None:
            if len(waiting) >= _PENDING_MESSAGES:
                return False
            waiting.append(data)
            return True
        if len(self._by_number) + len(self._opening) >= self.limits.tcp_connections:
            self.user.stream_dropped(DropReason.TOO_MANY_CONNECTIONS)
            return False
        self._opening[address] = [data]
        task = asyncio.get_running_loop().create_task(self._connect(flow))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _connect(self, flow: Flow) -> None:
        loop = asyncio.get_running_loop()
        address = (flow.host, flow.port)
        try:
            async with asyncio.timeout(self.limits.tcp_connect_seconds):
                _, connection = await loop.create_connection(lambda: TcpConnection(self), *address)
        except (OSError, TimeoutError):
            self._opening.pop(address, None)
            self.user.stream_closed(flow)
            return
        for data in self._opening.pop(address, ()):
            connection.write(data)

    def sweep(self) -> None:
        """Close streams that were idle, or in the middle of one message, for too long."""
        now = self.clock.monotonic()
        for connection in list(self._by_number.values()):
            stalled = connection.stalled_since
            if now - connection.heard > self.limits.tcp_idle_seconds or (
                stalled is not None and now - stalled > _STALLED_SECONDS
            ):
                self.user.stream_dropped(DropReason.IDLE_CONNECTION)
                connection.close()

    def _sweep(self) -> None:
        self.sweep()
        self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._by_number.values()):
            connection.close()
        if self._server is not None:
            await self._server.wait_closed()
