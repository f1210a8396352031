"""A delta leads from one snapshot to another, whatever the two are."""

import pytest
from hypothesis import given

from contract.snapshot import Snapshot, manifest
from contract.sync.delta import DeltaMismatch, Records, SnapshotDelta, apply, diff
from tests.support.example_site import RECEPTION, WORKSHOP, small_site, snapshots


@given(snapshots(), snapshots())
def test_applying_the_difference_gives_the_new_snapshot(old: Snapshot, new: Snapshot) -> None:
    delta = SnapshotDelta.model_validate_json(diff(old, new).model_dump_json())
    applied = apply(old, delta)
    assert (applied, manifest(applied)) == (new, manifest(new))


@given(snapshots())
def test_equal_snapshots_differ_in_nothing(snapshot: Snapshot) -> None:
    assert diff(snapshot, snapshot).changes == ()


def test_a_delta_carries_changed_records_only() -> None:
    renamed = small_site(version=2, users=(RECEPTION, WORKSHOP.model_copy(update={"display_name": "Garage"})))
    (change,) = diff(small_site(), renamed).changes
    assert isinstance(change, Records)
    assert [record["user_id"] for record in change.upserted] == ["user-201"]
    assert change.removed == ()


@pytest.mark.parametrize(("before", "after"), [(0, False), (True, 1), (1, "1")])
def test_a_setting_that_python_takes_for_equal_is_a_change_all_the_same(before: object, after: object) -> None:
    (device,) = small_site().devices
    old = small_site(devices=(device.model_copy(update={"settings": {"lcd/light": before}}),))
    new = small_site(version=2, devices=(device.model_copy(update={"settings": {"lcd/light": after}}),))
    assert apply(old, diff(old, new)).devices[0].settings["lcd/light"] is after


def test_removing_every_record_is_said_and_not_left_out() -> None:
    empty = small_site(version=2, lines=(), devices=())
    assert {change.section for change in diff(small_site(), empty).changes} == {"lines", "devices"}
    assert apply(small_site(), diff(small_site(), empty)) == empty


def test_a_delta_from_another_version_does_not_fit() -> None:
    delta = diff(small_site(version=2), small_site(version=3))
    with pytest.raises(DeltaMismatch, match="starts from version 2, here is 1"):
        apply(small_site(version=1), delta)


def test_a_delta_onto_other_content_is_noticed() -> None:
    delta = diff(small_site(), small_site(version=2, lines=()))
    other = small_site(users=(RECEPTION, WORKSHOP.model_copy(update={"display_name": "Garage"})))
    with pytest.raises(DeltaMismatch, match="differs from what the sender holds"):
        apply(other, delta)


def test_a_delta_that_leads_to_no_valid_snapshot_is_refused() -> None:
    delta = diff(small_site(), small_site(version=2, lines=(), users=()))
    broken = delta.model_copy(update={"changes": tuple(c for c in delta.changes if c.section == "users")})
    with pytest.raises(DeltaMismatch, match="not in the snapshot"):
        apply(small_site(), broken)


def test_a_record_without_its_id_is_refused() -> None:
    delta = diff(small_site(), small_site(version=2))
    broken = delta.model_copy(update={"changes": (Records(section="users", upserted=({"username": "x"},)),)})
    with pytest.raises(DeltaMismatch, match="no usable user_id"):
        apply(small_site(), broken)
