"""Recordings over a real channel: whole, on from where they were after kills, and not from where they stay."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.hub.hub import HubSettings
from cloud.hub.questions import KnownEdge
from contract.sync.events import EventBody
from contract.sync.mailbox_events import FaxSheets, MessageChanged, Recording
from contract.sync.messages import RecordingKept, RecordingPiece, Welcome
from contract.sync.state import Stamp
from edge_agent.clock import SystemClock
from edge_agent.mailbox_ledger import FILE
from edge_agent.site_recordings import SiteRecordings
from edge_agent.sync.identity import EdgeKeys
from edge_agent.sync.outbox import StoredEvent
from edge_agent.sync.recording_sender import PIECE_BYTES
from edge_agent.sync.session import EdgeSession, Facts, ReadOutbox, Send
from edge_agent.tokens import SystemTokens
from tests.support.edge_site import QUICK, RecordingSite, running_edge
from tests.support.memory_store import MemoryStore
from tests.support.real_hub import RealHub, new_authority
from tests.support.snapshots import small_snapshot
from tests.support.waiting import eventually_async

CONTENT = hashlib.sha256(b"seed").digest() * 20_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
CLOCK = SystemClock()


def told(message_id: str = "0123456789abcdef") -> MessageChanged:
    return MessageChanged(
        user_id="user-201",
        message_id=message_id,
        stamp=Stamp(wall_ms=1, node="edge"),
        folder="inbox",
        heard=False,
        received_at=CLOCK.now(),
        duration_seconds=1.0,
        recording=Recording(digest=DIGEST, size_bytes=len(CONTENT)),
    )


class SlowStore(MemoryStore):
    """Remembers the pieces, and stops taking them when told to."""

    def __init__(self, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.offsets: list[int] = []
        self.stops_at = len(CONTENT) + 1

    def _keep_piece(self, piece: RecordingPiece) -> RecordingKept:
        if piece.offset >= self.stops_at:
            return RecordingKept(digest=piece.digest, refused="unavailable")
        if piece.data:
            self.offsets.append(piece.offset)
        return super()._keep_piece(piece)


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = EdgeKeys.generate()
        known = KnownEdge("edge-1", "site-1", "tenant-1", self.keys.identity_public, self.keys.sealing_public)
        self.store = SlowStore(edges={"edge-1": known}, sizes={DIGEST: len(CONTENT)})
        self.store.publish(small_snapshot(1))
        self.hub = RealHub(self.store, new_authority(folder), folder / "hub", HubSettings(lease_renewal=0.2, poll=0.2))
        self.path = folder / "edge" / "mailboxes" / "user-201" / "message.wav"
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(CONTENT)
        self.recordings = self.new_recordings()

    def new_recordings(self) -> SiteRecordings:
        """What a new process of the agent begins with."""
        made = SiteRecordings(self.folder / "edge", lambda: None, CLOCK, SystemTokens())
        made._ledger.keep(told(), {DIGEST: (len(CONTENT), self.path)})
        return made

    @property
    def came(self) -> bytes:
        return bytes(self.store.recordings.get(DIGEST, b""))


@pytest.mark.parametrize("transport", ["quic", "websocket"])
async def test_a_recording_reaches_the_cloud_whole_and_is_not_sent_again(tmp_path: Path, transport: str) -> None:
    world = World(tmp_path)
    world.recordings.sender.allow(allowed=True)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        site = RecordingSite(recordings=world.recordings)
        async with running_edge(tmp_path / "edge", identity, site, replace(QUICK, quic=transport == "quic")):
            await eventually_async(lambda: world.came == CONTENT, 30)
            await eventually_async(lambda: world.recordings._ledger.waiting(()) is None, 30)
            assert site.transports == [transport]
    assert len(world.store.offsets) == -(-len(CONTENT) // PIECE_BYTES)


async def test_it_goes_on_where_it_was_when_hub_and_edge_were_killed_on_the_way(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.store.stops_at = 3 * PIECE_BYTES
    world.recordings.sender.allow(allowed=True)
    await world.hub.start()
    identity = world.hub.identity("edge-1", "site-1", world.keys)
    async with running_edge(tmp_path / "edge", identity, RecordingSite(recordings=world.recordings)):
        await eventually_async(lambda: len(world.came) == 3 * PIECE_BYTES, 30)
        await world.hub.stop(politely=False)
    world.store.stops_at = len(CONTENT) + 1
    await world.hub.start()
    again = world.new_recordings()
    again.sender.allow(allowed=True)
    async with running_edge(tmp_path / "edge", identity, RecordingSite(recordings=again)):
        await eventually_async(lambda: world.came == CONTENT, 30)
    await world.hub.stop()
    assert world.store.offsets == list(range(0, len(CONTENT), PIECE_BYTES))


async def test_nothing_leaves_a_site_that_does_not_allow_it_and_all_does_once_it_does(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        site = RecordingSite(recordings=world.recordings)
        async with running_edge(tmp_path / "edge", identity, site):
            await eventually_async(lambda: site.snapshot is not None, 30)
            assert world.store.offsets == []
            world.recordings.sender.allow(allowed=True)
            await eventually_async(lambda: world.came == CONTENT, 30)


def test_a_hub_that_knows_no_faxes_is_told_of_none_and_the_next_one_of_all_messages_again(tmp_path: Path) -> None:
    calls: list[str] = []
    (tmp_path / "edge").mkdir()
    recordings = SiteRecordings(tmp_path / "edge", lambda: calls.append("look"), CLOCK, SystemTokens())
    recordings._ledger.keep(told().model_copy(update={"fax": FaxSheets(pages=1)}), {})
    for knows in (False, False, True, True):
        recordings.sender.go_online(takes=True, takes_faxes=knows)
        assert calls == ["look"] * knows
    assert [one.again for one in recordings._ledger.messages("user-201").values()] == [True]
    recordings.close()


def test_a_hub_from_before_is_told_no_message_and_the_next_one_all_of_them(tmp_path: Path) -> None:
    calls: list[str] = []
    (tmp_path / "edge").mkdir()
    recordings = SiteRecordings(tmp_path / "edge", lambda: calls.append("look"), CLOCK, SystemTokens())
    facts = Facts("edge-1", "1", None, None, frozenset(), "e1", 9)
    for features, sends in (((), 0), (("messages",), 1)):
        session = EdgeSession(facts, lambda _: bytes(64), QUICK, 0.0)
        session.open(b"b" * 32)
        welcome = Welcome(protocol=1, acknowledged=0, now=CLOCK.now(), features=features)
        actions = session.receive(welcome, 0.0)
        assert any(isinstance(one, ReadOutbox) for one in actions)
        event = StoredEvent(1, EventBody(at=CLOCK.now(), what=told()))
        sent = [one for one in session.outbox_read([event]) if isinstance(one, Send)]
        assert len(sent) == sends
        recordings.sender.go_online(takes="messages" in features, takes_faxes=True)
    assert calls == ["look"]
    assert (tmp_path / "edge" / FILE).exists()
    recordings.close()
