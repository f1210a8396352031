"""The hub's sockets against peers that do not behave, and its limits; no database needed."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError
from websockets.typing import Subprotocol

from cloud.hub.actions import SessionSettings
from cloud.hub.hub import MAX_INBOUND_BYTES, HubSettings
from cloud.hub.questions import KnownEdge
from contract.sync.codec import decode, encode, frame
from contract.sync.events import AlarmChanged
from contract.sync.messages import Challenge, Goodbye, Hello, Message, Ping, Pong
from edge_agent.sync import exporter as edge_exporter
from edge_agent.sync.errors import ChannelFailed
from edge_agent.sync.identity import EdgeKeys, Identity
from edge_agent.sync.link import Link
from edge_agent.sync.quic import dial_quic
from tests.support.edge_site import running_edge
from tests.support.memory_store import MemoryStore
from tests.support.real_hub import RealHub, new_authority
from tests.support.snapshots import small_snapshot
from tests.support.waiting import eventually_async

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = HubSettings(
    session=SessionSettings(hello_deadline=1.0, ping_after=0.5, ping_deadline=0.5),
    lease_renewal=0.2,
    poll=0.2,
    sweep=0.2,
    max_strangers=3,
)


class World:
    """A hub over a store in memory, and one edge that it knows."""

    def __init__(self, folder: Path) -> None:
        self.keys = EdgeKeys.generate()
        edge = KnownEdge("edge-1", "site-1", "tenant-1", self.keys.identity_public, self.keys.sealing_public)
        self.store = MemoryStore(edges={"edge-1": edge})
        self.hub = RealHub(self.store, new_authority(folder), folder / "tls", LIMITS)

    def identity(self) -> Identity:
        return self.hub.identity("edge-1", "site-1", self.keys)

    async def dial_quic(self) -> Link:
        return await dial_quic("127.0.0.1", self.hub.quic_port, self.hub.authority.certificate_pem)

    async def dial_websocket(self, path: str = "/channel", subprotocol: str = "tandem-edge.1") -> ClientConnection:
        context = ssl.create_default_context(cadata=self.hub.authority.certificate_pem)
        return await connect(
            f"wss://127.0.0.1:{self.hub.websocket_port}{path}",
            ssl=context,
            subprotocols=[Subprotocol(subprotocol)],
            proxy=None,
        )

    def hello(self, binding: bytes, protocols: tuple[int, ...] = (1,)) -> Hello:
        return Hello(
            edge_id="edge-1",
            proof=self.keys.prove("edge-1", binding),
            protocols=protocols,
            schemas=(1,),
            agent_version="1",
            outbox_epoch="epoch-1",
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    async with world.hub:
        yield world


async def last_words(link: Link) -> list[Message]:
    """Everything until the hub hangs up."""
    messages: list[Message] = []
    try:
        async with asyncio.timeout(10):
            while True:
                messages.append(decode(await link.receive()))
    except ChannelFailed:
        return messages


async def test_bytes_that_are_no_message_are_answered_on_quic(world: World) -> None:
    link = await world.dial_quic()
    link.send(b"no message of this protocol")
    (bye,) = await last_words(link)
    assert isinstance(bye, Goodbye)
    assert bye.reason == "protocol_error"
    await link.close()


async def test_a_message_announced_over_the_limit_is_answered_before_it_is_sent(world: World) -> None:
    link = await world.dial_quic()
    protocol = link.send.__self__  # type: ignore[attr-defined]
    protocol._quic.send_stream_data(0, (MAX_INBOUND_BYTES + 1).to_bytes(4, "big"))
    protocol.transmit()
    (bye,) = await last_words(link)
    assert isinstance(bye, Goodbye)
    assert "announced" in bye.text
    await link.close()


async def test_a_second_stream_is_answered_with_goodbye(world: World) -> None:
    link = await world.dial_quic()
    link.send(encode(Ping(number=1)))
    await link.receive()
    protocol = link.send.__self__  # type: ignore[attr-defined]
    protocol._quic.send_stream_data(4, frame(encode(Ping(number=1))))
    protocol.transmit()
    (bye,) = await last_words(link)
    assert isinstance(bye, Goodbye)
    assert bye.reason == "protocol_error"
    await link.close()


async def test_a_message_that_comes_byte_by_byte_is_understood(world: World) -> None:
    link = await world.dial_quic()
    protocol = link.send.__self__  # type: ignore[attr-defined]
    for byte in frame(encode(Ping(number=7))):
        protocol._quic.send_stream_data(0, bytes((byte,)))
        protocol.transmit()
    assert decode(await link.receive()) == Pong(number=7)
    await link.close()


async def test_an_old_peer_is_answered_with_unsupported_version(world: World) -> None:
    link = await world.dial_quic()
    assert link.binding is not None
    link.send(encode(world.hello(link.binding, protocols=(99,))))
    (bye,) = await last_words(link)
    assert isinstance(bye, Goodbye)
    assert bye.reason == "unsupported_version"
    await link.close()


async def test_a_proof_taken_from_one_connection_is_worth_nothing_on_another(world: World) -> None:
    first, second = await world.dial_quic(), await world.dial_quic()
    assert first.binding is not None
    assert first.binding != second.binding
    second.send(encode(world.hello(first.binding)))
    (bye,) = await last_words(second)
    assert isinstance(bye, Goodbye)
    assert bye.reason == "unauthorized"
    await first.close()
    await second.close()


async def test_a_connection_that_says_nothing_is_closed_and_the_hub_goes_on(world: World, tmp_path: Path) -> None:
    link = await world.dial_quic()
    # The edge opens the control stream; before it did, there is nothing that a goodbye could go by.
    assert await last_words(link) == []
    await link.close()
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)


@pytest.mark.parametrize("how", ["stop", "reset", "finish"])
async def test_a_control_stream_that_a_peer_breaks_ends_its_connection_and_nothing_else(
    world: World, tmp_path: Path, how: str
) -> None:
    link = await world.dial_quic()
    link.send(encode(Ping(number=1)))
    await link.receive()
    protocol = link.send.__self__  # type: ignore[attr-defined]
    match how:
        case "stop":
            protocol._quic.stop_stream(0, 1)
        case "reset":
            protocol._quic.reset_stream(0, 1)
        case _:
            protocol._quic.send_stream_data(0, b"", end_stream=True)
    protocol.transmit()
    await last_words(link)
    await link.close()
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)


async def test_datagrams_that_are_no_quic_change_nothing(world: World, tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as stranger:
        for size in (1, 20, 200, 1200, 1400):
            for first in (0x00, 0x40, 0x80, 0xC0, 0xFF):
                stranger.sendto(bytes((first,)) + os.urandom(size), ("127.0.0.1", world.hub.quic_port))
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)


async def test_under_a_flood_of_first_packets_senders_prove_their_address_and_edges_still_get_in(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.hub.quic.RETRY_FROM_HANDSHAKES", 0)
    half_open = [QuicConnection(configuration=QuicConfiguration(alpn_protocols=["tandem-edge/1"])) for _ in range(20)]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as flood:
        for connection in half_open:
            connection.connect(("127.0.0.1", world.hub.quic_port), now=0.0)
            for data, _ in connection.datagrams_to_send(now=0.0):
                flood.sendto(data, ("127.0.0.1", world.hub.quic_port))
        async with running_edge(tmp_path / "edge", world.identity()) as edge:
            await eventually_async(lambda: edge.online)
            assert edge.site.transports == ["quic"]
            assert world.hub.links() <= 2


async def test_strangers_beyond_the_limit_are_turned_away(world: World) -> None:
    links = [await world.dial_quic() for _ in range(5)]
    assert world.hub.hub is not None
    hub = world.hub.hub
    await eventually_async(lambda: hub.refused == 2)
    for link in links:
        await link.close()


async def test_on_websocket_the_hub_challenges_and_wants_binary_frames(world: World) -> None:
    websocket = await world.dial_websocket()
    challenge = await websocket.recv()
    assert isinstance(challenge, bytes)
    assert isinstance(decode(challenge), Challenge)
    await websocket.send("text")
    bye = await websocket.recv()
    assert isinstance(bye, bytes)
    assert isinstance(decode(bye), Goodbye)
    with pytest.raises(ConnectionClosed):
        await websocket.recv()


async def test_a_websocket_message_over_the_limit_ends_the_connection(world: World) -> None:
    websocket = await world.dial_websocket()
    await websocket.recv()
    await websocket.send(b"x" * (MAX_INBOUND_BYTES + 1))
    with pytest.raises(ConnectionClosed, match="1009"):
        await websocket.recv()


async def test_another_path_or_subprotocol_is_refused(world: World) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        await world.dial_websocket(path="/other")
    with pytest.raises((InvalidStatus, NegotiationError)):
        await world.dial_websocket(subprotocol="other")


async def test_an_edge_goes_by_websocket_when_its_aioquic_gives_no_exporter(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_exporter.Exporter, "_watch", lambda _: None)
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)
        assert edge.site.transports == ["websocket"]


async def test_an_edge_goes_by_websocket_when_the_hubs_aioquic_gives_no_exporter(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.hub.exporter.Exporter._watch", lambda _: None)
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)
        assert edge.site.transports == ["websocket"]


async def test_while_the_database_is_down_edges_keep_their_events_and_come_back(world: World, tmp_path: Path) -> None:
    world.store.publish(small_snapshot(1))
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.site.snapshot)
        world.store.down = True
        edge.outbox.report(AlarmChanged(alarm="test", severity="warning", active=True, text=""))
        edge.channel.notify_outbox()
        await eventually_async(lambda: not edge.online)
        assert len(edge.outbox) == 1
        world.store.down = False
        await eventually_async(lambda: edge.online and len(edge.outbox) == 0)
        assert len(world.store.events) == 1


async def test_an_outbox_restored_from_an_old_copy_loses_no_event(world: World, tmp_path: Path) -> None:
    def report(text: str) -> AlarmChanged:
        return AlarmChanged(alarm="test", severity="warning", active=True, text=text)

    folder = tmp_path / "edge"
    async with running_edge(folder, world.identity()) as edge:
        edge.outbox.report(report("copied"))
    copy = (folder / "outbox.db").read_bytes()
    async with running_edge(folder, world.identity()) as edge:
        edge.outbox.report(report("lost with the disk, but sent"))
        edge.channel.notify_outbox()
        await eventually_async(lambda: edge.online and len(edge.outbox) == 0)
    (folder / "outbox.db").write_bytes(copy)
    async with running_edge(folder, world.identity()) as edge:
        edge.outbox.report(report("new"))
        edge.channel.notify_outbox()
        await eventually_async(lambda: edge.online and len(edge.outbox) == 0)
    texts = [body.what.text for body in world.store.events.values() if isinstance(body.what, AlarmChanged)]
    assert {"copied", "lost with the disk, but sent", "new"} <= set(texts)


async def test_what_nothing_needs_is_let_go_of_again_and_again_without_any_edge_and_after_an_outage(
    world: World,
) -> None:
    await eventually_async(lambda: world.store.sweeps >= 2)
    world.store.down = True
    await eventually_async(lambda: world.store.refused_sweeps >= 1)
    before, world.store.down = world.store.sweeps, False
    await eventually_async(lambda: world.store.sweeps > before)
