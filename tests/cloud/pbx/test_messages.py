"""Messages in the cloud: told by edges, changed from both sides, and kept no longer than their site keeps them."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from cloud.models import Command, Site, VoicemailPiece, WebhookDelivery
from cloud.objects import FolderStore, ObjectMissing
from cloud.pbx.messages import change_row, list_messages
from cloud.pbx.pages import PageRequest
from cloud.pbx.recording_sweeps import sweep_recordings
from cloud.pbx.recordings import keep_piece
from cloud.pbx.webhooks import create_endpoint
from contract.sync.mailbox_events import MessageWish
from contract.sync.messages import RecordingPiece
from contract.sync.state import next_stamp
from tests.support.customers import (
    TOKENS,
    Customer,
    EdgeAtSite,
    HandClock,
    add_user,
    enrolled_edge,
    key_service,
    new_customer,
)
from tests.support.left_messages import TellingEdge, described, rows_of, sound
from tests.support.postgres import Databases

SOUND = sound(20.0)


class World:
    def __init__(self, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, folder: Path):
        self.databases, self.customer, self.edge, self.clock = databases, customer, edge, clock
        self.store = FolderStore(folder / "objects", TOKENS)
        self.telling = TellingEdge(databases, edge.known, clock)
        with databases.api.session(customer.scope) as session:
            self.user_id: UUID = add_user(session, customer, "201").id
            create_endpoint(
                session, key_service(), TOKENS, customer.tenant_id, url="https://hooks.test/", event_types=()
            )
        self.policy(recordings_leave=True)

    def policy(self, **policy: Any) -> None:
        with self.databases.api.session(self.customer.scope) as session:
            session.execute(update(Site).where(Site.id == self.customer.site_id).values(voicemail=policy))

    def change(self, **what: Any) -> None:
        (row,) = rows_of(self.databases.api, self.edge.known)
        with self.databases.api.session(self.customer.scope) as session:
            change_row(session, TOKENS, session.merge(row), self.clock.now(), **what)

    def wishes(self) -> list[MessageWish]:
        """What the edge was asked for."""
        with self.databases.api.session(self.customer.scope) as session:
            rows = session.scalars(select(Command).where(Command.name == "change_message").order_by(Command.id))
            return [MessageWish.of_arguments(row.arguments) for row in rows]

    def told(self) -> list[str]:
        with self.databases.api.session(self.customer.scope) as session:
            rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
            return [json.loads(row.body)["type"] for row in rows]


@pytest.fixture
def world(databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, tmp_path: Path) -> World:
    return World(databases, customer, edge, clock, tmp_path)


def test_what_happens_to_a_message_at_the_site_is_known_here_and_told_once_each(world: World) -> None:
    left = world.telling.message(world.user_id, SOUND)
    stamps = [left.stamp]
    for _ in range(4):
        stamps.append(next_stamp(stamps[-1], "edge", 0))
    heard = left.model_copy(update={"heard": True, "stamp": stamps[1]})
    deleted = heard.model_copy(update={"folder": "deleted", "deleted_at": world.clock.now(), "stamp": stamps[2]})
    back = heard.model_copy(update={"folder": "saved", "stamp": stamps[3]})
    gone = back.model_copy(update={"gone": True, "stamp": stamps[4]})
    assert world.telling.tell(left, left, heard, deleted, back, gone, gone) == [None] * 7
    assert world.told() == [
        "voicemail.left",
        "voicemail.heard",
        "voicemail.deleted",
        "voicemail.undeleted",
        "voicemail.gone",
    ]
    assert rows_of(world.databases.api, world.edge.known) == []


def test_what_was_there_before_the_edge_could_tell_of_it_is_listed_and_no_news(world: World) -> None:
    world.telling.tell(world.telling.message(world.user_id, SOUND, listed=True))
    assert len(rows_of(world.databases.api, world.edge.known)) == 1
    assert world.told() == []


def test_a_change_made_here_goes_to_the_edge_and_a_later_one_at_the_site_wins(world: World) -> None:
    left = world.telling.message(world.user_id, SOUND)
    world.telling.tell(left)
    world.clock.advance(1.0)
    world.change(folder="saved")
    (wish,) = world.wishes()
    assert (wish.folder, wish.heard, wish.message_id) == ("saved", True, left.message_id)
    assert wish.stamp.order() > left.stamp.order()
    # What the edge had told before it knew does not take it back; what it did after that does.
    world.telling.tell(left.model_copy(update={"stamp": next_stamp(left.stamp, "edge", 0)}))
    assert rows_of(world.databases.api, world.edge.known)[0].folder == "saved"
    later = next_stamp(wish.stamp, "edge", 0)
    world.telling.tell(left.model_copy(update={"folder": "inbox", "heard": True, "stamp": later}))
    assert rows_of(world.databases.api, world.edge.known)[0].folder == "inbox"


def test_a_recording_comes_in_pieces_goes_on_where_it_was_and_is_what_its_digest_says(world: World) -> None:
    world.telling.tell(world.telling.message(world.user_id, SOUND))
    digest = described(SOUND).digest

    def piece(offset: int, data: bytes) -> tuple[int, bool, str | None]:
        with world.databases.hub.session(world.edge.known.scope) as session:
            asked = RecordingPiece(digest=digest, offset=offset, data=data)
            kept = keep_piece(session, world.store, world.edge.known, asked, world.clock.now())
        return kept.offset, kept.complete, kept.refused

    assert piece(0, b"") == (0, False, None)
    assert piece(0, SOUND[:70_000]) == (70_000, False, None)
    assert piece(0, SOUND[:70_000]) == (70_000, False, None)  # the answer was lost, and it comes once more
    assert piece(100_000, SOUND[100_000:]) == (70_000, False, None)
    assert piece(70_000, SOUND[70_000:]) == (len(SOUND), True, None)
    assert b"".join(world.store.read(world.customer.tenant_id, digest)) == SOUND
    with world.databases.hub.session(world.edge.known.scope) as session:
        assert session.scalars(select(VoicemailPiece)).all() == []


def test_other_bytes_than_announced_are_thrown_away_and_the_right_ones_taken_after_that(world: World) -> None:
    world.telling.tell(world.telling.message(world.user_id, SOUND))
    digest = described(SOUND).digest
    for wrong, at in ((bytes(len(SOUND)), 0), (SOUND + b"more", 0)):
        with world.databases.hub.session(world.edge.known.scope) as session:
            asked = RecordingPiece.model_construct(digest=digest, offset=at, data=wrong)
            kept = keep_piece(session, world.store, world.edge.known, asked, world.clock.now())
        assert kept.refused == "unlike_digest"
    assert world.store.size_bytes(world.customer.tenant_id, digest) is None
    assert world.telling.send(world.store, SOUND).complete


def test_nothing_is_taken_that_may_not_leave_or_that_no_message_of_the_site_names(
    world: World, databases: Databases
) -> None:
    assert world.telling.send(world.store, SOUND).refused == "not_named"
    world.telling.tell(world.telling.message(world.user_id, SOUND))
    world.policy()
    assert world.telling.send(world.store, SOUND).refused == "not_allowed"
    # Somebody else's edge knows the digest, and gets nothing in.
    other = new_customer(databases.api)
    foreign = enrolled_edge(databases.api, other, world.clock.now())
    with databases.api.session(other.scope) as session:
        session.execute(update(Site).where(Site.id == other.site_id).values(voicemail={"recordings_leave": True}))
    assert TellingEdge(databases, foreign.known, world.clock).send(world.store, SOUND).refused == "not_named"


def test_an_edge_cannot_touch_messages_of_another_tenants_users(world: World, databases: Databases) -> None:
    other = new_customer(databases.api)
    foreign = TellingEdge(databases, enrolled_edge(databases.api, other, world.clock.now()).known, world.clock)
    (problem,) = foreign.tell(foreign.message(world.user_id, SOUND))
    assert problem is not None
    world.telling.tell(world.telling.message(world.user_id, SOUND))
    foreign.tell(foreign.message(world.user_id, SOUND, gone=True))
    assert len(rows_of(world.databases.api, world.edge.known)) == 1


def test_the_recording_goes_with_the_last_message_that_names_it(world: World) -> None:
    first = world.telling.message(world.user_id, SOUND)
    second = world.telling.message(world.user_id, SOUND, "fedcba9876543210")
    world.telling.tell(first, second)
    assert world.telling.send(world.store, SOUND).complete

    def swept() -> int:
        with world.databases.hub.session(world.edge.known.scope) as session:
            return sweep_recordings(session, world.store, world.customer.tenant_id, world.clock.now())

    world.telling.tell(first.model_copy(update={"gone": True}))
    assert swept() == 0
    world.telling.tell(second.model_copy(update={"gone": True}))
    assert swept() == 1
    with pytest.raises(ObjectMissing):
        world.store.read(world.customer.tenant_id, described(SOUND).digest)


def test_the_cloud_keeps_a_message_no_longer_than_its_site_though_the_edge_is_away(world: World) -> None:
    world.policy(recordings_leave=True, kept_days=10)
    world.telling.tell(world.telling.message(world.user_id, SOUND))
    world.telling.send(world.store, SOUND)
    world.clock.advance(timedelta(days=9).total_seconds())

    def shown() -> int:
        with world.databases.api.session(world.customer.scope) as session:
            return len(list_messages(session, world.user_id, PageRequest(), world.clock.now()).items)

    assert shown() == 1
    world.clock.advance(timedelta(days=2).total_seconds())
    assert shown() == 0
    with world.databases.hub.session(world.edge.known.scope) as session:
        assert sweep_recordings(session, world.store, world.customer.tenant_id, world.clock.now()) == 1
    assert rows_of(world.databases.api, world.edge.known) == []
