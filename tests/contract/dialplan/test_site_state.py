"""Site state records, as routing reads them."""

import json

import pytest

from contract.dialplan import SiteState
from contract.dialplan.site_state import MAX_BLOCKED, site_state
from contract.snapshot import Forwarding, User
from contract.sync.state import Stamp, StateRecord
from tests.contract.dialplan.office import user

USERS = {
    "u200": user("200", forwarding=Forwarding(busy="201", no_answer="202", ring_seconds=15)),
    "u201": user("201"),
}


def read(*records: tuple[str, str | bool | int | None], users: dict[str, User] = USERS) -> SiteState:
    stamp = Stamp(wall_ms=1, node="edge-1")
    return site_state([StateRecord(key=key, value=value, stamp=stamp) for key, value in records], users)


def test_do_not_disturb_counts_while_it_is_on() -> None:
    found = read(("do_not_disturb/u200", True), ("do_not_disturb/u201", False), ("do_not_disturb/gone", True))
    assert found.do_not_disturb == {"u200"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("forward_always/u200", "+41790001122", {"always": "+41790001122"}),
        ("forward_busy/u200", "203", {"busy": "203"}),
        ("forward_busy/u200", False, {"busy": None}),
        ("forward_no_answer/u200", "", {"no_answer": None}),
        ("forward_unregistered/u200", "203", {"unregistered": "203"}),
        ("ring_seconds/u200", 45, {"ring_seconds": 45}),
    ],
)
def test_each_field_changes_what_the_snapshot_has(
    key: str, value: str | bool | int, expected: dict[str, object]
) -> None:
    before = USERS["u200"].forwarding
    assert read((key, value)).forwarding["u200"] == before.model_copy(update=expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("forward_busy/u200", None),
        ("forward_busy/u200", 7),
        ("forward_busy/u200", True),
        ("ring_seconds/u200", 0),
        ("ring_seconds/u200", "soon"),
        ("forward_always/u200", "not a user\n"),
        ("find_me/u200", "{"),
        ("find_me/u200", True),
        ("find_me/u200", json.dumps([{"destination": "201", "colour": "red"}])),
        ("something_else/u200", "201"),
    ],
)
def test_a_tombstone_or_nonsense_leaves_the_snapshots(key: str, value: str | bool | int | None) -> None:
    forwarding = read((key, value)).forwarding.get("u200", USERS["u200"].forwarding)
    assert forwarding == USERS["u200"].forwarding


def test_find_me_is_a_json_list() -> None:
    found = read(("find_me/u201", json.dumps([{"destination": "200", "seconds": 12}]))).forwarding["u201"]
    assert [(one.destination, one.seconds) for one in found.find_me] == [("200", 12)]


def test_several_fields_of_a_user_add_up_in_any_order() -> None:
    records = (("forward_busy/u201", "200"), ("ring_seconds/u201", 5), ("do_not_disturb/u201", True))
    assert read(*records) == read(*reversed(records))
    assert read(*records).forwarding["u201"] == Forwarding(busy="200", ring_seconds=5)


def test_each_switch_counts_while_it_is_on() -> None:
    kinds = ("no_second_call", "no_anonymous", "no_intercom")
    found = read(*((f"{kind}/u200", True) for kind in kinds), *((f"{kind}/u201", False) for kind in kinds))
    assert [found.no_second_call, found.no_anonymous, found.no_intercom] == [frozenset({"u200"})] * 3


def test_blocked_numbers_are_a_record_each_and_bounded() -> None:
    many = [(f"blocked/{number}/u201", True) for number in range(1000, 1001 + MAX_BLOCKED)]
    found = read(("blocked/4179/u200", True), ("blocked/4180/u200", False), ("blocked/u200", True), *many)
    assert found.blocked["u200"] == {"4179"}
    assert len(found.blocked["u201"]) == MAX_BLOCKED


@pytest.mark.parametrize("value", ["x", "{}", '{"slot":"8","destination":"201"}', True, 7, '{"slot":"7"}'])
def test_a_speed_dial_that_makes_no_sense_is_none(value: str | bool | int) -> None:
    good = '{"slot":"7","destination":"201","name":""}'
    assert read(("speed_dial/7/u200", good)).speed_dials["u200"]["7"].destination == "201"
    assert read(("speed_dial/7/u200", value)).speed_dials == {}


@pytest.mark.parametrize(
    "value", [False, 7, "x", "{}", '{"user_id":"gone","host_id":"u201"}', '{"user_id":"u200","host_id":"gone"}']
)
def test_a_hot_desk_is_of_users_of_the_site(value: str | bool | int) -> None:
    good = '{"user_id":"u200","host_id":"u201","until":0}'
    assert read(("hot_desk/line-1", good)).hot_desks["line-1"].user_id == "u200"
    assert read(("hot_desk/line-1", value)).hot_desks == {}
