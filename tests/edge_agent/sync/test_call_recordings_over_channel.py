"""Recordings of calls over a real channel: whole, after messages, and not where they stay or are not taken."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.hub.hub import HubSettings
from cloud.hub.questions import KnownEdge
from contract.snapshot import RecordingPolicy, VoicemailPolicy
from contract.sync.call_recordings import CALL_PIECE_BYTES, CallRecorded, RecordedConference
from contract.sync.events import EventBody
from contract.sync.mailbox_events import MessageChanged, Recording
from contract.sync.messages import RecordingKept, RecordingPiece, Welcome
from contract.sync.state import Stamp
from edge_agent.clock import SystemClock
from edge_agent.media.recording.sealed import SECOND_BYTES
from edge_agent.media.recording.store import CallRecording
from edge_agent.processes.call_recordings import open_call_recordings
from edge_agent.site_recordings import SiteRecordings
from edge_agent.sync.identity import EdgeKeys
from edge_agent.sync.outbox import StoredEvent
from edge_agent.sync.recording_sender import PIECE_BYTES, PIECES_IN_TURN
from edge_agent.sync.session import CameOnline, EdgeSession, Facts, ReadOutbox, Send
from edge_agent.tokens import SystemTokens
from tests.support.edge_site import QUICK, RecordingSite, running_edge
from tests.support.memory_store import MemoryStore
from tests.support.real_hub import RealHub, new_authority
from tests.support.snapshots import small_snapshot
from tests.support.waiting import eventually_async

CLOCK, TOKENS = SystemClock(), SystemTokens()
MESSAGE = hashlib.sha256(b"seed").digest() * 100
MESSAGE_DIGEST = hashlib.sha256(MESSAGE).hexdigest()
SECONDS = 150
"""Of the call: longer than one turn of pieces."""


def test_pieces_are_of_the_size_that_the_cloud_seals() -> None:
    assert PIECE_BYTES == CALL_PIECE_BYTES


class Store(MemoryStore):
    """Remembers what came in which order, and does something at one of the pieces."""

    def __init__(self, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.came: list[str] = []
        self.at_piece: tuple[int, Callable[[], None]] = (0, lambda: None)

    def _keep_piece(self, piece: RecordingPiece) -> RecordingKept:
        if piece.data:
            self.came.append(piece.digest)
            number, what = self.at_piece
            if len(self.came) == number:
                what()
        return super()._keep_piece(piece)


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "edge"
        self.folder.mkdir()
        calls = open_call_recordings(self.folder, CLOCK, TOKENS)
        _, writer, _ = calls.open(CallRecording(recording_id="recording-1", sip_call_id="call-1", began_at=CLOCK.now()))
        for second in range(SECONDS):
            writer.append(bytes([second]) * SECOND_BYTES)
        writer.close()
        calls.end("recording-1")
        self.wav = b"".join(calls.wav("recording-1"))
        self.digest = hashlib.sha256(self.wav).hexdigest()
        self.keys = EdgeKeys.generate()
        known = KnownEdge("edge-1", "site-1", "tenant-1", self.keys.identity_public, self.keys.sealing_public)
        sizes = {self.digest: len(self.wav), MESSAGE_DIGEST: len(MESSAGE)}
        self.store = Store(edges={"edge-1": known}, sizes=sizes)
        self.store.publish(small_snapshot(1))
        self.hub = RealHub(self.store, new_authority(folder), folder / "hub", HubSettings(lease_renewal=0.2, poll=0.2))
        self.asked_again: list[str] = []
        self.recordings = SiteRecordings(
            self.folder, lambda: None, CLOCK, TOKENS, lambda: self.asked_again.append("calls")
        )
        self.recordings._of_calls.keep(self.told)

    @property
    def told(self) -> CallRecorded:
        return CallRecorded(
            recording_id="recording-1",
            sip_call_id="call-1",
            began_at=CLOCK.now(),
            seconds=float(SECONDS),
            announced=True,
            digest=self.digest,
            size_bytes=len(self.wav),
        )

    def leave_message(self) -> None:
        path = self.folder / "message.wav"
        path.write_bytes(MESSAGE)
        what = MessageChanged(
            user_id="user-201",
            message_id="0123456789abcdef",
            stamp=Stamp(wall_ms=1, node="edge"),
            folder="inbox",
            heard=False,
            received_at=CLOCK.now(),
            duration_seconds=1.0,
            recording=Recording(digest=MESSAGE_DIGEST, size_bytes=len(MESSAGE)),
        )
        self.recordings._ledger.keep(what, {MESSAGE_DIGEST: (len(MESSAGE), path)})

    def allow(self, *, calls: bool, messages: bool = True) -> None:
        snapshot = small_snapshot(1)
        policies = {
            "recording": RecordingPolicy(upload=calls),
            "voicemail": VoicemailPolicy(recordings_leave=messages),
        }
        site = snapshot.site.model_copy(update=policies)
        self.recordings.runs(snapshot.model_copy(update={"site": site}))

    @property
    def came(self) -> bytes:
        return bytes(self.store.recordings.get(self.digest, b""))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_long_recording_comes_whole_and_a_message_does_not_wait_for_it(world: World) -> None:
    world.allow(calls=True)
    world.store.at_piece = (3, world.leave_message)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        async with running_edge(world.folder, identity, RecordingSite(recordings=world.recordings)):
            await eventually_async(lambda: world.came == world.wav, 60)
            await eventually_async(lambda: world.recordings._of_calls.waiting(()) is None, 30)
    assert world.store.came.index(MESSAGE_DIGEST) == PIECES_IN_TURN
    assert world.store.came.count(world.digest) == -(-len(world.wav) // PIECE_BYTES)


async def test_nothing_leaves_a_site_that_keeps_recordings_of_calls_though_messages_do(world: World) -> None:
    world.leave_message()
    world.allow(calls=False)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        async with running_edge(world.folder, identity, RecordingSite(recordings=world.recordings)):
            await eventually_async(lambda: bool(world.store.recordings.get(MESSAGE_DIGEST)), 30)
            assert world.came == b""
            world.allow(calls=True, messages=False)
            await eventually_async(lambda: world.came == world.wav, 60)


@pytest.mark.parametrize("of_a_conference", [False, True])
def test_a_hub_from_before_is_told_of_no_call_and_the_next_one_of_all(world: World, of_a_conference: bool) -> None:
    facts = Facts("edge-1", "1", None, None, frozenset(), "e1", 9)
    before = ("messages", "call_recordings") if of_a_conference else ("messages",)
    room = RecordedConference(room_id="team", name="Team") if of_a_conference else None
    told = world.told.model_copy(update={"conference": room})
    for features, sends in ((before, 0), (("messages", "call_recordings", "conference_recordings"), 1)):
        session = EdgeSession(facts, lambda _: bytes(64), QUICK, 0.0)
        session.open(b"b" * 32)
        welcome = Welcome(protocol=1, acknowledged=0, now=CLOCK.now(), features=features)
        done = session.receive(welcome, 0.0)
        assert any(isinstance(one, ReadOutbox) for one in done)
        (came,) = (one for one in done if isinstance(one, CameOnline))
        event = StoredEvent(1, EventBody(at=CLOCK.now(), what=told))
        assert len([one for one in session.outbox_read([event]) if isinstance(one, Send)]) == sends
        world.recordings.sender.go_online(
            takes=True, takes_calls=came.takes_call_recordings, takes_conferences=came.takes_conference_recordings
        )
    assert world.asked_again == ["calls"]
    assert world.recordings._of_calls.waiting(()) is None  # only once it is told again
    world.recordings.close()


def test_a_hub_that_knows_calls_only_is_told_of_those(world: World) -> None:
    session = EdgeSession(Facts("edge-1", "1", None, None, frozenset(), "e1", 9), lambda _: bytes(64), QUICK, 0.0)
    session.open(b"b" * 32)
    features = ("messages", "call_recordings")
    session.receive(Welcome(protocol=1, acknowledged=0, now=CLOCK.now(), features=features), 0.0)
    event = StoredEvent(1, EventBody(at=CLOCK.now(), what=world.told))
    assert [one for one in session.outbox_read([event]) if isinstance(one, Send)] != []
