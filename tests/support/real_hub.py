"""A hub in the test's own event loop, on loopback, over any `SiteStore`; stopped and started at will."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, cast

from aioquic.asyncio.server import QuicServer
from websockets.asyncio.server import Server

from cloud.clock import SystemClock
from cloud.hub import quic, websocket
from cloud.hub.certificate import ServerCertificate
from cloud.hub.feed import Feed
from cloud.hub.hub import Hub, HubSettings
from cloud.hub.questions import SiteStore
from cloud.pbx.authority import Authority, FileAuthorityStore
from cloud.pbx.database import Database
from cloud.tokens import SystemTokens
from edge_agent.sync.identity import EdgeKeys, HubAddress, Identity

CLOCK = SystemClock()
TOKENS = SystemTokens(CLOCK)


def new_authority(folder: Path) -> Authority:
    """A certificate authority that nobody else has."""
    return Authority.open(FileAuthorityStore(folder / "authority.pem"), CLOCK.now())


def server_certificate(authority: Authority, folder: Path, *names: str) -> ServerCertificate:
    """A certificate for `names` (127.0.0.1 unless given)."""
    leaf = authority.issue(names or ("127.0.0.1",), CLOCK.now())
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "hub.pem").write_bytes(leaf.certificate_pem)
    (folder / "hub.key").write_bytes(leaf.key_pem)
    return ServerCertificate.load(folder / "hub.pem", folder / "hub.key")


class RealHub:
    """`cloud.hub` on 127.0.0.1.

    Args:
        store: what its sessions ask.
        authority: issues its certificate.
        folder: for the certificate's files.
        settings: limits and times.
        database: listened to for notifications; None: nobody wakes the hub, it polls.
    """

    def __init__(
        self,
        store: SiteStore,
        authority: Authority,
        folder: Path,
        settings: HubSettings | None = None,
        database: Database | None = None,
    ) -> None:
        self._store = store
        self._certificate = server_certificate(authority, folder)
        self._settings = settings or HubSettings(lease_renewal=0.2, poll=0.2)
        self._database = database
        self.authority = authority
        self.quic_port = 0
        self.websocket_port = 0
        self._parts: list[Any] = []
        self.hub: Hub | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same ports as before."""
        executor = ThreadPoolExecutor(3)
        hub = Hub(self._store, executor, CLOCK, self._settings)
        on_quic = await quic.serve_quic(hub, "127.0.0.1", self.quic_port, self._certificate, TOKENS)
        self.quic_port = quic.bound_port(on_quic)
        on_websocket = await websocket.serve_websocket(hub, "127.0.0.1", self.websocket_port, self._certificate, TOKENS)
        self.websocket_port = websocket.bound_port(on_websocket)
        loop = asyncio.get_running_loop()
        feed = None
        if self._database is not None:
            feed = Feed(
                self._database,
                lambda site_id: loop.call_soon_threadsafe(hub.wake, site_id),
                lambda: loop.call_soon_threadsafe(hub.wake_all),
            )
            feed.start()
        self.hub = hub
        self._parts = [hub, on_quic, on_websocket, loop.create_task(hub.run()), feed, executor]

    async def stop(self, *, politely: bool = True) -> None:
        """Stop; impolitely nobody is told, as when the process is killed."""
        if not self._parts:
            return
        hub, on_quic, on_websocket, work, feed, executor = self._parts
        self._parts = []
        if politely:
            hub.shut_down()
            await _turns(20)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await _close(on_quic, on_websocket, politely=politely)
        if feed is not None:
            await asyncio.to_thread(feed.stop)
        await asyncio.to_thread(executor.shutdown)

    def links(self) -> int:
        """QUIC connections that the server keeps something for."""
        return len(set(self._parts[1]._protocols.values()))

    def identity(self, edge_id: str, site_id: str, keys: EdgeKeys, *, quic_port: int | None = None) -> Identity:
        """An edge's identity that leads here.

        Args:
            quic_port: another port than the hub's, to block UDP.
        """
        address = HubAddress(
            host="127.0.0.1",
            quic_port=quic_port or self.quic_port,
            websocket_url=f"wss://127.0.0.1:{self.websocket_port}/channel",
        )
        return Identity(edge_id, site_id, address, self.authority.certificate_pem, keys)


async def _turns(count: int) -> None:
    """Let the event loop go round."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        turn = loop.create_future()
        loop.call_later(0.001, turn.set_result, None)
        await turn


async def _close(on_quic: QuicServer, on_websocket: Server, *, politely: bool) -> None:
    if politely:
        on_quic.close()
        on_websocket.close()
    else:
        transport: Any = on_quic._transport
        for protocol in set(on_quic._protocols.values()):
            if protocol._timer is not None:
                protocol._timer.cancel()
            protocol._transport = cast(Any, _Nowhere())
        transport.abort()
        for connection in tuple(on_websocket.connections):
            connection.transport.abort()
        on_websocket.close()
    await on_websocket.wait_closed()


class _Nowhere:
    """A transport of a process that is gone."""

    def sendto(self, data: bytes, addr: object = None) -> None:
        """Nothing leaves."""

    def close(self) -> None:
        """Nothing to close."""
