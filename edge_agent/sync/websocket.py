"""Dialling the hub by WebSocket over TLS, where UDP does not get through."""

import asyncio
import ssl
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from contract.sync.codec import MAX_ENCODED_BYTES
from edge_agent.sync.errors import ChannelFailed
from edge_agent.sync.link import Link

SUBPROTOCOL: Final = Subprotocol("tandem-edge.1")


async def dial_websocket(url: str, ca_pem: str) -> Link:
    """A connection whose handshake is complete; cancelling gives it up.

    Args:
        url: `wss://host:port/channel`; the hub's certificate must be for the host.
        ca_pem: the only CA that is trusted.

    Raises:
        ChannelFailed: nobody there, or not our hub.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=ca_pem)
    try:
        socket = await connect(
            url,
            ssl=context,
            subprotocols=[SUBPROTOCOL],
            compression=None,
            max_size=MAX_ENCODED_BYTES,
            max_queue=4,
            open_timeout=None,
            close_timeout=1.0,
            ping_interval=None,
            user_agent_header=None,
            proxy=None,
        )
    except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed) as error:
        raise ChannelFailed(f"no way to {url}: {error}") from error
    if socket.subprotocol != SUBPROTOCOL:
        await socket.close()
        raise ChannelFailed(f"{url} does not speak {SUBPROTOCOL}")
    pump = _Pump(socket)
    pump.start()
    return pump.link


class _Pump:
    """Two tasks that move messages between a socket and its link."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._unsent: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.link = Link("websocket", None, self._unsent.put_nowait, self._finish)

    def start(self) -> None:
        """Begin to move."""
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]

    async def _read(self) -> None:
        try:
            async for payload in self._socket:
                if isinstance(payload, str):
                    self.link.lose("the hub sent a text frame")
                    return
                self.link.deliver(payload)
            self.link.lose("the hub closed the WebSocket")
        except ConnectionClosed as error:
            self.link.lose(f"the WebSocket broke: {error}")

    async def _write(self) -> None:
        try:
            while (payload := await self._unsent.get()) is not None:
                await self._socket.send(payload)
        except ConnectionClosed as error:
            self.link.lose(f"the WebSocket broke: {error}")

    async def _finish(self) -> None:
        self._unsent.put_nowait(None)
        reader, writer = self._tasks
        _, late = await asyncio.wait([writer], timeout=1.0)
        for task in late:
            task.cancel()
        await self._socket.close()
        reader.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)
