"""Every stream of one transport: accepted and opened, each with a number, bounded in number, time and memory."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from edge_agent.clock import Clock
from edge_agent.sip.message import DropReason, Flow, Limits
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.site_names import SITES, SitePlaces, is_site_name
from edge_agent.sip.transport.admission import NOBODY, StreamAdmission
from edge_agent.sip.transport.listener import Listener
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.transport.proofs import ContextBy, Proof, Proofs, host_of
from edge_agent.sip.transport.site_tls import SiteTls
from edge_agent.sip.transport.stream import Stream

_READ_BYTES: Final = 65_536
_SWEEP_SECONDS: Final = 10.0
_PENDING_MESSAGES: Final = 64
"""Messages that wait for one connection to open."""

_ALIASES: Final = 4
"""Ports of its peer that one connection may stand for."""

TlsContext = Callable[[], ssl.SSLContext]
"""Asked for each connection, so that a new certificate counts from the next one on."""


class StreamUser(Protocol):
    """Who hears from the streams."""

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


class Streams:
    """The streams of one transport.

    Args:
        user: hears what they bring.
        clock: for time-outs.
        limits: bounds.
        client_tls: for TLS connections that we open; None: none can be opened.
        site_tls: for connections with the tenant's other sites; None: there are none.
        client_tls_by: as `client_tls`, for peers with authorities of their own (`prove`).
    """

    def __init__(
        self,
        user: StreamUser,
        clock: Clock,
        limits: Limits,
        client_tls: TlsContext | None = None,
        site_tls: SiteTls | None = None,
        client_tls_by: ContextBy | None = None,
    ) -> None:
        self.user = user
        self.clock = clock
        self.limits = limits
        self.buffer = memoryview(bytearray(_READ_BYTES))
        self.admission = StreamAdmission(limits)
        """Counts them."""
        self._client_tls = client_tls
        self._site_tls = site_tls
        self.proofs = Proofs(client_tls_by)
        """What peers have to show, and what was wrong with them."""
        self.sites = SitePlaces()
        """Where edges of other sites are."""
        self._listeners: dict[str, Listener] = {}
        self._by_number: dict[int, Stream] = {}
        self._by_address: dict[Flow, Stream] = {}
        """By the flow without a number; those that we opened for a name by the name too, so that none is used for
        another name."""
        self._opening: dict[Flow, list[bytes]] = {}
        self._handshakes: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 0
        self._sweeper: asyncio.TimerHandle | None = None

    # -- accepting

    def listen(self, kind: Transport, address: tuple[str, int], tls: TlsContext | None = None) -> None:
        """Bind a listening socket; nothing is accepted before `start`.

        Args:
            kind: what is spoken on them.
            address: to bind; port 0 takes a free one.
            tls: for those that are encrypted.

        Raises:
            OSError: it cannot be bound.
        """

        def accepted(connection: socket.socket, host: str, port: int) -> None:
            self._accepted(kind, tls, connection, host, port)

        self._listeners[kind] = Listener(address, accepted)

    def listen_for_sites(self, address: tuple[str, int], tls: TlsContext) -> None:
        """As `listen`, for edges of the tenant's other sites.

        Raises:
            OSError: it cannot be bound.
        """

        def accepted(connection: socket.socket, host: str, port: int) -> None:
            self._accepted("tls", tls, connection, host, port)

        self._listeners[SITES] = Listener(address, accepted)

    def start(self) -> None:
        """Begin to accept."""
        for listener in self._listeners.values():
            listener.start()
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    @property
    def ports(self) -> dict[str, int]:
        """The port of each transport that is listened for, and of `sites`."""
        return {kind: listener.port for kind, listener in self._listeners.items()}

    def _accepted(
        self, kind: Transport, tls: TlsContext | None, connection: socket.socket, host: str, port: int
    ) -> None:
        refused = self.admission.refuses(host)
        if refused is not None:
            connection.close()
            self.user.stream_dropped(refused)
            return
        self._next += 1
        number = self._next
        evicted = self.admission.accepted(number, host, self.clock.monotonic())
        if evicted != NOBODY:
            self._drop(evicted, DropReason.HALF_OPEN_EVICTED)
        task = asyncio.get_running_loop().create_task(
            self._take(Flow(kind, host, port, number), connection, tls() if tls is not None else None)
        )
        self._handshakes[number] = task
        task.add_done_callback(lambda _: self._taken(number, connection))

    def _taken(self, number: int, connection: socket.socket) -> None:
        """Its handshake is over, in whatever way; a task that was cancelled before it began has done nothing."""
        del self._handshakes[number]
        if number not in self._by_number:
            self.admission.ended(number)
            connection.close()

    async def _take(self, flow: Flow, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Stream(self, flow),
                connection,
                ssl=tls,
                ssl_handshake_timeout=self.limits.handshake_seconds if tls is not None else None,
            )
        except (OSError, TimeoutError):
            # Includes every error of TLS, and the time-out of its handshake.
            self.user.stream_dropped(DropReason.HANDSHAKE_FAILED)

    def _drop(self, number: int, reason: DropReason) -> None:
        """End a stream that may still be in its handshake."""
        self.user.stream_dropped(reason)
        self.admission.ended(number)
        stream = self._by_number.get(number)
        if stream is not None:
            stream.close()
            self.closed(stream)
        elif (task := self._handshakes.get(number)) is not None:
            task.cancel()

    # -- what a stream tells

    def stands(self, stream: Stream) -> None:
        """Its handshake is done."""
        flow = stream.flow
        self._by_number[flow.connection] = stream
        self._by_address[flow._replace(connection=0)] = stream
        if flow.name:
            # Its peer gives an address as its Contact, and proved who it is when the dialog began.
            self._by_address.setdefault(flow._replace(connection=0, name=""), stream)

    def spoke(self, stream: Stream) -> None:
        """Its first message came."""
        self.admission.spoke(stream.flow.connection)

    def closed(self, stream: Stream, error: Exception | None = None) -> None:
        """It is gone, for this reason if any is known."""
        flow = stream.flow
        if stream.opened and isinstance(error, ssl.SSLError):
            # With TLS 1.3 a peer refuses our certificate when its handshake is over for us.
            self.proofs.failed(flow, error)
        self.admission.ended(flow.connection)
        if self._by_number.pop(flow.connection, None) is None:
            return
        for address in dict.fromkeys(
            (flow._replace(connection=0), flow._replace(connection=0, name=""), *stream.aliases)
        ):
            if self._by_address.get(address) is stream:
                del self._by_address[address]
                if stream.was_used:
                    self.user.stream_closed(address)
        if stream.was_used:
            # A flood of connections that never carried a message costs those who look for what relied on them nothing.
            self.user.stream_closed(flow)

    def expect(self, flow: Flow, seconds: float) -> None:
        """Close this connection when nothing, not even a keep-alive, has come for so long (RFC 5626 §4.4.1)."""
        stream = self._by_number.get(flow.connection)
        if stream is not None:
            stream.silent_seconds = seconds

    # -- sending

    def prove(self, by_host: Mapping[str, Proof]) -> None:
        """What TLS peers at these hosts have to show from now on; connections that rest upon something else end."""
        changed = self.proofs.take(by_host)
        for stream in self.open_streams:
            if stream.opened and stream.kind == "tls" and host_of(stream.flow) in changed:
                stream.close()

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send to a numeric address, opening a connection when the flow names none; False when that cannot be."""
        if flow.connection:
            stream = self._by_number.get(flow.connection)
        else:
            flow = self.sites.named(flow)
            stream = self._by_address.get(flow)
            if stream is not None and flow.name != stream.flow.name and self.proofs.has_own(flow):
                # It stands for another name of that address, by another's word.
                stream = None
            if stream is None and flow.name and not is_site_name(flow.name):
                stream = self._proven(flow)
            if stream is None:
                return self._open(data, flow)
        if stream is None:
            return False
        stream.write(data)
        return True

    @property
    def open_streams(self) -> list[Stream]:
        """Those whose handshake is done, oldest first."""
        return list(self._by_number.values())

    def is_open(self, flow: Flow) -> bool:
        """Whether that very connection still stands."""
        return flow.connection in self._by_number

    def peer(self, flow: Flow) -> VerifiedPeer | None:
        """Who the peer of a TLS connection proved to be; None: nobody in particular."""
        stream = self._by_number.get(flow.connection)
        return stream.peer if stream is not None else None

    def reuse(self, flow: Flow, port: int) -> bool:
        """Send what is for this port of the connection's peer by that connection (RFC 5923).

        Whether it may be is the caller's to know: a peer that has not proved who it is could draw calls to itself.

        Returns:
            False: the connection is gone, or has as many other names as it may.
        """
        stream = self._by_number.get(flow.connection)
        if stream is None or len(stream.aliases) >= _ALIASES:
            return False
        address = Flow(flow.transport, flow.host, port)
        self._by_address[address] = stream
        if address not in stream.aliases:
            stream.aliases.append(address)
        return True

    def _proven(self, flow: Flow) -> Stream | None:
        """A connection that its peer opened, where it may be used for what goes to that name (RFC 5923 §5)."""
        if self.proofs.has_own(flow):
            return None
        stream = self._by_address.get(flow._replace(name=""))
        return stream if stream is not None and stream.is_for(flow.name) else None

    def _open(self, data: bytes, flow: Flow) -> bool:
        waiting = self._opening.get(flow)
        if waiting is not None:
            if len(waiting) >= _PENDING_MESSAGES:
                return False
            waiting.append(data)
            return True
        if flow.transport not in ("tcp", "tls") or (flow.transport == "tls" and self._context_for(flow) is None):
            # Nobody can connect to a browser.
            return False
        if len(self.admission) + len(self._opening) >= self.limits.tcp_connections:
            self.user.stream_dropped(DropReason.TOO_MANY_CONNECTIONS)
            return False
        if self._opened_to(flow.host) >= self.limits.tcp_opened_per_host:
            self.user.stream_dropped(DropReason.TOO_MANY_CONNECTIONS)
            return False
        self._opening[flow] = [data]
        task = asyncio.get_running_loop().create_task(self._connect(flow))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def _context_for(self, flow: Flow) -> ssl.SSLContext | None:
        """With which a connection is opened; None: it cannot be. A site is met by the tenant's authority only."""
        if is_site_name(flow.name):
            return self._site_tls.client() if self._site_tls is not None else None
        return self.proofs.context(flow) or self._client_tls() if self._client_tls is not None else None

    def _opened_to(self, host: str) -> int:
        """Connections that we opened to an address, and those that are being opened."""
        standing = sum(stream.opened and stream.flow.host == host for stream in self._by_number.values())
        return standing + sum(flow.host == host for flow in self._opening)

    async def _connect(self, flow: Flow) -> None:
        loop = asyncio.get_running_loop()
        self._next += 1
        numbered = flow._replace(connection=self._next)
        tls = self._context_for(flow) if flow.transport == "tls" else None
        self.admission.opened(numbered.connection, flow.host)
        try:
            async with asyncio.timeout(self.limits.tcp_connect_seconds):
                _, stream = await loop.create_connection(
                    lambda: Stream(self, numbered, opened=True),
                    flow.host,
                    flow.port,
                    ssl=tls,
                    server_hostname=(flow.name or flow.host) if tls is not None else None,
                )
                if numbered.connection not in self._by_number:
                    if stream.is_another:
                        self.user.stream_dropped(DropReason.CERTIFICATE_OF_ANOTHER)
                    raise ConnectionAbortedError(f"{flow.source} is not {flow.name or flow.host}")
        except (OSError, TimeoutError) as error:
            if tls is not None:
                self.proofs.failed(numbered, error)
            if isinstance(error, ssl.SSLCertVerificationError):
                self.user.stream_dropped(DropReason.CERTIFICATE_UNTRUSTED)
            elif isinstance(error, ssl.SSLError):
                self.user.stream_dropped(DropReason.HANDSHAKE_FAILED)
            self.admission.ended(numbered.connection)
            self._opening.pop(flow, None)
            self.user.stream_closed(flow)
            if is_site_name(flow.name):
                self.user.stream_closed(flow._replace(name=""))
            return
        for data in self._opening.pop(flow, ()):
            stream.write(data)

    # -- time

    def sweep(self) -> None:
        """Close streams that were idle, in the middle of one message, or without a first one for too long."""
        now, limits = self.clock.monotonic(), self.limits
        for number in self.admission.slow(now):
            self._drop(number, DropReason.SLOW_CONNECTION)
        for stream in self.open_streams:
            if stream.used:
                stream.used, stream.used_at = False, now
            silent, stalled = now - stream.heard, stream.stalled_since
            if stalled is not None and now - stalled > limits.message_seconds:
                self._drop(stream.flow.connection, DropReason.SLOW_CONNECTION)
            elif silent > (stream.silent_seconds or limits.tcp_idle_seconds) or (
                stream.opened and now - max(stream.used_at, stream.heard) > limits.tcp_opened_idle_seconds
            ):
                self._drop(stream.flow.connection, DropReason.IDLE_CONNECTION)
            elif stream.kind in ("ws", "wss"):
                if silent > limits.ws_silent_seconds:
                    self._drop(stream.flow.connection, DropReason.IDLE_CONNECTION)
                elif silent > limits.ws_ping_seconds:
                    stream.ping()

    def _sweep(self) -> None:
        self.sweep()
        self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for listener in self._listeners.values():
            listener.close()
        tasks = [*self._tasks, *self._handshakes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in self.open_streams:
            stream.close()
