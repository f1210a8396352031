"""The hub on WebSocket over TLS, for edges that UDP does not carry: the same messages, one per binary frame."""

import asyncio
import asyncio.sslproto
import http
import logging
from functools import partial
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from cloud.hub.certificate import ServerCertificate
from cloud.hub.hub import MAX_INBOUND_BYTES, Hub
from cloud.hub.questions import Peer
from cloud.tokens import Tokens
from contract.sync.codec import MAX_ENCODED_BYTES, CodecError

log = logging.getLogger(__name__)

PATH: Final = "/channel"
SUBPROTOCOL: Final = Subprotocol("tandem-edge.1")
_NONCE_BYTES: Final = 32
_OPEN_SECONDS: Final = 8.0
_MAX_UNSENT_BYTES: Final = 4 * MAX_ENCODED_BYTES
"""Messages waiting for an edge that does not read."""
_TLS_READ_BYTES: Final = 16 * 1024
"""asyncio keeps 256 KiB per TLS connection by default; a message rarely needs more than one record."""


async def serve_websocket(hub: Hub, host: str, port: int, certificate: ServerCertificate, tokens: Tokens) -> Server:
    """Listen on `/channel`.

    Args:
        hub: takes the connections.
        host: address to bind.
        port: TCP port; 0 for a free one.
        certificate: what edges verify against the cloud's CA.
        tokens: nonces and names of connections.

    Raises:
        OSError: the port is taken or not allowed.
    """
    if hasattr(asyncio.sslproto.SSLProtocol, "max_size"):
        asyncio.sslproto.SSLProtocol.max_size = _TLS_READ_BYTES
    return await serve(
        partial(_converse, hub, tokens),
        host,
        port,
        ssl=certificate.context,
        subprotocols=[SUBPROTOCOL],
        process_request=_check_path,
        compression=None,
        max_size=MAX_INBOUND_BYTES,
        max_queue=4,
        open_timeout=_OPEN_SECONDS,
        close_timeout=1.0,
        ping_interval=None,
        server_header=None,
        logger=log.getChild("websockets"),
    )


def bound_port(server: Server) -> int:
    """The TCP port that `server` listens on."""
    return int(next(iter(server.sockets)).getsockname()[1])


def _check_path(connection: ServerConnection, request: Request) -> Response | None:
    if request.path != PATH:
        return connection.respond(http.HTTPStatus.NOT_FOUND, "There is nothing here.\n")
    return None


class _EdgeLink:
    """Sends in order from a queue, so that the hub never waits for a socket."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._unsent = 0
        self._closed = False

    def send(self, payload: bytes) -> None:
        """See `cloud.hub.hub.Link`."""
        if self._closed:
            return
        self._unsent += len(payload)
        if self._unsent > _MAX_UNSENT_BYTES:
            self.close()
            return
        self.queue.put_nowait(payload)

    def close(self) -> None:
        """See `cloud.hub.hub.Link`."""
        if not self._closed:
            self._closed = True
            self.queue.put_nowait(None)

    async def write_all(self, socket: ServerConnection) -> None:
        """Send until `close`, then close the socket."""
        try:
            while (payload := await self.queue.get()) is not None:
                await socket.send(payload)
                self._unsent -= len(payload)
            await socket.close()
        except ConnectionClosed:
            return


async def _converse(hub: Hub, tokens: Tokens, socket: ServerConnection) -> None:
    host, port = (*(socket.remote_address or ("", 0)), "", 0)[:2]
    link = _EdgeLink()
    if socket.subprotocol != SUBPROTOCOL:
        await socket.close(1002, "subprotocol tandem-edge.1 is spoken here")
        return
    peer = Peer(tokens.id().hex, "websocket", f"{host}:{port}")
    connection = hub.connect(link, peer, tokens.secret(_NONCE_BYTES), challenge=True)
    if connection is None:
        await socket.close(1013, "too many connections")
        return
    writer = asyncio.get_running_loop().create_task(link.write_all(socket))
    try:
        async for payload in socket:
            if isinstance(payload, str):
                connection.unreadable(CodecError("text frames are not spoken here"))
            else:
                connection.received(payload)
    except ConnectionClosed as error:
        log.debug("websocket_lost", extra={"connection": peer.connection, "why": str(error)})
    finally:
        connection.lost()
        link.close()
        await writer
