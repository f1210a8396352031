"""Whom a user is called back for, over the API."""

from typing import Any

from cloud.pbx.state import merge_records, site_records
from contract.sync.state import Stamp, StateRecord
from tests.support.api_world import ApiWorld


def somebody_else(world: ApiWorld) -> str:
    """Another user of the site."""
    body = {"site_id": str(world.ours.site_id), "username": "277", "extension": "277", "display_name": "Workshop"}
    made = world.admin.post("/users", body)
    assert made.status == 201, made.body
    return str(made.json["id"])


def waits(world: ApiWorld, other_id: str, value: str | bool) -> None:
    """As an edge reports it."""
    now = world.clock.now()
    stamp = Stamp(wall_ms=int(now.timestamp() * 1000), node="edge-1")
    record = StateRecord(key=f"call_back/{other_id}/{world.user_id}", value=value, stamp=stamp)
    with world.databases.api.session(world.ours.scope) as session:
        merge_records(session, world.ours.tenant_id, world.ours.site_id, [record], now)


def in_a_minute(world: ApiWorld) -> str:
    return str(int(world.clock.now().timestamp()) + 60)


def listed(world: ApiWorld) -> list[dict[str, Any]]:
    answer = world.user.get(f"/users/{world.user_id}/call-backs")
    assert answer.status == 200, answer.body
    return list(answer.json["items"])


def test_a_user_sees_whom_he_is_called_back_for_until_that_is_given_up(world: ApiWorld) -> None:
    other = somebody_else(world)
    assert listed(world) == []
    for unreadable in ("soon", "9" * 30, True):
        waits(world, other, unreadable)
        assert listed(world) == []
        world.clock.advance(1)
    waits(world, other, in_a_minute(world))
    (one,) = listed(world)
    assert one["user_id"] == other
    assert one["username"] == world.admin.get(f"/users/{other}").json["username"]
    world.clock.advance(61)
    assert listed(world) == []


def test_a_user_waits_no_more_for_somebody_and_it_is_on_record(world: ApiWorld) -> None:
    other = somebody_else(world)
    waits(world, other, in_a_minute(world))
    path = f"/users/{world.user_id}/call-backs/{other}"
    assert world.stranger.delete(path).status == 404
    assert world.user.delete(f"/users/{other}/call-backs/{world.user_id}").status == 404, "somebody else's"
    world.clock.advance(1)
    assert world.user.delete(path).status == 204
    assert listed(world) == []
    assert world.admin.delete(path).status == 404
    with world.databases.api.session(world.ours.scope) as session:
        (record,) = [one for one in site_records(session, world.ours.site_id) if one.key.startswith("call_back/")]
    assert record.value is None
    assert world.admin.get("/audit").json["items"][0]["action"] == "user.call_back_cancelled"


def test_nobody_but_the_user_and_administrators_sees_whom_he_waits_for(world: ApiWorld) -> None:
    other = somebody_else(world)
    assert world.user.get(f"/users/{other}/call-backs").status == 404
    assert world.stranger.get(f"/users/{world.user_id}/call-backs").status == 404
    assert world.admin.get(f"/users/{world.user_id}/call-backs").status == 200
