"""All transports together: one object that a core without I/O is attached to.

What the core sends while a batch is handled is held back until the batch's end, so that it can write to disk once
before any answer leaves.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from edge_agent.clock import Clock
from edge_agent.errors import EdgeError
from edge_agent.sip.message import DEFAULT_LIMITS, DropReason, Flow, Limits
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.observation.tape import Tape
from edge_agent.sip.resolver import Resolver
from edge_agent.sip.transport.named import Found, NamedFlows
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.transport.ports import Receiver
from edge_agent.sip.transport.proofs import ContextBy
from edge_agent.sip.transport.site_tls import SiteTls
from edge_agent.sip.transport.streams import Streams, TlsContext
from edge_agent.sip.transport.stun import NotStun, is_stun, stun_answer
from edge_agent.sip.transport.udp import BOTH_FAMILIES, DualUdpSocket, Peer, UdpSocket

_TICK_SECONDS: Final = 0.05
_FIRST_LETTER: Final = 0x0A
_PEERS: Final = 8192
"""UDP flows that need not be made again for the next datagram."""
_KEEPALIVE_BYTES: Final = b"\r\n\0 "

_log = logging.getLogger(__name__)


class NoCertificate(EdgeError):
    """An encrypted transport is wanted, but there is no certificate for it."""


class SipTransport:
    """The sockets of one endpoint or user agent.

    Args:
        clock: read once for each batch.
        udp: address to bind; port 0 takes a free one. None: no UDP.
        tcp: as `udp`.
        tls: as `udp`; needs `server_tls`.
        ws: as `udp`, for WebSocket.
        wss: as `udp`, for secure WebSocket; needs `web_tls`.
        server_tls: asked for each TLS connection that is accepted.
        web_tls: asked for each secure WebSocket that is accepted.
        client_tls: asked for each encrypted connection that we open; None: none is.
        client_tls_by: asked instead for peers with authorities of their own (`Streams.prove`).
        sites: as `udp`, for edges of the tenant's other sites; needs `site_tls`.
        site_tls: for connections with them.
        resolver: looks names up; None: no flow may lead to a name.
        advertised: the host put into Via and Record-Route; by default the address bound to.
        advertised_six: the same towards IPv6 peers, where both families are listened for; empty: `advertised`.
        limits: of streams.
        tape: remembers what goes over the wire; None: nobody does.

    Use: `await open()`, `attach(receiver)`, …, `await close()`.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        udp: tuple[str, int] | None = None,
        tcp: tuple[str, int] | None = None,
        tls: tuple[str, int] | None = None,
        ws: tuple[str, int] | None = None,
        wss: tuple[str, int] | None = None,
        server_tls: TlsContext | None = None,
        web_tls: TlsContext | None = None,
        client_tls: TlsContext | None = None,
        client_tls_by: ContextBy | None = None,
        sites: tuple[str, int] | None = None,
        site_tls: SiteTls | None = None,
        resolver: Resolver | None = None,
        advertised: str | None = None,
        advertised_six: str = "",
        limits: Limits = DEFAULT_LIMITS,
        tape: Tape | None = None,
    ) -> None:
        self._clock = clock
        self._tape = tape
        self._udp_address = udp
        self._accepting: dict[Transport, TlsContext | None] = {"tls": server_tls, "wss": web_tls}
        wanted: dict[Transport, tuple[str, int] | None] = {"tcp": tcp, "tls": tls, "ws": ws, "wss": wss}
        self._stream_addresses = {kind: address for kind, address in wanted.items() if address is not None}
        bound = next((address for address in (udp, *self._stream_addresses.values()) if address is not None), None)
        self._advertised = advertised or (bound[0] if bound else "127.0.0.1")
        self._advertised_six = advertised_six
        self._udp: UdpSocket | None = None
        self._sites = (sites, site_tls.server) if sites is not None and site_tls is not None else None
        self.streams = Streams(self, clock, limits, client_tls, site_tls, client_tls_by)
        """The TCP, TLS and WebSocket connections."""
        self._named: NamedFlows | None = None
        if resolver is not None:
            self._named = NamedFlows(
                resolver, clock, self._send_now, self._name_failed, self.stream_dropped, self._tell
            )
        self._receiver: Receiver | None = None
        self._outbox: list[tuple[bytes, Flow]] = []
        self._peers: dict[Peer, Flow] = {}
        self._in_batch = False
        self._now = 0.0
        self._ticker: asyncio.TimerHandle | None = None
        self._flusher: asyncio.Handle | None = None

    # -- life

    async def open(self) -> None:
        """Bind the sockets; nothing is read before `attach`.

        Raises:
            OSError: an address cannot be bound.
            NoCertificate: TLS is wanted without a certificate.
        """
        if self._udp_address is not None:
            kind_of_socket = DualUdpSocket if self._udp_address[0] == BOTH_FAMILIES else UdpSocket
            self._udp = kind_of_socket(self._udp_address, self._datagram, self._batch_ended)
        for kind, address in self._stream_addresses.items():
            context = self._accepting.get(kind)
            if kind in self._accepting and context is None:
                raise NoCertificate(f"{kind} needs a certificate")
            self.streams.listen(kind, address, context)
        if self._sites is not None:
            self.streams.listen_for_sites(*self._sites)

    def attach(self, receiver: Receiver) -> None:
        """From here on everything goes to this core."""
        self._receiver = receiver
        if self._udp is not None:
            self._udp.start()
        self.streams.start()
        self._start_ticking()

    async def close(self) -> None:
        """Close every socket."""
        self._flush()
        self._receiver = None
        for handle in (self._ticker, self._flusher):
            if handle is not None:
                handle.cancel()
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        if self._named is not None:
            await self._named.close()
        await self.streams.close()

    # -- what a core asks

    @property
    def local(self) -> dict[str, tuple[str, int]]:
        """Advertised host and bound port of each transport that is open."""
        found: dict[str, tuple[str, int]] = {}
        if self._udp is not None:
            found["udp"] = (self._advertised, self._udp.port)
        for kind, port in self.streams.ports.items():
            found[kind] = (self._advertised, port)
        return found

    @property
    def local_six(self) -> dict[str, tuple[str, int]]:
        """The same for IPv6 peers; empty: as `local`."""
        six = self._advertised_six
        return {kind: (six, port) for kind, (_, port) in self.local.items()} if six else {}

    def send(self, data: bytes, flow: Flow) -> None:
        """Send at the end of the batch, or as soon as the event loop gets to it; failure comes by `flow_failed`."""
        self._outbox.append((data, flow))
        if not self._in_batch and self._flusher is None:
            self._flusher = asyncio.get_running_loop().call_soon(self._flush_later)

    def find(self, flow: Flow, found: Found, now: float) -> None:
        """See `Finder`."""
        if self._named is not None:
            self._named.find(flow, found, now)
        else:
            asyncio.get_running_loop().call_soon(self._tell, found, ())

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        """See `Finder`."""
        if self._named is not None:
            self._named.failed(flow, hop, now, wished_seconds)

    def answered(self, flow: Flow, hop: Flow) -> None:
        """See `Finder`."""
        if self._named is not None:
            self._named.answered(flow, hop)

    def _tell(self, found: Found, hops: tuple[Flow, ...]) -> None:
        """Hops were found after a while."""
        if self._receiver is not None:
            self._in_batch = True
            self._now = self._clock.monotonic()
            found(hops, self._now)
            self._batch_ended()

    def peer(self, flow: Flow) -> VerifiedPeer | None:
        """See `Streams.peer`."""
        return self.streams.peer(flow)

    def reuse(self, flow: Flow, port: int) -> bool:
        """See `Streams.reuse`."""
        return self.streams.reuse(flow, port)

    def expect(self, flow: Flow, seconds: float) -> None:
        """See `Streams.expect`."""
        self.streams.expect(flow, seconds)

    def is_open(self, flow: Flow) -> bool:
        """Whether a stream still stands; always True for UDP."""
        return flow.transport == "udp" or self.streams.is_open(flow)

    # -- what sockets tell

    def _datagram(self, data: bytes, peer: Peer) -> None:
        receiver = self._receiver
        if receiver is None or (len(data) <= 4 and not data.strip(_KEEPALIVE_BYTES)):
            return
        if data[0] < _FIRST_LETTER and is_stun(data):
            self._answer_stun(data, peer[0], peer[1])
            return
        if not self._in_batch:
            self._in_batch = True
            self._now = self._clock.monotonic()
        flow = self._peers.get(peer) or self._new_peer(peer)
        if self._tape is not None:
            self._tape.fresh.append((self._now, False, flow, data))
        if self._named:
            self._named.heard(flow)
        receiver.received(data, flow, self._now)

    def _new_peer(self, peer: Peer) -> Flow:
        if len(self._peers) >= _PEERS:
            self._peers.clear()
        flow = self._peers[peer] = Flow("udp", peer[0], peer[1])
        return flow

    def _answer_stun(self, data: bytes, host: str, port: int) -> None:
        try:
            answer = stun_answer(data, host, port)
        except NotStun:
            self.stream_dropped(DropReason.BAD_STUN)
            return
        if self._udp is not None:
            self._udp.send(answer, host, port)

    def stream_received(self, data: bytes, flow: Flow) -> None:
        """One message of a stream."""
        if self._receiver is None:
            return
        if not self._in_batch:
            self._in_batch = True
            self._now = self._clock.monotonic()
        if self._tape is not None:
            self._tape.fresh.append((self._now, False, flow, data))
        if self._named:
            self._named.heard(flow)
        self._receiver.received(data, flow, self._now)

    def stream_batch_ended(self) -> None:
        """One read of a stream is handled."""
        self._batch_ended()

    def stream_closed(self, flow: Flow) -> None:
        """A connection ended or could not be opened."""
        if self._named and not flow.connection:
            self._named.hop_failed(flow)
        if self._receiver is not None:
            self._in_batch = True
            self._receiver.flow_failed(flow, self._clock.monotonic())
            self._batch_ended()

    def stream_dropped(self, reason: DropReason) -> None:
        """Count what a stream dropped."""
        if self._receiver is not None:
            self._receiver.dropped(reason)

    # -- batches and time

    def _batch_ended(self) -> None:
        if self._receiver is not None and self._in_batch:
            self._receiver.batch_ended(self._now)
        self._in_batch = False
        self._flush()
        if self._tape is not None:
            self._tape.batch_ended(self._now)
        self._start_ticking()

    def _flush_later(self) -> None:
        self._flusher = None
        self._batch_ended()

    def _flush(self) -> None:
        outbox = self._outbox
        if not outbox:
            return
        self._outbox = []
        failed: list[Flow] = []
        now = self._clock.monotonic()
        for data, flow in outbox:
            if flow.connection < 0:
                sent = self._named is not None and self._named.send(data, flow)
            else:
                sent = self._send_at(data, flow, now)
            if not sent:
                failed.append(flow)
        if failed and self._receiver is not None:
            now = self._clock.monotonic()
            for flow in failed:
                self._receiver.dropped(DropReason.UNREACHABLE)
                self._receiver.flow_failed(flow, now)

    def _send_now(self, data: bytes, flow: Flow) -> bool:
        return self._send_at(data, flow, self._clock.monotonic())

    def _send_at(self, data: bytes, flow: Flow, now: float) -> bool:
        if self._tape is not None:
            self._tape.fresh.append((now, True, flow, data))
        if flow.transport != "udp":
            return self.streams.send(data, flow)
        return self._udp is not None and 0 < flow.port < 65_536 and self._udp.send(data, flow.host, flow.port)

    def _name_failed(self, flow: Flow) -> None:
        """No hop of a name is left."""
        if self._receiver is not None:
            asyncio.get_running_loop().call_soon(self.stream_closed, flow)

    def _start_ticking(self) -> None:
        if self._ticker is None and self._receiver is not None and self._receiver.deadline is not None:
            self._ticker = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._ticker = None
        if self._receiver is None:
            return
        self._in_batch = True
        self._now = self._clock.monotonic()
        self._receiver.advance(self._now)
        self._batch_ended()
