"""Recordings of calls in the cloud: brought in pieces, never in clear at rest, and kept as long as their site does."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from cloud.hub.site_store import PbxStore
from cloud.models import CallRecording, CallRecordingPiece, Command, Site
from cloud.objects import FolderStore, ObjectMissing
from cloud.pbx.call_recordings import Intake, keep_call_piece, read_recording, recordings_of
from cloud.pbx.recording_sweeps import sweep_recordings
from contract.sync.call_recordings import CALL_PIECE_BYTES, CallRecorded
from contract.sync.messages import RecordingKept, RecordingPiece
from tests.support.api_things import finished_call
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock, enrolled_edge, key_service, new_customer
from tests.support.left_messages import TellingEdge
from tests.support.postgres import Databases
from tests.support.told_recordings import bring_sound, call_sound, recorded

SOUND = call_sound(10.0)
DIGEST = hashlib.sha256(SOUND).hexdigest()
KEYS = key_service()


class World:
    def __init__(self, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, folder: Path):
        self.databases, self.customer, self.edge, self.clock = databases, customer, edge.known, clock
        self.folder = folder / "objects"
        self.store = FolderStore(self.folder, TOKENS)
        self.telling = TellingEdge(databases, edge.known, clock)
        self.policy(upload=True)

    def policy(self, **policy: Any) -> None:
        with self.databases.api.session(self.customer.scope) as session:
            session.execute(update(Site).where(Site.id == self.customer.site_id).values(recording=policy))

    def told(self, recording_id: str = "recording-1", content: bytes = SOUND, **more: Any) -> CallRecorded:
        what = recorded(self.clock, content, "call-1", recording_id, **more)
        assert self.telling.tell(what) == [None]
        return what

    def bring(self, content: bytes = SOUND) -> RecordingKept:
        return bring_sound(self.databases, self.edge, self.store, KEYS, self.clock, content)

    def piece(self, offset: int, data: bytes, digest: str = DIGEST) -> RecordingKept | None:
        intake, piece = Intake(self.store, KEYS, TOKENS), RecordingPiece(digest=digest, offset=offset, data=data)
        with self.databases.hub.session(self.edge.scope) as session:
            return keep_call_piece(session, intake, self.edge, piece, self.clock.now())

    def rows(self) -> list[CallRecording]:
        with self.databases.api.session(self.customer.scope) as session:
            return list(session.scalars(select(CallRecording).order_by(CallRecording.id)))

    def pieces(self) -> list[bytes]:
        with self.databases.hub.session(self.customer.scope) as session:
            return list(session.scalars(select(CallRecordingPiece.data).order_by(CallRecordingPiece.place)))

    def commands(self) -> list[dict[str, str]]:
        with self.databases.api.session(self.customer.scope) as session:
            found = select(Command).where(Command.name == "delete_call_recording").order_by(Command.id)
            return [one.arguments for one in session.scalars(found)]

    def sweep(self) -> int:
        with self.databases.hub.session(self.edge.scope) as session:
            return sweep_recordings(session, self.store, self.customer.tenant_id, self.clock.now())

    def objects(self) -> list[Path]:
        return [one for one in self.folder.rglob("*") if one.is_file()]


@pytest.fixture
def world(databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, tmp_path: Path) -> World:
    return World(databases, customer, edge, clock, tmp_path)


def test_a_recording_is_brought_whole_and_any_part_of_it_is_read(world: World) -> None:
    world.told()
    assert world.bring().complete
    (row,) = world.rows()
    assert row.stored_at == world.clock.now()
    assert world.pieces() == []
    for first, last in ((0, len(SOUND) - 1), (0, 0), (CALL_PIECE_BYTES - 1, CALL_PIECE_BYTES), (100_000, 140_000)):
        assert read_recording(world.store, KEYS, row, first, last) == SOUND[first : last + 1]
    assert world.piece(0, b"") == RecordingKept(digest=row.digest, offset=len(SOUND), complete=True)


def test_neither_the_database_nor_the_store_has_it_in_clear(world: World) -> None:
    world.told()
    planted = SOUND[2000:2032]
    world.piece(0, SOUND[:CALL_PIECE_BYTES])
    (kept,) = world.pieces()
    assert planted not in kept
    assert world.bring().complete
    (stored,) = world.objects()
    assert planted not in stored.read_bytes()
    (row,) = world.rows()
    assert row.wrapped_key is not None
    assert KEYS.unwrap(row.key_id or "", row.wrapped_key) not in row.wrapped_key


def test_it_goes_on_where_it_was_and_takes_no_piece_of_another_size_or_place(world: World) -> None:
    world.told()
    first, second = SOUND[:CALL_PIECE_BYTES], SOUND[CALL_PIECE_BYTES : 2 * CALL_PIECE_BYTES]
    at = RecordingKept(digest=DIGEST, offset=CALL_PIECE_BYTES)
    assert world.piece(0, first[:1000]) == RecordingKept(digest=DIGEST, offset=0)
    assert world.piece(0, first) == at
    for offset, data in (
        (0, first),
        (CALL_PIECE_BYTES, second[:-1]),
        (2 * CALL_PIECE_BYTES, second),
        (CALL_PIECE_BYTES, b""),
    ):
        assert world.piece(offset, data) == at
    assert world.bring().complete


def test_other_bytes_than_were_told_of_are_not_kept(world: World) -> None:
    world.told()
    other = bytes(len(SOUND))
    for offset in range(0, len(SOUND), CALL_PIECE_BYTES):
        kept = world.piece(offset, other[offset : offset + CALL_PIECE_BYTES])
    assert kept is not None
    assert kept.refused == "unlike_digest"
    assert world.pieces() == []
    assert world.objects() == []
    assert world.bring().complete


def test_nothing_comes_of_a_site_that_does_not_let_it_nor_of_what_nobody_told(world: World) -> None:
    assert world.piece(0, SOUND[:CALL_PIECE_BYTES]) is None
    world.told()
    world.policy()
    assert world.bring().refused == "not_allowed"
    with world.databases.api.session(world.customer.scope) as session:
        session.execute(delete(Site).where(Site.id == world.customer.site_id))
    assert world.bring().refused == "not_named"


def test_another_edge_of_the_tenant_brings_nothing_for_it(world: World) -> None:
    world.told()
    other = enrolled_edge(world.databases.api, world.customer, world.clock.now()).known
    piece = RecordingPiece(digest=DIGEST, offset=0, data=SOUND[:CALL_PIECE_BYTES])
    with world.databases.hub.session(other.scope) as session:
        assert keep_call_piece(session, Intake(world.store, KEYS, TOKENS), other, piece, world.clock.now()) is None
    gone = recorded(world.clock, SOUND, "call-1", "recording-1", gone=True)
    assert TellingEdge(world.databases, other, world.clock).tell(gone) == [None]
    assert [row.recording_id for row in world.rows()] == ["recording-1"]


def test_told_again_it_is_one_and_gone_it_goes_unless_it_is_here(world: World) -> None:
    what = world.told()
    assert world.telling.tell(what, what.model_copy(update={"gone": True})) == [None, None]
    assert world.rows() == []
    world.told()
    assert world.bring().complete
    assert world.telling.tell(what.model_copy(update={"gone": True})) == [None]
    assert len(world.rows()) == 1


def test_one_call_has_so_many_recordings_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.pbx.call_recordings.MAX_OF_CALL", 2)
    for number in range(4):
        world.told(f"recording-{number}", call_sound(0.5 + number))
    assert len(world.rows()) == 2


def test_a_call_shows_its_own_recordings_only_in_their_order_and_none_whose_days_are_over(world: World) -> None:
    now = world.clock.now()
    world.told("recording-2", call_sound(2.0), began_at=now - timedelta(minutes=1))
    world.told("recording-1", began_at=now - timedelta(minutes=2))
    world.told("recording-3", call_sound(3.0), began_at=now - timedelta(days=91))
    assert world.telling.tell(recorded(world.clock, SOUND, "call-2", "recording-4")) == [None]
    call, unrecorded = (finished_call(world.customer, world.edge.edge_id, name, now) for name in ("call-1", "call-3"))
    with world.databases.api.session(world.customer.scope) as session:
        found = recordings_of(session, [call, unrecorded], now)
    assert [one.recording_id for one in found[call.id]] == ["recording-1", "recording-2"]
    assert found[unrecorded.id] == []


def test_the_hub_sweeps_every_tenant_whose_edges_are_away(world: World) -> None:
    hub = PbxStore(world.databases.hub, KEYS, world.clock, TOKENS, 30.0, world.store)
    other = World(
        world.databases,
        customer := new_customer(world.databases.api),
        enrolled_edge(world.databases.api, customer, world.clock.now()),
        world.clock,
        world.folder.parent,
    )
    for one in (world, other):
        one.told()
        assert one.bring().complete
    hub.sweep()
    assert (len(world.rows()), len(other.rows()), len(world.objects())) == (1, 1, 2)
    world.clock.advance(91 * 86_400)
    hub.sweep()
    assert (world.rows(), other.rows(), world.objects()) == ([], [], [])


def test_what_its_site_keeps_no_longer_is_swept_with_its_object_and_so_is_what_is_of_no_site(world: World) -> None:
    world.told()
    assert world.bring().complete
    (row,) = world.rows()
    assert world.sweep() == 0
    world.clock.advance(91 * 86_400)
    assert world.sweep() == 1
    assert world.objects() == []
    with pytest.raises(ObjectMissing):
        read_recording(world.store, KEYS, row, 0, 1)
    world.told("recording-2")
    assert world.bring().complete
    with world.databases.api.session(world.customer.scope) as session:
        session.execute(delete(Site).where(Site.id == world.customer.site_id))
    assert world.sweep() == 1
    assert (world.rows(), world.objects()) == ([], [])
