"""Number pools over the API: which numbers a tenant has, what they are used for, and the next free one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cloud.pbx.publishing import latest_snapshot, publish_site
from tests.support.api_world import ApiWorld


def made(world: ApiWorld, **more: Any) -> dict[str, Any]:
    answer = world.admin.post("/number-pools", {"name": "Block", "first": "+41445556600", "count": 10, **more})
    assert answer.status == 201, answer.body
    pool: dict[str, Any] = answer.json
    return pool


def numbers(world: ApiWorld, pool: dict[str, Any], rest: str = "") -> list[dict[str, Any]]:
    answer = world.admin.get(f"/number-pools/{pool['id']}/numbers{rest}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def assign(world: ApiWorld, pool: dict[str, Any], destination: str = "200", **more: Any) -> Any:
    body = {"site_id": str(world.ours.site_id), "destination": destination, **more}
    return world.admin.post(f"/number-pools/{pool['id']}/assignments", body)


def test_the_next_free_number_is_given_to_somebody_and_published(world: ApiWorld) -> None:
    pool = made(world, first="044 555 66 00", country="CH")
    assert (pool["first"], pool["last"], pool["count"], pool["used"]) == ("+41445556600", "+41445556609", 10, 0)
    assert assign(world, pool, name="Reception").json["number"] == "+41445556600"
    assert assign(world, pool, number="+41445556605").json["number"] == "+41445556605"
    assert assign(world, pool).json["number"] == "+41445556601"
    assert world.admin.get(f"/number-pools/{pool['id']}").json["used"] == 3
    taken = assign(world, pool, number="+41445556605")
    assert taken.status == 409
    assert "+41445556605 is used at" in taken.json["detail"]
    free = [one["number"] for one in numbers(world, pool, "?free=true&limit=2")]
    assert free == ["+41445556602", "+41445556603"]
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    first = next(one for one in snapshot.dial_plan.numbers if one.number == "+41445556600")
    assert (first.destination, first.name) == ("200", "Reception")
    assert {"0041445556600", "0445556600"} <= set(first.also)
    plan = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]
    assert [one["also"] for one in plan["numbers"]] == [[], [], []]


def test_every_use_of_a_number_is_shown_however_it_is_written(world: ApiWorld) -> None:
    site = f"/sites/{world.ours.site_id}"
    assert world.admin.patch(site, {"sip": {"country": "CH"}}).status == 200
    pool = made(world)
    wanted = {"site_id": str(world.ours.site_id), "username": "reception", "display_name": "Reception"}
    shown = {**wanted, "aliases": ["0445556601"], "caller_id": "+41445556602"}
    assert world.admin.post("/users", shown).status == 201
    plan = world.admin.get(f"{site}/dial-plan").json["document"]
    plan["hunt_groups"] = [{"group_id": "g", "name": "Sales", "extension": "500", "aliases": ["0041445556603"]}]
    plan["locations"] = [{"location_id": "l", "name": "Floor 1", "caller_id": "445556604", "address": "Main Street 1"}]
    plan["numbers"] = [{"number": "0445556605", "destination": "500"}]
    saved = world.admin.put(f"{site}/dial-plan", {"document": plan})
    assert saved.status == 200, saved.body
    used = {
        one["number"][-1]: [(use["what"], use["destination"]) for use in one["uses"]]
        for one in numbers(world, pool)
        if one["uses"]
    }
    assert used == {
        "1": [("alias", "reception")],
        "2": [("caller_id", "reception")],
        "3": [("alias", "Sales")],
        "4": [("place", "Floor 1")],
        "5": [("number", "500")],
    }


def test_assignments_at_one_moment_take_different_numbers(world: ApiWorld) -> None:
    pool = made(world, count=4)
    with ThreadPoolExecutor(4) as executor:
        answers = list(executor.map(lambda _: assign(world, pool), range(6)))
    assert sorted(one.status for one in answers) == [201, 201, 201, 201, 409, 409]
    assert len({one.json["number"] for one in answers if one.status == 201}) == 4
    assert all("Every number of Block is used" in one.json["detail"] for one in answers if one.status == 409)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"first": "0445556600"}, {"first"}),
        ({"first": "123", "country": "CH"}, {"first"}),
        ({"first": "0445556600", "country": "XX"}, {"country"}),
        ({"count": 0}, {"count"}),
        ({"count": 10_001}, {"count"}),
        ({"first": "+41449999999", "count": 2}, {"count"}),
        ({"name": ""}, {"name"}),
    ],
)
def test_what_is_no_pool_is_refused_by_its_field(world: ApiWorld, body: dict[str, Any], fields: set[str]) -> None:
    answer = world.admin.post("/number-pools", {"name": "Block", "first": "+41445556600", "count": 10, **body})
    assert (answer.status, answer.fields) == (422, fields)


def test_a_number_that_is_not_of_the_pool_or_a_site_that_is_not_the_tenants_is_refused(world: ApiWorld) -> None:
    pool = made(world)
    assert assign(world, pool, number="+41445556610").fields == {"number"}
    assert assign(world, pool, site_id=str(world.theirs.site_id)).fields == {"site_id"}


def test_pools_do_not_overlap_within_a_tenant_and_may_between_tenants(world: ApiWorld) -> None:
    made(world)
    answer = world.admin.post("/number-pools", {"name": "More", "first": "+41445556609", "count": 1})
    assert answer.status == 409
    assert answer.json["detail"] == "Block has +41445556600 to +41445556609 already"
    assert made(world, first="+41445556610")["last"] == "+41445556619"
    theirs = world.stranger.post("/number-pools", {"name": "Theirs", "first": "+41445556600", "count": 10})
    assert theirs.status == 201
    assert [one["name"] for one in world.stranger.get("/number-pools").json["items"]] == ["Theirs"]


def test_a_pool_is_renamed_and_forgotten_and_its_numbers_stay_where_they_are(world: ApiWorld) -> None:
    pool = made(world)
    assert assign(world, pool).status == 201
    path = f"/number-pools/{pool['id']}"
    assert world.admin.patch(path, {"name": "Office"}).json["name"] == "Office"
    assert world.admin.patch(path, {"first": "+41445556700"}).status == 422
    assert world.user.get("/number-pools").status == 403
    assert world.stranger.get(path).status == 404
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).status == 404
    plan = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]
    assert [one["number"] for one in plan["numbers"]] == ["+41445556600"]
