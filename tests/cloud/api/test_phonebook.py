"""A site's phonebook and directory over the API."""

from typing import Any

import pytest

from cloud.pbx.publishing import latest_snapshot, publish_site
from tests.support.api_world import Answer, ApiWorld


def book(world: ApiWorld, rest: str = "") -> str:
    return f"/sites/{world.ours.site_id}/phonebook{rest}"


def put(world: ApiWorld, name: str, *numbers: str) -> dict[str, Any]:
    answer = world.admin.post(book(world), {"name": name, "numbers": list(numbers)})
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


def found(world: ApiWorld, search: str, limit: int = 50) -> list[tuple[str, str, list[str]]]:
    answer = world.user.get(f"/sites/{world.ours.site_id}/directory?search={search}&limit={limit}")
    assert answer.status == 200, answer.body
    return [(one["kind"], one["name"], one["numbers"]) for one in answer.json["items"]]


def test_an_entry_is_made_changed_published_and_deleted(world: ApiWorld) -> None:
    entry = put(world, "Plumber", "+41441112233", "0791112233")
    path = book(world, f"/{entry['id']}")
    changed = world.admin.patch(path, {"name": "Plumber and Sons"})
    assert (changed.json["name"], changed.json["version"]) == ("Plumber and Sons", 2)
    assert world.admin.patch(path, {"name": "X"}, {"If-Match": '"1.ab"'}).status == 412
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    assert [(one.name, one.numbers) for one in snapshot.phonebook] == [
        ("Plumber and Sons", ("+41441112233", "0791112233"))
    ]
    assert world.admin.delete(path).status == 204
    assert world.admin.get(book(world)).json["items"] == []


def test_anybody_of_the_site_looks_for_colleagues_and_for_the_phonebook(world: ApiWorld) -> None:
    put(world, "Plumber", "+41441112233")
    put(world, "Ann's Garage", "0790001122")
    wanted = {"site_id": str(world.ours.site_id), "username": "reception", "display_name": "Plum Tree"}
    assert world.admin.post("/users", {**wanted, "extension": "300"}).status == 201
    assert found(world, "plum") == [("user", "Plum Tree", ["300"]), ("phonebook", "Plumber", ["+41441112233"])]
    assert found(world, "1112") == [("phonebook", "Plumber", ["+41441112233"])]
    assert found(world, "%25") == []
    whole = world.user.get(f"/sites/{world.ours.site_id}/directory?limit=1").json
    assert (len(whole["items"]), whole["more"]) == (1, True)


def test_the_phonebook_is_the_administrators_and_the_tenants(world: ApiWorld) -> None:
    entry = put(world, "Plumber", "+41441112233")
    assert world.user.post(book(world), {"name": "X", "numbers": ["1"]}).status == 403
    assert world.user.get(book(world)).status == 403
    assert world.stranger.get(book(world)).status == 404
    assert world.stranger.delete(book(world, f"/{entry['id']}")).status == 404
    assert world.stranger.get(f"/sites/{world.ours.site_id}/directory").status == 404


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "", "numbers": ["1"]}, {"name"}),
        ({"name": "X", "numbers": []}, {"numbers"}),
        ({"name": "X", "numbers": ["call me"]}, {"numbers.0"}),
        ({"name": "X", "numbers": ["1"] * 9}, {"numbers"}),
    ],
)
def test_what_is_no_entry_is_refused_by_its_field(world: ApiWorld, body: dict[str, Any], fields: set[str]) -> None:
    answer: Answer = world.admin.post(book(world), body)
    assert (answer.status, answer.fields) == (422, fields)
