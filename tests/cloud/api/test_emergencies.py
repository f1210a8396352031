"""Calls for help over the API, and where each device is: by hand, and by a list."""

from typing import Any

from cloud.pbx.compiler import compile_site
from cloud.pbx.database import PLATFORM
from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld

PLACES: list[dict[str, Any]] = [
    {"location_id": "floor-1", "name": "Floor 1", "caller_id": "+41441112201", "address": "Main Street 1, floor 1"},
    {
        "location_id": "floor-2",
        "name": "=Floor 2",
        "caller_id": "+41441112202",
        "civic": {"country": "CH", "city": "Zürich", "floor": "2"},
    },
]


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def with_places(world: ApiWorld, places: list[dict[str, Any]]) -> int:
    document = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    document |= {"locations": places, "emergency": {"callback_minutes": 90}}
    return world.admin.call("PUT", f"{site(world)}/dial-plan", {"document": document}, None).status


def device(world: ApiWorld, mac: str = "805ec0000077", **more: Any) -> dict[str, Any]:
    body = {"site_id": str(world.ours.site_id), "mac": mac, "model": "yealink/t54w", **more}
    answer = world.admin.post("/devices", body)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def test_a_device_has_a_place_that_reaches_the_edge(world: ApiWorld) -> None:
    assert with_places(world, PLACES) == 200
    made = device(world, emergency_location_id="floor-2")
    assert made["emergency_location_id"] == "floor-2"
    with world.databases.api.session(PLATFORM) as session:
        snapshot = compile_site(session, world.ours.site_id, 1)
    (one,) = [one for one in snapshot.devices if one.mac == "805ec0000077"]
    assert one.emergency_location_id == "floor-2"
    assert snapshot.dial_plan.emergency.callback_minutes == 90
    assert snapshot.dial_plan.locations[1].civic.elements() == [("country", "CH"), ("A3", "Zürich"), ("FLR", "2")]
    where = f"/devices/{made['id']}"
    assert world.admin.patch(where, {"emergency_location_id": "floor-1"}).json["emergency_location_id"] == "floor-1"
    assert world.admin.patch(where, {"emergency_location_id": None}).json["emergency_location_id"] is None


def test_a_place_that_the_dial_plan_has_not_is_refused(world: ApiWorld) -> None:
    made = device(world)
    for location in ("floor-1", ""):
        answer = world.admin.patch(f"/devices/{made['id']}", {"emergency_location_id": location})
        assert (answer.status, answer.fields) == (422, {"emergency_location_id"})
    body = {"site_id": str(world.ours.site_id), "mac": "805ec0000078", "model": "yealink/t54w"}
    assert world.admin.post("/devices", {**body, "emergency_location_id": "attic"}).status == 422


def test_a_place_where_a_device_is_cannot_be_taken_away(world: ApiWorld) -> None:
    assert with_places(world, PLACES) == 200
    device(world, emergency_location_id="floor-2")
    assert with_places(world, PLACES[:1]) == 422
    assert with_places(world, PLACES) == 200


def test_a_list_says_where_devices_are_by_name_or_id(world: ApiWorld) -> None:
    assert with_places(world, PLACES) == 200
    text = (
        "mac,model,location\n805ec0000001,yealink/t54w,Floor 1\n"
        "805ec0000002,yealink/t54w,floor-2\n805ec0000003,yealink/t54w,\n"
    )
    assert world.admin.post(f"{site(world)}/device-import", {"csv": text}).status == 201
    made = {one["mac"]: one["emergency_location_id"] for one in world.admin.get("/devices?limit=200").json["items"]}
    assert [made[f"805ec000000{number}"] for number in (1, 2, 3)] == ["floor-1", "floor-2", None]
    listed = world.admin.get(f"{site(world)}/device-list").json["csv"]
    assert "805ec0000001,yealink/t54w,,,,Floor 1\r\n" in listed
    assert "805ec0000002,yealink/t54w,,,,'=Floor 2\r\n" in listed
    bad = world.admin.post(f"{site(world)}/device-import", {"csv": "mac,location\n805ec0000004,Attic\n"})
    assert (bad.status, bad.fields) == (422, {"line 2.location"})


def test_calls_for_help_are_listed_and_nobody_elses(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    (one,) = world.admin.get(f"/emergencies?site_id={things['site_id']}").json["items"]
    assert (one["id"], one["number"], one["location_name"]) == (things["emergency_id"], "112", "Floor 1")
    assert world.stranger.get("/emergencies").json["items"] == []
