"""Self-service of calls over the API: whose calls a user wants, speed dials, and what calls to the outside show."""

import json
from typing import Any

import pytest

from cloud.pbx.publishing import latest_snapshot, publish_site
from cloud.pbx.state import merge_records, site_records
from contract.dialplan.site_state import MAX_BLOCKED
from contract.sync.state import Stamp, StateRecord
from tests.support.api_world import ApiWorld


def own(world: ApiWorld) -> str:
    return f"/users/{world.user_id}/call-handling"


def records(world: ApiWorld) -> dict[str, Any]:
    """The site state that there is, by the kind of its keys."""
    with world.databases.api.session(world.ours.scope) as session:
        return {one.key.rpartition("/")[0]: one.value for one in site_records(session, world.ours.site_id)}


def test_a_user_says_whose_calls_he_wants(world: ApiWorld) -> None:
    before = world.user.get(own(world)).json
    switches = ("call_waiting", "reject_anonymous", "intercom", "do_not_disturb")
    assert [before[name] for name in switches] == [True, False, True, False]
    after = world.user.patch(own(world), {"call_waiting": False, "reject_anonymous": True, "intercom": False}).json
    assert [after[name] for name in switches] == [False, True, False, False]
    assert records(world) == {"no_second_call": True, "no_anonymous": True, "no_intercom": True}
    again = world.user.patch(own(world), {"call_waiting": True, "reject_anonymous": False, "intercom": True}).json
    assert again == before


def test_a_list_takes_the_place_of_the_one_before_and_writes_what_differs(world: ApiWorld) -> None:
    first: dict[str, Any] = {
        "blocked": ["+4179", "0791112233"],
        "speed_dials": [{"slot": "7", "destination": "201", "name": "Desk"}, {"slot": "12", "destination": "+4179"}],
    }
    shown = world.user.patch(own(world), first).json
    assert shown["blocked"] == ["4179", "791112233"]
    assert [(one["slot"], one["destination"]) for one in shown["speed_dials"]] == [("7", "201"), ("12", "+4179")]
    stamps = stamped(world)
    second = {"blocked": ["0791112233", "200"], "speed_dials": first["speed_dials"][:1]}
    shown = world.user.patch(own(world), second).json
    assert (shown["blocked"], len(shown["speed_dials"])) == (["200", "791112233"], 1)
    found = records(world)
    assert (found["blocked/4179"], found["blocked/200"], found["speed_dial/12"]) == (None, True, None)
    kept = ("blocked/791112233", "speed_dial/7")
    assert {kind: stamped(world)[kind] for kind in kept} == {kind: stamps[kind] for kind in kept}
    cleared = world.user.patch(own(world), {"blocked": None, "speed_dials": None}).json
    assert (cleared["blocked"], cleared["speed_dials"]) == ([], [])


def stamped(world: ApiWorld) -> dict[str, Stamp]:
    with world.databases.api.session(world.ours.scope) as session:
        return {one.key.rpartition("/")[0]: one.stamp for one in site_records(session, world.ours.site_id)}


def test_what_was_dialled_at_a_phone_is_shown(world: ApiWorld) -> None:
    at = int(world.clock.now().timestamp() * 1000)
    dial = json.dumps({"slot": "3", "destination": "203", "name": ""})
    values = {f"speed_dial/3/{world.user_id}": dial, f"blocked/203/{world.user_id}": True}
    made = [StateRecord(key=key, value=value, stamp=Stamp(wall_ms=at, node="edge-1")) for key, value in values.items()]
    with world.databases.api.session(world.ours.scope) as session:
        merge_records(session, world.ours.tenant_id, world.ours.site_id, made, world.clock.now())
    shown = world.user.get(own(world)).json
    assert (shown["blocked"], shown["speed_dials"][0]["destination"]) == (["203"], "203")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"blocked": ["0", "+"]}, {"blocked.0", "blocked.1"}),
        ({"blocked": ["not a number"]}, {"blocked.0"}),
        ({"blocked": [str(number) for number in range(1000, 1001 + MAX_BLOCKED)]}, {"blocked"}),
        (
            {"speed_dials": [{"slot": "1", "destination": "201"}, {"slot": "1", "destination": "202"}]},
            {"speed_dials.1.slot"},
        ),
        ({"speed_dials": [{"slot": "100", "destination": "201"}]}, {"speed_dials.0.slot"}),
        ({"speed_dials": [{"slot": "1", "destination": ""}]}, {"speed_dials.0.destination"}),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(world: ApiWorld, changes: dict[str, Any], fields: set[str]) -> None:
    answer = world.user.patch(own(world), changes)
    assert (answer.status, answer.fields) == (422, fields)
    assert records(world) == {}


def test_what_a_user_shows_outside_is_the_administrators_to_say_and_is_published(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}"
    assert world.user.patch(path, {"caller_id": "+41441112233"}).status == 403
    changed = world.admin.patch(path, {"caller_id": "+41441112233", "anonymous": True}).json
    assert (changed["caller_id"], changed["anonymous"]) == ("+41441112233", True)
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    (user,) = [one for one in snapshot.users if one.user_id == str(world.user_id)]
    assert (user.caller_id, user.anonymous) == ("+41441112233", True)
    assert world.admin.patch(path, {"caller_id": None}).json["caller_id"] is None
    assert world.admin.patch(path, {"caller_id": "x"}).fields == {"caller_id"}


def test_a_line_is_shared_by_its_number_of_appearances(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}"
    assert world.user.patch(path, {"appearances": 3}).status == 403
    assert world.admin.get(path).json["appearances"] == 0
    assert world.admin.patch(path, {"appearances": 3}).json["appearances"] == 3
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    assert [one.appearances for one in snapshot.users if one.user_id == str(world.user_id)] == [3]
    assert world.admin.patch(path, {"appearances": 25}).fields == {"appearances"}
