"""One stream: what it brings is cut into messages, what goes out is bounded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from edge_agent.network.marks import Dscp, mark
from edge_agent.sip.message import BadMessage, Flow
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.transport.framer import PING
from edge_agent.sip.transport.framing import Framing, PlainFraming
from edge_agent.sip.transport.peer import Anchors, VerifiedPeer, verified_peer
from edge_agent.sip.transport.site_tls import SiteContext, site_name_of

if TYPE_CHECKING:
    from edge_agent.sip.transport.streams import Streams

PONG: Final = b"\r\n"


class Stream(asyncio.BufferedProtocol):
    """One stream. All of them read into one buffer, because each read is handled before the next begins.

    Args:
        streams: where it belongs.
        flow: with its number; `host` and `port` are the peer's.
        opened: whether we opened it. An encrypted one then has to lead to `flow.name`, or to `flow.host` (`Proofs`).
    """

    def __init__(self, streams: Streams, flow: Flow, *, opened: bool = False) -> None:
        self._streams = streams
        self._framing: Framing = PlainFraming(streams.limits)
        if flow.transport in ("ws", "wss"):
            # A site without browsers never pays for the library.
            from edge_agent.sip.transport.websocket import WebSocketFraming

            self._framing = WebSocketFraming(streams.limits)
        self._transport: asyncio.Transport | None = None
        self.flow = flow
        self.opened = opened
        self.peer: VerifiedPeer | None = None
        """Who the peer proved to be; None: nobody in particular."""
        self.is_another = False
        """Whether the peer of a connection that we opened proved to be somebody else."""
        self.heard = streams.clock.monotonic()
        """When something came last."""
        self.silent_seconds: float | None = None
        """How long its peer, which promised to be heard more often, may stay silent; None: as long as any."""
        self.stalled_since: float | None = None
        """Since when a message is not whole."""
        self.aliases: list[Flow] = []
        """Addresses that it stands for besides the peer's own (RFC 5923)."""
        self.spoke = False
        """Whether a message has come."""
        self.used = False
        """Whether a message went out since `used_at`; the sweep keeps the time, so that a message costs no clock."""
        self.used_at = self.heard
        self.was_used = False
        """Whether a message went either way: somebody may rely on it."""

    @property
    def kind(self) -> Transport:
        """Which transport it is."""
        return self.flow.transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.opened:
            mark(transport.get_extra_info("socket"), Dscp.SIGNALLING)
        if self.kind in ("tls", "wss"):
            anchors: Anchors = "any_authorities" if self.opened else "client_authorities"
            tls = transport.get_extra_info("ssl_object")
            self.peer = verified_peer(tls, anchors)
            if not self.opened and isinstance(getattr(tls, "context", None), SiteContext):
                # What comes from there is from that site, and from nobody else who has the address.
                self.flow = self.flow._replace(name=site_name_of(self.peer))
                if not self.flow.name:
                    self.close()
                    return
            if self.opened and not self._streams.proofs.fits(self.flow, self.peer):
                # Before a byte of SIP went either way.
                self.is_another = True
                self.close()
                return
        self._streams.stands(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._streams.buffer

    def buffer_updated(self, nbytes: int) -> None:
        streams, framing = self._streams, self._framing
        self.heard = streams.clock.monotonic()
        try:
            messages = framing.feed(bytes(streams.buffer[:nbytes]))
        except BadMessage as error:
            streams.user.stream_dropped(error.drop)
            self._end()
            return
        said = framing.outgoing()
        if said:
            self._write(said)
        for message in messages:
            if message is PING:
                self._write(self._framing.wrap(PONG))
                continue
            if not self.spoke:
                self.spoke = self.was_used = True
                streams.spoke(self)
            streams.user.stream_received(message, self.flow)
        if not framing.waiting:
            self.stalled_since = None
        elif self.stalled_since is None or messages:
            self.stalled_since = self.heard
        streams.user.stream_batch_ended()
        if framing.ended:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._streams.closed(self, exc)

    def write(self, data: bytes) -> None:
        """Send a message; a peer that does not read is cut off."""
        self.used = self.was_used = True
        self._write(self._framing.wrap(data))

    def ping(self) -> None:
        """Ask for a sign of life, where the transport has one."""
        self._write(self._framing.ping())

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if not data or transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._streams.limits.tcp_buffer_bytes:
            transport.abort()

    def _end(self) -> None:
        """Send what the framing has to say and close; the sweep ends what does not read even that."""
        self._write(self._framing.outgoing())
        if self.kind in ("ws", "wss") and self._transport is not None:
            self.stalled_since = self.heard
            self._transport.close()
        else:
            self.close()

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def is_for(self, name: str) -> bool:
        """Whether the peer proved to be this name or address."""
        return self.peer is not None and self.peer.is_for(name)
