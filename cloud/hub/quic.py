"""The hub on QUIC: one connection per edge, control frames on stream 0, a certificate of the cloud's own CA."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    HandshakeCompleted,
    QuicEvent,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)

from cloud.hub.certificate import ServerCertificate
from cloud.hub.errors import ExporterUnavailable
from cloud.hub.exporter import Exporter
from cloud.hub.hub import MAX_INBOUND_BYTES, Connection, Hub
from cloud.hub.questions import Peer
from cloud.tokens import Tokens
from contract.sync.codec import CodecError, FrameReader, frame
from contract.sync.messages import EXPORTER_LABEL

log = logging.getLogger(__name__)

ALPN: Final = "tandem-edge/1"
CONTROL_STREAM: Final = 0
RETRY_FROM_HANDSHAKES: Final = 200
"""Handshakes under way from which on new senders must prove their address."""
_IDLE_SECONDS: Final = 12.0
_WINDOW_BYTES: Final = 1024 * 1024


async def serve_quic(hub: Hub, host: str, port: int, certificate: ServerCertificate, tokens: Tokens) -> QuicServer:
    """Listen; `close` of what is returned ends every connection.

    Args:
        hub: takes the connections.
        host: address to bind.
        port: UDP port; 0 for a free one.
        certificate: what edges verify against the cloud's CA.
        tokens: names of connections.

    Raises:
        OSError: the port is taken or not allowed.
    """
    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=[ALPN],
        idle_timeout=_IDLE_SECONDS,
        max_data=_WINDOW_BYTES,
        max_stream_data=_WINDOW_BYTES,
    )
    configuration.certificate = certificate.leaf
    configuration.certificate_chain = list(certificate.chain)
    configuration.private_key = certificate.key
    # No session tickets are given out, so there is no resumption and no early data that could be replayed.
    loop = asyncio.get_running_loop()
    handshakes = _Handshakes()
    make = partial(_EdgeLink, hub, tokens, handshakes)
    _, server = await loop.create_datagram_endpoint(
        lambda: _Server(configuration, make, handshakes), local_addr=(host, port)
    )
    return server


def bound_port(server: QuicServer) -> int:
    """The UDP port that `server` listens on."""
    transport: Any = server._transport
    return int(transport.get_extra_info("sockname")[1])


class _Handshakes:
    """How many handshakes are under way."""

    def __init__(self) -> None:
        self.count = 0


class _Server(QuicServer):
    """Under a flood of first packets, asks senders to prove their address before anything is kept for them.

    That costs honest edges one round trip (QUIC Retry, RFC 9000 §8.1.2), so it is off in quiet times.
    """

    def __init__(self, configuration: QuicConfiguration, make: Callable[..., Any], handshakes: _Handshakes) -> None:
        super().__init__(configuration=configuration, create_protocol=make, retry=True)
        self._handshakes = handshakes
        self._prover = self._retry

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        """Choose whether a new sender must prove its address."""
        if self._handshakes.count > RETRY_FROM_HANDSHAKES:
            self._retry = self._prover
        elif self._handshakes.count == 0:
            # Not earlier: a sender that was given a token is expected to come back with it.
            self._retry = cast(Any, None)
        super().datagram_received(data, addr)


class _EdgeLink(QuicConnectionProtocol):
    """One QUIC connection: bytes to frames and back."""

    def __init__(
        self, hub: Hub, tokens: Tokens, handshakes: _Handshakes, quic: QuicConnection, stream_handler: Any = None
    ) -> None:
        super().__init__(quic, stream_handler)
        self._handshakes: _Handshakes | None = handshakes
        handshakes.count += 1
        self._hub = hub
        self._tokens = tokens
        self._exporter: Exporter | None = Exporter(quic)
        self._frames = FrameReader(MAX_INBOUND_BYTES)
        self._connection: Connection | None = None
        self._address = ""
        self._over = False
        self._stream_is_open = False

    def send(self, payload: bytes) -> None:
        """See `cloud.hub.hub.Link`; the edge opens the stream, and until then nothing can be said to it."""
        if self._stream_is_open and not self._over:
            self._quic.send_stream_data(CONTROL_STREAM, frame(payload))
            self._transmit_soon()

    def close(self, error_code: int = 0, reason_phrase: str = "") -> None:
        """See `cloud.hub.hub.Link`; aioquic drops what is not on its way when it closes, so that goes first."""
        if not self._over:
            self._over = True
            self.transmit()
            super().close(error_code, reason_phrase)

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        """Remember where the edge is before aioquic takes the datagram."""
        if not self._address:
            self._address = f"{addr[0]}:{addr[1]}"
        super().datagram_received(data, addr)

    def quic_event_received(self, event: QuicEvent) -> None:
        """What aioquic reports."""
        if isinstance(event, HandshakeCompleted):
            self._handshake_is_over()
            self._handshake_completed()
        elif isinstance(event, StreamDataReceived):
            self._stream_data_received(event)
        elif isinstance(event, StopSendingReceived | StreamReset):
            # Half a control stream is of no use, and aioquic does not take data for a stream that was stopped.
            self.close()
        elif isinstance(event, ConnectionTerminated):
            self._handshake_is_over()
            self._over = True
            if self._connection is not None:
                self._connection.lost()

    def _handshake_is_over(self) -> None:
        if self._handshakes is not None:
            self._handshakes.count -= 1
            self._handshakes = None

    def _handshake_completed(self) -> None:
        exporter, self._exporter = self._exporter, None
        if exporter is None:
            return
        try:
            binding = exporter.take(EXPORTER_LABEL)
        except ExporterUnavailable:
            log.exception("exporter_unavailable")
            self.close()
            return
        peer = Peer(self._tokens.id().hex, "quic", self._address)
        self._connection = self._hub.connect(self, peer, binding, challenge=False)
        if self._connection is None:
            self.close()

    def _stream_data_received(self, event: StreamDataReceived) -> None:
        connection = self._connection
        if connection is None or self._over:
            return
        if event.stream_id != CONTROL_STREAM:
            connection.unreadable(CodecError("only the control stream is open to edges"))
            return
        self._stream_is_open = True
        try:
            payloads = self._frames.feed(event.data)
        except CodecError as error:
            connection.unreadable(error)
            return
        for payload in payloads:
            connection.received(payload)
        if event.end_stream:
            self.close()
