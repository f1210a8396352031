"""Conferences over the API: PINs, who is in a room, and what is done there, asked of the site's edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from cloud.pbx.state import site_records
from contract.pin import is_right
from contract.snapshot import Conference, UserConferences
from contract.sync.conferences import (
    ConferenceAnswer,
    ConferenceRecording,
    ConferenceRecordings,
    LiveConference,
    LiveConferences,
    LiveParty,
)
from contract.sync.messages import Command as Asked
from tests.support.answering_edge import answering_edge
from tests.support.api_world import ApiWorld, Client
from tests.support.customers import EdgeAtSite, enrolled_edge

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARTY = LiveParty(party_id="0123456789abcdef", number="200", name="Anna", speaking=True, came_at=NOON)


@pytest.fixture
def edge(world: ApiWorld) -> EdgeAtSite:
    return enrolled_edge(world.databases.api, world.ours, world.clock.now())


@pytest.fixture
def site(world: ApiWorld) -> str:
    """The address of a site with a room that is the telephone user's, one that is nobody's, and one for each user."""
    path = f"/sites/{world.ours.site_id}"
    changed = world.admin.patch(f"/users/{world.user_id}", {"extension": "290"})
    assert changed.status == 200, changed.body
    plan = world.admin.get(f"{path}/dial-plan").json["document"]
    rooms = (
        Conference(service_id="own", name="Own", extension="8001", owner=str(world.user_id), asks_pin=True),
        Conference(service_id="team", name="Team", extension="8002"),
        UserConferences(service_id="mine", name="Rooms", extension="7", asks_pin=True),
    )
    plan["voice_services"] = [one.model_dump(mode="json") for one in rooms]
    answer = world.admin.put(f"{path}/dial-plan", {"document": plan})
    assert answer.status == 200, answer.body
    return path


@contextmanager
def online(world: ApiWorld, edge: EdgeAtSite, *answers: Any) -> Iterator[list[Asked]]:
    """The edge is connected and answers so, in turn."""
    results = iter([(True, one.model_dump_json()) for one in answers])
    with answering_edge(world.databases, edge.known, world.clock, lambda _: next(results, None)) as asked:
        yield asked


def conference(world: ApiWorld, room_id: str = "team", owner: bool = False) -> LiveConference:
    return LiveConference(
        room_id=room_id,
        name="Room",
        extension="8002",
        owner=str(world.user_id) if owner else None,
        began_at=NOON,
        parties=(PARTY,),
    )


def kept(world: ApiWorld, key: str) -> Any:
    with world.databases.api.session(world.ours.scope) as session:
        return next((one.value for one in site_records(session, world.ours.site_id) if one.key == key), None)


# -- PINs


def test_pins_are_set_kept_as_hashes_shown_as_being_there_and_taken_away(world: ApiWorld, site: str) -> None:
    pins = f"{site}/conference-rooms/team/pins"
    answer = world.admin.patch(pins, {"pin": "2580", "moderator_pin": "9731"})
    assert (answer.status, answer.json["pin_set"], answer.json["moderator_pin_set"]) == (200, True, True)
    assert is_right("2580", kept(world, "conference_pin/team"))
    assert is_right("9731", kept(world, "conference_moderator_pin/team"))
    answer = world.admin.patch(pins, {"pin": None})
    assert (answer.json["pin_set"], answer.json["moderator_pin_set"]) == (False, True)
    assert kept(world, "conference_pin/team") is None
    audit = world.admin.get("/audit").body.decode()
    assert "conference.pins_changed" in audit
    listed = world.admin.get(f"{site}/conference-rooms")
    assert [(one["room_id"], one["moderator_pin_set"]) for one in listed.json["items"]] == [
        ("own", False),
        ("team", True),
    ]
    everything = audit + listed.body.decode() + world.admin.get(f"{site}/dial-plan").body.decode()
    for secret in ("2580", "9731", "scrypt"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"pin": "123"}, "pin"),
        ({"pin": "1111"}, "pin"),
        ({"pin": "8002"}, "pin"),
        ({"pin": "12a4"}, "pin"),
        ({"moderator_pin": "1234"}, "moderator_pin"),
        ({"pin": "5555" * 5}, "pin"),
        ({"pin": "2580", "moderator_pin": "2580"}, "pin"),
        ({"moderator_pin": "1470"}, "moderator_pin"),
    ],
)
def test_a_pin_that_will_not_do_is_refused_by_name(
    world: ApiWorld, site: str, body: dict[str, str], field: str
) -> None:
    assert world.admin.patch(f"{site}/conference-rooms/team/pins", {"pin": "1470"}).status == 200
    answer = world.admin.patch(f"{site}/conference-rooms/team/pins", body)
    assert (answer.status, field in answer.fields) == (422, True), answer.body
    assert body[field] not in answer.body.decode().replace("such as 1234", "")


def test_users_set_the_pins_of_their_own_rooms_only(world: ApiWorld, site: str) -> None:
    listed = world.user.get(f"{site}/conference-rooms").json["items"]
    assert [one["room_id"] for one in listed] == ["own", str(world.user_id)]
    assert listed[1]["extension"] == "7290"
    for room, status in (("own", 200), (str(world.user_id), 200), ("team", 404), ("gone", 404)):
        answer = world.user.patch(f"{site}/conference-rooms/{room}/pins", {"pin": "2580"})
        assert answer.status == status, answer.body
    new = {"site_id": str(world.ours.site_id), "username": "291", "display_name": "Bert", "extension": "291"}
    other = world.admin.post("/users", new).json["id"]
    assert world.user.get(f"{site}/conference-rooms/{other}").status == 404
    assert world.admin.get(f"{site}/conference-rooms/{other}").json["name"] == "Rooms: Bert"
    # An administrator sets those of a user's room, too.
    assert world.admin.patch(f"{site}/conference-rooms/{world.user_id}/pins", {"moderator_pin": "9731"}).status == 200
    assert kept(world, f"conference_moderator_pin/{world.user_id}")


# -- what goes on


def test_who_is_in_conferences_is_asked_of_the_edge(world: ApiWorld, edge: EdgeAtSite, site: str) -> None:
    told = LiveConferences(conferences=(conference(world), conference(world, "own", owner=True)))
    with online(world, edge, told, told) as asked:
        all_of_them = world.admin.get(f"{site}/conferences")
        own = world.user.get(f"{site}/conferences")
    assert [one["room_id"] for one in all_of_them.json["items"]] == ["team", "own"]
    assert all_of_them.json["items"][0]["parties"][0]["name"] == "Anna"
    assert [one["room_id"] for one in own.json["items"]] == ["own"]
    assert [(one.name, one.arguments) for one in asked] == [("conferences", {}), ("conferences", {})]


def test_an_order_goes_to_the_edge_and_the_conference_comes_back(world: ApiWorld, edge: EdgeAtSite, site: str) -> None:
    order = {"action": "sound", "party_id": PARTY.party_id, "decibels": -6}
    with online(world, edge, ConferenceAnswer(conference=conference(world)), ConferenceAnswer()) as asked:
        answer = world.admin.post(f"{site}/conferences/team/orders", order)
        ended = world.admin.post(f"{site}/conferences/team/orders", {"action": "end"})
    assert answer.json["conference"]["room_id"] == "team"
    assert (ended.status, ended.json["conference"]) == (200, None)
    assert asked[0].arguments == {"room": "team", "action": "sound", "party": PARTY.party_id, "value": "-6"}
    entry = world.admin.get("/audit").json["items"][0]
    assert (entry["action"], entry["changes"]["action"]) == ("conference.ordered", [None, "end"])


@pytest.mark.parametrize(
    ("refused", "status", "problem"),
    [("no_conference", 404, "not-found"), ("no_party", 404, "not-found"), ("not_recorded", 409, "not-recorded")],
)
def test_what_the_edge_cannot_do_is_said(
    world: ApiWorld, edge: EdgeAtSite, site: str, refused: Any, status: int, problem: str
) -> None:
    with online(world, edge, ConferenceAnswer(refused=refused)):
        answer = world.admin.post(f"{site}/conferences/team/orders", {"action": "record"})
    assert (answer.status, answer.json["type"]) == (status, f"urn:tandem:problem:{problem}")


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"action": "explode"},
        {"action": "kick"},
        {"action": "mute", "party_id": "../x"},
        {"action": "sound", "party_id": PARTY.party_id, "decibels": 13},
    ],
)
def test_an_order_that_makes_no_sense_reaches_no_edge(
    world: ApiWorld, edge: EdgeAtSite, site: str, order: dict[str, Any]
) -> None:
    with online(world, edge) as asked:
        assert world.admin.post(f"{site}/conferences/team/orders", order).status == 422
    assert asked == []


def test_nobody_orders_in_rooms_of_others(world: ApiWorld, edge: EdgeAtSite, site: str) -> None:
    def refused(client: Client, room: str) -> int:
        return client.post(f"{site}/conferences/{room}/orders", {"action": "end"}).status

    with online(world, edge, ConferenceAnswer()) as asked:
        assert refused(world.user, "team") == 404
        assert refused(world.stranger, "team") == 404
        assert refused(world.admin, "gone") == 404
        assert world.stranger.get(f"{site}/conferences").status == 404
        assert world.stranger.patch(f"{site}/conference-rooms/team/pins", {"pin": "2580"}).status == 404
        assert asked == []
        assert world.user.post(f"{site}/conferences/own/orders", {"action": "end"}).status == 200


def test_without_the_edge_there_is_no_control_and_that_is_said(world: ApiWorld, site: str) -> None:
    for answer in (
        world.admin.get(f"{site}/conferences"),
        world.admin.post(f"{site}/conferences/team/orders", {"action": "end"}),
        world.admin.get(f"{site}/conference-recordings"),
    ):
        assert (answer.status, answer.json["type"]) == (503, "urn:tandem:problem:edge-offline")


def test_recordings_are_listed_and_deleted_by_administrators(world: ApiWorld, edge: EdgeAtSite, site: str) -> None:
    kept_one = ConferenceRecording(
        recording_id="0123456789abcdef", room_id="team", name="Team", began_at=NOON, seconds=61.5
    )
    answers = (ConferenceRecordings(recordings=(kept_one,)), ConferenceRecordings(deleted=True), ConferenceRecordings())
    where = f"{site}/conference-recordings"
    with online(world, edge, *answers) as asked:
        assert world.admin.get(where).json["items"][0]["seconds"] == 61.5
        assert world.admin.delete(f"{where}/{kept_one.recording_id}").status == 204
        assert world.admin.delete(f"{where}/{kept_one.recording_id}").status == 404
        assert world.user.get(where).status == 403
        assert world.stranger.delete(f"{where}/{kept_one.recording_id}").status == 404
    assert [one.name for one in asked] == ["conference_recordings", *["delete_conference_recording"] * 2]
