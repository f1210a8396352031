"""The hub's questions answered: the same tests for PostgreSQL and for the store in memory that other tests use."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from cloud.clock import SystemClock
from cloud.hub.errors import StoreUnavailable
from cloud.hub.questions import (
    EventsKept,
    FetchNews,
    FindEdge,
    Found,
    Holding,
    KeepEvents,
    KnownEdge,
    MergeState,
    News,
    Opened,
    OpenLease,
    Peer,
    RecordVerdict,
    SiteStore,
    StateMerged,
    VerdictRecorded,
)
from cloud.hub.site_store import PbxStore
from cloud.pbx.database import Database
from cloud.pbx.publishing import latest_snapshot, publish_site
from contract.snapshot import Snapshot, parse_snapshot, snapshot_digest
from contract.sync.delta import apply
from contract.sync.events import AlarmChanged, EventBody
from contract.sync.messages import Applied, DeltaMessage, Event, Rejected, SnapshotMessage
from contract.sync.older_edges import digest_of
from contract.sync.state import Stamp, StateRecord
from contract.sync.versions import BLOBS, FEATURES
from tests.support.customers import TOKENS, add_phone, add_user, enrolled_edge, key_service, new_customer
from tests.support.memory_store import MemoryStore
from tests.support.postgres import Databases
from tests.support.snapshots import small_snapshot

CLOCK = SystemClock()
NOTHING = Holding(None, None, None, FEATURES)


@dataclass
class World:
    """A store, an edge that it knows, and a way to publish the next version of its site."""

    store: SiteStore
    edge: KnownEdge
    publish: Callable[[], Snapshot]

    def open(self, connection: str = "connection-1", epoch: str = "epoch-1", holding: Holding = NOTHING) -> Opened:
        question = OpenLease(self.edge, Peer(connection, "quic", "192.0.2.1:1"), "1.0", epoch, holding)
        answer = self.store.answer(question)
        assert isinstance(answer, Opened)
        return answer

    def news(
        self,
        holding: Holding = NOTHING,
        settled: int | None = None,
        cursor: str = "",
        connection: str = "connection-1",
        offers: bool = True,
        whole: bool = False,
    ) -> News:
        question = FetchNews(self.edge, holding, settled, cursor, connection, offers=offers, whole=whole)
        answer = self.store.answer(question)
        assert isinstance(answer, News)
        return answer

    def keep(self, *sequences: int, epoch: str = "epoch-1") -> EventsKept:
        what = AlarmChanged(alarm="test", severity="warning", active=True, text="")
        body = EventBody(at=CLOCK.now(), what=what)
        events = tuple(Event(epoch=epoch, sequence=sequence, body=body) for sequence in sequences)
        answer = self.store.answer(KeepEvents(self.edge, epoch, events))
        assert isinstance(answer, EventsKept)
        return answer


def in_memory() -> World:
    edge = KnownEdge(str(uuid4()), "site-1", "tenant-1", b"i" * 32, b"s" * 32)
    store = MemoryStore(edges={edge.edge_id: edge})

    def publish() -> Snapshot:
        version = len(store.snapshots) + 1
        store.publish(small_snapshot(version, f"customer{version}.tandem.test"))
        return store.snapshots[version]

    return World(store, edge, publish)


def in_postgres(databases: Databases) -> World:
    customer, keys = new_customer(databases.api), key_service()
    known = enrolled_edge(databases.api, customer, CLOCK.now()).known
    assert known.identity_key is not None
    assert known.sealing_key is not None
    edge = KnownEdge(
        str(known.edge_id), str(known.site_id), str(known.tenant_id), known.identity_key, known.sealing_key
    )
    numbers = iter(range(200, 300))

    def publish() -> Snapshot:
        extension = str(next(numbers))
        with databases.api.session(customer.scope) as session:
            user = add_user(session, customer, extension)
            add_phone(session, customer, user, keys, "password", f"02000a000{extension}")
        publish_site(databases.worker, customer.scope, customer.site_id, "test")
        with databases.worker.session(customer.scope) as session:
            snapshot = latest_snapshot(session, customer.site_id)
        assert snapshot is not None
        return snapshot

    return World(PbxStore(databases.hub, keys, CLOCK, TOKENS, 10.0), edge, publish)


@pytest.fixture(params=["postgres", "memory"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return in_memory()
    return in_postgres(request.getfixturevalue("databases"))


def holds(snapshot: Snapshot) -> Holding:
    return Holding(snapshot.version, snapshot_digest(snapshot), None, FEATURES)


def test_an_enrolled_edge_is_found_and_any_other_id_is_not(world: World) -> None:
    assert world.store.answer(FindEdge(world.edge.edge_id)) == Found(world.edge)
    for other in (str(uuid4()), "no-uuid", "x"):
        assert world.store.answer(FindEdge(other)) == Found(None)


def test_events_are_kept_once_and_the_next_connection_learns_how_far(world: World) -> None:
    assert world.open().acknowledged == 0
    assert world.keep(1, 2, 5) == EventsKept("epoch-1", 5)
    assert world.keep(2, 5, 6) == EventsKept("epoch-1", 6)
    assert world.open().acknowledged == 6
    assert world.open(epoch="epoch-2").acknowledged == 0


def test_before_anything_was_published_there_is_nothing_to_offer(world: World) -> None:
    assert world.open().wanted_version is None
    assert world.news().offer is None


def test_an_edge_without_a_snapshot_is_offered_the_newest_whole(world: World) -> None:
    world.publish()
    newest = world.publish()
    assert world.open().wanted_version == newest.version
    offer = world.news().offer
    assert offer is not None
    assert isinstance(offer.content, SnapshotMessage)
    assert parse_snapshot(offer.content.snapshot) == newest


def test_an_edge_that_holds_an_older_version_is_offered_what_changed(world: World) -> None:
    held = world.publish()
    world.publish()
    newest = world.publish()
    world.open(holding=holds(held))
    offer = world.news(holds(held)).offer
    assert offer is not None
    assert isinstance(offer.content, DeltaMessage)
    assert apply(held, offer.content.delta) == newest


def test_a_delta_is_offered_only_from_what_is_known_and_understood(world: World) -> None:
    held = world.publish()
    world.publish()
    world.open()
    for holding in (
        Holding(held.version, "0" * 64, None, FEATURES),
        Holding(9999, snapshot_digest(held), None, FEATURES),
        Holding(held.version, snapshot_digest(held), None, FEATURES - {"delta"}),
    ):
        offer = world.news(holding).offer
        assert offer is not None
        assert isinstance(offer.content, SnapshotMessage)
    offer = world.news(holds(held), whole=True).offer
    assert offer is not None
    assert isinstance(offer.content, SnapshotMessage)


def test_an_edge_from_before_firmware_is_sent_what_it_knows_and_not_again_once_it_runs(world: World) -> None:
    older = FEATURES - {BLOBS}
    newest = world.publish()
    world.open()
    offer = world.news(Holding(None, None, None, older)).offer
    assert offer is not None
    assert isinstance(offer.content, SnapshotMessage)
    content = offer.content.snapshot
    assert not {"firmware", "blobs"} & content.keys()
    assert "firmware_hours" not in content["site"]["provisioning"]
    assert [device for device in content["devices"] if "firmware" in device] == []
    assert parse_snapshot(content) == newest
    runs = Holding(newest.version, digest_of(content), newest.secret_refs(), older)
    assert world.news(runs).offer is None
    newer = world.publish()
    offer = world.news(runs).offer
    assert offer is not None
    assert isinstance(offer.content, SnapshotMessage)
    assert parse_snapshot(offer.content.snapshot) == newer


def test_what_runs_or_was_rejected_or_cannot_be_taken_now_is_not_offered(world: World) -> None:
    newest = world.publish()
    world.open()
    assert world.news(holds(newest)).offer is None
    assert world.news(settled=newest.version).offer is None
    assert world.news(offers=False).offer is None


def test_a_verdict_is_recorded(world: World) -> None:
    newest = world.publish()
    world.open()
    applied = Applied(version=newest.version, digest=snapshot_digest(newest))
    rejected = Rejected(version=newest.version, problems=("no",))
    for verdict in (rejected, applied):
        assert world.store.answer(RecordVerdict(world.edge, verdict)) == VerdictRecorded()


def test_a_second_connection_takes_the_lease_and_the_first_learns_of_it(world: World) -> None:
    edge_id = world.edge.edge_id
    world.open("first")
    assert world.store.renew({edge_id: "first"}) == frozenset()
    world.open("second")
    assert world.store.renew({edge_id: "first"}) == {edge_id}
    assert world.news(connection="first").taken_over
    world.store.release(world.edge, "first")
    assert world.store.renew({edge_id: "second"}) == frozenset()
    assert not world.news(connection="second").taken_over


def test_state_is_merged_and_told_from_the_cursor_on(world: World) -> None:
    world.open()
    newer = StateRecord(key="dnd/user", value=True, stamp=Stamp(wall_ms=2000, node="edge"))
    older = StateRecord(key="dnd/user", value=False, stamp=Stamp(wall_ms=1000, node="edge"))
    assert world.store.answer(MergeState(world.edge, (newer,))) == StateMerged((newer,))
    assert world.store.answer(MergeState(world.edge, (older,))) == StateMerged((newer,))
    first = world.news()
    assert first.records == (newer,)
    assert world.news(cursor=first.cursor).records == ()


def test_the_mark_of_an_edge_changes_with_what_there_is_for_it(world: World) -> None:
    edge_id = world.edge.edge_id
    world.open()
    marks = [world.store.look_after([edge_id])[edge_id]]
    assert world.store.look_after([edge_id])[edge_id] == marks[0]
    world.publish()
    marks.append(world.store.look_after([edge_id])[edge_id])
    record = StateRecord(key="dnd/user", value=True, stamp=Stamp(wall_ms=2000, node="edge"))
    world.store.answer(MergeState(world.edge, (record,)))
    marks.append(world.store.look_after([edge_id])[edge_id])
    assert len(set(marks)) == 3
    assert world.store.look_after([str(uuid4())]) == {}


def test_secrets_that_the_edge_lacks_come_with_the_offer_even_when_the_snapshot_runs(databases: Databases) -> None:
    world = in_postgres(databases)
    newest = world.publish()
    world.open()
    full = Holding(newest.version, snapshot_digest(newest), newest.secret_refs(), FEATURES)
    empty = Holding(newest.version, snapshot_digest(newest), frozenset(), FEATURES)
    assert world.news(full).offer is None
    offer = world.news(empty).offer
    assert offer is not None
    assert {s.ref for message in offer.secrets for s in message.secrets} == newest.secret_refs()


def test_a_nul_in_what_an_edge_says_is_replaced_and_holds_up_nothing(databases: Databases) -> None:
    world = in_postgres(databases)
    world.open()
    body = EventBody(at=CLOCK.now(), what=AlarmChanged(alarm="test", severity="warning", active=True, text="a\0b"))
    event = Event(epoch="epoch-1", sequence=1, body=body)
    assert world.store.answer(KeepEvents(world.edge, "epoch-1", (event,))) == EventsKept("epoch-1", 1)
    record = StateRecord(key="greeting/user", value="a\0b", stamp=Stamp(wall_ms=1, node="edge"))
    assert isinstance(world.store.answer(MergeState(world.edge, (record,))), StateMerged)
    assert [known.value for known in world.news().records] == ["a\N{REPLACEMENT CHARACTER}b"]
    rejected = Rejected(version=1, problems=("no\0",))
    assert world.store.answer(RecordVerdict(world.edge, rejected)) == VerdictRecorded()


def test_a_database_that_is_not_there_has_one_name(databases: Databases) -> None:
    nowhere = Database(databases.urls.hub.replace("tandem_hub@", "nobody_of_that_name@"))
    store = PbxStore(nowhere, key_service(), CLOCK, TOKENS, 10.0)
    with pytest.raises(StoreUnavailable):
        store.answer(FindEdge(str(uuid4())))
    with pytest.raises(StoreUnavailable):
        store.renew({str(uuid4()): "x"})
    nowhere.close()
