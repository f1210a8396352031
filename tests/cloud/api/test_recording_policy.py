"""Which calls a site records: kept as what differs, checked field by field, shown, and in the snapshot."""

import pytest

from cloud.pbx.compiler import compile_site
from cloud.pbx.database import PLATFORM
from contract.snapshot import RecordingOnDemand, RecordingPolicy, RecordingRule
from tests.support.api_world import ApiWorld


def where(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def compiled(world: ApiWorld) -> RecordingPolicy:
    with world.databases.api.session(PLATFORM) as session:
        return compile_site(session, world.ours.site_id, 1).site.recording


def test_what_is_decided_is_shown_and_reaches_the_snapshot_and_null_takes_it_back(world: ApiWorld) -> None:
    assert world.admin.get(where(world)).json["recording"] == RecordingPolicy().model_dump(mode="json")
    rule = {"name": "Sales", "direction": "in", "user_ids": [str(world.user_id)], "calls": "all", "group_ids": ["g"]}
    changed = world.admin.patch(where(world), {"recording": {"rules": [rule], "kept_days": 30}})
    assert changed.status == 200, changed.body
    wanted = RecordingRule(
        name="Sales",
        calls="all",
        direction="in",
        user_ids=(str(world.user_id),),
        group_ids=("g",),
        announcement="before",
    )
    assert compiled(world) == RecordingPolicy(rules=(wanted,), kept_days=30)
    assert changed.json["recording"] == compiled(world).model_dump(mode="json")
    world.admin.patch(where(world), {"recording": {"rules": None, "longest_minutes": 30}})
    assert compiled(world) == RecordingPolicy(longest_minutes=30, kept_days=30)


def test_how_users_record_is_decided_as_one_and_taken_back_by_null(world: ApiWorld) -> None:
    changed = world.admin.patch(where(world), {"recording": {"on_demand": {"keys": "*1"}}})
    assert changed.status == 200, changed.body
    assert compiled(world) == RecordingPolicy(on_demand=RecordingOnDemand(keys="*1"))
    assert changed.json["recording"]["on_demand"] == {"announcement": "before", "keys": "*1"}
    world.admin.patch(where(world), {"recording": {"on_demand": {"announcement": "none"}}})
    assert compiled(world) == RecordingPolicy(on_demand=RecordingOnDemand(announcement="none"))
    world.admin.patch(where(world), {"recording": {"on_demand": None}})
    assert compiled(world) == RecordingPolicy()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kept_days": 0}, "kept_days"),
        ({"longest_minutes": 1000}, "longest_minutes"),
        ({"disk_mb": 1}, "disk_mb"),
        ({"rules": [{"name": "One", "direction": "sideways"}]}, "direction"),
        ({"rules": [{"name": "One", "announcement": "after"}]}, "announcement"),
        ({"rules": [{"name": "One", "calls": "none"}]}, "calls"),
        ({"on_demand": {"keys": "*"}}, "keys"),
        ({"on_demand": {"keys": "record"}}, "keys"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(world: ApiWorld, change: dict[str, object], field: str) -> None:
    refused = world.admin.patch(where(world), {"recording": change})
    assert refused.status == 422, refused.body
    assert field in refused.body.decode()
    assert compiled(world) == RecordingPolicy()
