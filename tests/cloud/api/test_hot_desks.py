"""Who is logged in at whose phone, over the API."""

from datetime import timedelta
from typing import Any

from cloud.pbx.state import merge_records, site_records
from contract.dialplan.hot_desks import HotDesk
from contract.sync.state import Stamp, StateRecord
from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld


def logged_in(world: ApiWorld, line_id: str, host_id: str, until: int = 0) -> None:
    """As an edge reports it."""
    desk = HotDesk(user_id=str(world.user_id), host_id=host_id, until=until)
    now = world.clock.now()
    stamp = Stamp(wall_ms=int(now.timestamp() * 1000), node="edge-1")
    record = StateRecord(key=f"hot_desk/{line_id}", value=desk.model_dump_json(), stamp=stamp)
    with world.databases.api.session(world.ours.scope) as session:
        merge_records(session, world.ours.tenant_id, world.ours.site_id, [record], now)


def listed(world: ApiWorld) -> list[dict[str, Any]]:
    answer = world.admin.get(f"/sites/{world.ours.site_id}/hot-desks")
    assert answer.status == 200, answer.body
    return list(answer.json["items"])


def test_who_is_logged_in_is_listed_until_his_time_is_over(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    assert listed(world) == []
    logged_in(world, "00000000-0000-0000-0000-000000000000", things["user_id"])
    assert listed(world) == []
    logged_in(world, things["line_id"], things["user_id"], int(world.clock.now().timestamp()) + 60)
    (one,) = listed(world)
    assert (one["line_id"], one["user_id"], one["host_id"]) == (
        things["line_id"],
        str(world.user_id),
        things["user_id"],
    )
    world.clock.advance(timedelta(seconds=61).total_seconds())
    assert listed(world) == []


def test_an_administrator_logs_somebody_out_and_it_is_on_record(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    logged_in(world, things["line_id"], things["user_id"])
    path = f"/sites/{world.ours.site_id}/hot-desks/{things['line_id']}"
    assert world.user.delete(path).status == 403
    assert world.stranger.delete(path).status == 404
    assert world.admin.delete(path).status == 204
    assert listed(world) == []
    assert world.admin.delete(path).status == 404
    with world.databases.api.session(world.ours.scope) as session:
        (record,) = [one for one in site_records(session, world.ours.site_id) if one.key.startswith("hot_desk/")]
    assert record.value is None
    assert world.admin.get("/audit").json["items"][0]["action"] == "hot_desk.logged_out"
