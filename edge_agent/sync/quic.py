"""Dialling the hub by QUIC; control frames on stream 0, the server verified against the cloud's own CA."""

import asyncio
import contextlib
import socket
import ssl
from typing import Any, Final

from aioquic.asyncio.protocol import QuicConnectionProtocol
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

from contract.sync.codec import CodecError, FrameReader, frame
from contract.sync.messages import EXPORTER_LABEL
from edge_agent.sync.errors import ChannelFailed
from edge_agent.sync.exporter import Exporter
from edge_agent.sync.link import Link

ALPN: Final = "tandem-edge/1"
_CONTROL_STREAM: Final = 0
_IDLE_SECONDS: Final = 12.0
_WINDOW_BYTES: Final = 1024 * 1024


async def dial_quic(host: str, port: int, ca_pem: str) -> Link:
    """A connection whose handshake is complete; cancelling gives it up.

    Args:
        host: DNS name or IP address; the hub's certificate must be for it.
        port: UDP port.
        ca_pem: the only CA that is trusted.

    Raises:
        ChannelFailed: no address, nobody there, or not our hub.
    """
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=[ALPN],
        idle_timeout=_IDLE_SECONDS,
        max_data=_WINDOW_BYTES,
        max_stream_data=_WINDOW_BYTES,
        server_name=host,
        verify_mode=ssl.CERT_REQUIRED,
        cadata=ca_pem.encode(),
    )
    protocol, address = await _open_socket(host, port, configuration)
    try:
        protocol.connect(address)
        return await protocol.ready
    except BaseException:
        protocol.abandon()
        raise


async def _open_socket(host: str, port: int, configuration: QuicConfiguration) -> "tuple[_HubLink, Any]":
    """A connected socket to the first address that the machine has a route to.

    aioquic's own `connect` always opens an IPv6 socket, which fails where IPv6 is disabled.
    """
    loop = asyncio.get_running_loop()
    problem = "it has no address"
    try:
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise ChannelFailed(f"{host} has no address: {error.strerror or error}") from error
    for family, _, _, _, address in infos:
        try:
            _, protocol = await loop.create_datagram_endpoint(
                lambda: _HubLink(QuicConnection(configuration=configuration)),
                family=family,
                remote_addr=(str(address[0]), int(address[1])),
            )
        except OSError as error:
            problem = error.strerror or str(error)
            continue
        return protocol, address
    raise ChannelFailed(f"no way to {host} port {port}: {problem}")


class _HubLink(QuicConnectionProtocol):
    """One QUIC connection to the hub: frames to messages and back."""

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self._exporter = Exporter(quic)
        self._frames = FrameReader()
        self._link: Link | None = None
        self._over = False
        self.ready: asyncio.Future[Link] = asyncio.get_running_loop().create_future()

    def abandon(self) -> None:
        """Nobody wants this connection any more."""
        self.ready.cancel()
        self.close()
        self._close_socket()

    def send_payload(self, payload: bytes) -> None:
        """Send one encoded message."""
        if not self._over:
            self._quic.send_stream_data(_CONTROL_STREAM, frame(payload))
            self._transmit_soon()

    async def finish(self) -> None:
        """Send what was given, close, and release the socket."""
        if not self._over:
            self._over = True
            self.transmit()
            self.close()
        self._close_socket()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there. It is connected, so aioquic's destination is left out when sending."""
        super().connection_made(_Connected(transport))  # type: ignore[arg-type]

    def error_received(self, exc: Exception) -> None:
        """The host answered that nobody listens there: the fastest sign there is of a hub that has gone."""
        self._lost(f"the hub's host refuses: {exc}")

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._lost("the socket was closed")

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        """A datagram of the one peer that the socket is connected to."""
        super().datagram_received(data, self._quic._network_paths[0].addr)

    def quic_event_received(self, event: QuicEvent) -> None:
        """What aioquic reports."""
        if isinstance(event, HandshakeCompleted):
            self._handshake_completed()
        elif isinstance(event, StreamDataReceived) and self._link is not None:
            self._stream_data_received(self._link, event)
        elif isinstance(event, StopSendingReceived | StreamReset):
            self._lost("the hub stopped the control stream")
        elif isinstance(event, ConnectionTerminated):
            self._lost(event.reason_phrase or f"the connection ended (QUIC error {event.error_code:#x})")

    def _handshake_completed(self) -> None:
        if self._link is not None or self.ready.done():
            return
        try:
            binding = self._exporter.take(EXPORTER_LABEL)
        except ChannelFailed as error:
            self.ready.set_exception(error)
            return
        self._link = Link("quic", binding, self.send_payload, self.finish)
        self.ready.set_result(self._link)

    def _stream_data_received(self, link: Link, event: StreamDataReceived) -> None:
        if event.stream_id != _CONTROL_STREAM:
            return
        try:
            for payload in self._frames.feed(event.data):
                link.deliver(payload)
        except CodecError as error:
            link.lose(str(error))
        if event.end_stream:
            link.lose("the hub ended the conversation")

    def _lost(self, why: str) -> None:
        self._over = True
        if self._link is not None:
            self._link.lose(why)
        elif not self.ready.done():
            self.ready.set_exception(ChannelFailed(why))
        self._close_socket()

    def _close_socket(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()


class _Connected:
    """A connected datagram socket, for aioquic, which names the destination of every datagram."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def sendto(self, data: bytes, addr: object = None) -> None:
        """Send to the peer, whatever `addr` says; after closing, nothing."""
        if not self._transport.is_closing():
            with contextlib.suppress(OSError):
                self._transport.sendto(data)

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()
