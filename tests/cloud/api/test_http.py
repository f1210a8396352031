"""What holds for every resource: entity tags, pages, problems, bodies that are none."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.api.chalicelib import etag
from cloud.api.chalicelib.paging import decode_cursor, decode_names, encode_cursor, encode_names
from cloud.pbx.errors import FieldProblem, Invalid
from cloud.pbx.pages import Position
from tests.support.api_things import furnish, new_call
from tests.support.api_world import ApiWorld


def test_a_poller_who_holds_the_newest_gets_304_until_something_changes(world: ApiWorld) -> None:
    for target in ("/users", f"/users/{world.user_id}", "/sites"):
        first = world.admin.get(target)
        assert first.headers["cache-control"] == "no-cache"
        held = {"If-None-Match": first.headers["etag"]}
        answer = world.admin.get(target, headers=held)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == first.headers["etag"]
        assert "content-type" not in answer.headers
        assert world.admin.get(target, headers={"If-None-Match": f'"x", W/{held["If-None-Match"]}'}).status == 304
    users = world.admin.get("/users").headers["etag"]
    assert world.admin.patch(f"/users/{world.user_id}", {"display_name": "Front"}).status == 200
    assert world.admin.get("/users", headers={"If-None-Match": users}).status == 200


def test_an_edge_that_comes_online_changes_what_pollers_see_and_refuses_no_edit(world: ApiWorld) -> None:
    site = f"/sites/{world.ours.site_id}"
    before = world.admin.get(site).headers["etag"]
    edge = world.admin.post("/edges", {"site_id": str(world.ours.site_id)})
    assert edge.status == 201
    assert world.admin.get(site, headers={"If-None-Match": before}).status == 200
    assert world.admin.patch(site, {"name": "Head office"}, headers={"If-Match": before}).status == 200


def test_a_change_based_on_an_older_version_is_refused(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}"
    tag = world.admin.get(path).headers["etag"]
    changed = world.admin.patch(path, {"display_name": "One"}, headers={"If-Match": tag})
    assert changed.status == 200
    late = world.admin.patch(path, {"display_name": "Two"}, headers={"If-Match": tag})
    assert late.status == 412
    assert late.json["type"] == "urn:tandem:problem:changed"
    assert world.admin.delete(path, headers={"If-Match": tag}).status == 412
    assert world.admin.patch(path, {"display_name": "Two"}, headers={"If-Match": '"not ours"'}).status == 412
    newest = changed.headers["etag"]
    assert world.admin.patch(path, {"display_name": "Two"}, headers={"If-Match": newest}).status == 200
    assert world.admin.patch(path, {"display_name": "Three"}, headers={"If-Match": "*"}).status == 200
    assert world.admin.patch(path, {"display_name": "Four"}).status == 200


def test_a_merge_patch_may_be_called_by_its_own_name(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}"
    named = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    assert world.admin.patch(path, {"display_name": "Front"}, headers=named).json["display_name"] == "Front"


def test_pages_show_each_thing_once_also_when_some_are_added_meanwhile(world: ApiWorld) -> None:
    site = str(world.ours.site_id)
    for number in range(6):
        assert world.admin.post("/users", {"site_id": site, "username": f"30{number}"}).status == 201
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.admin.get(f"/users?limit=2{f'&cursor={cursor}' if cursor else ''}").json
        seen += [user["username"] for user in page["items"]]
        assert len(page["items"]) <= 2
        cursor = page["next"]
        if len(seen) == 4:
            assert world.admin.post("/users", {"site_id": site, "username": "399"}).status == 201
    assert seen == ["200", "300", "301", "302", "303", "304", "305", "399"]


def test_calls_of_the_same_moment_are_each_on_one_page(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    edge = world.services.tokens.id()
    with world.databases.worker.session(world.ours.scope) as session:
        session.add_all([new_call(world, world.ours, edge, f"more-{number}") for number in range(4)])
    seen: list[str] = []
    target: str | None = "/calls?limit=2"
    while target is not None:
        page = world.admin.get(target).json
        seen += [call["id"] for call in page["items"]]
        target = f"/calls?limit=2&cursor={page['next']}" if page["next"] else None
    assert len(seen) == len(set(seen)) == 5
    assert things["record_id"] in seen


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=%00", "cursor=bm9uZQ", "site_id=x"])
def test_a_query_that_makes_no_sense_is_told_by_its_field(world: ApiWorld, query: str) -> None:
    answer = world.admin.get(f"/users?{query}")
    assert answer.status == 422
    assert answer.fields == {query.split("=", maxsplit=1)[0]}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b'{"site_id": NaN}', 422),
        (b"[" * 100_000, 422),
        (b'{"n": ' + b"9" * 5000 + b"}", 422),
        (b'{"display_name": "\\u0000"}', 422),
        (b'{"display_name": "\\ud800"}', 422),
        (b"\xff\xfe", 400),
        (b"x" * (1024 * 1024 + 1), 413),
    ],
)
def test_a_body_that_is_none_is_refused_and_not_echoed(world: ApiWorld, raw: bytes, status: int) -> None:
    answer = world.admin.call("POST", "/users", raw=raw)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.body) < 2000


def test_a_nul_in_a_settings_value_never_reaches_the_database(world: ApiWorld) -> None:
    device = furnish(world, world.admin, world.ours)["device_id"]
    raw = b'{"settings": {"sip/transport": "\\u0000"}}'
    assert world.admin.call("PATCH", f"/devices/{device}", raw=raw).status == 422


def test_an_unknown_address_method_or_media_type_is_a_problem_too(world: ApiWorld) -> None:
    for client in (world.admin, world.anyone):
        answer = client.get("/nothing/here")
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert world.admin.get("/users/not-an-id").status == 404
    wrong = world.admin.call("PUT", "/users")
    assert (wrong.status, wrong.headers["content-type"]) == (405, "application/problem+json")
    assert "GET" in wrong.headers["allow"]
    text = world.admin.call("POST", "/users", raw=b"a=b", headers={"Content-Type": "text/plain"})
    assert (text.status, text.headers["content-type"]) == (415, "application/problem+json")


def test_an_error_of_our_own_tells_nothing_of_how_we_work(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("cloud.pbx.users.list_users", fail)
    answer = world.admin.get("/users")
    assert answer.status == 500
    assert answer.json["type"] == "urn:tandem:problem:internal-error"
    assert "secret inside" not in answer.body.decode()
    assert "request_failed" in caplog.text


def test_no_password_is_in_the_representation_of_anything_that_holds_one(world: ApiWorld) -> None:
    assert "correct horse" not in repr(world.services)
    assert "kkkk" not in repr(world.services)


@given(st.datetimes(timezones=st.just(UTC)) | st.none(), st.uuids())
def test_a_cursor_is_read_back_as_it_was_written(at: Any, id_: Any) -> None:
    position = Position(at, id_)
    text = encode_cursor(position)
    assert text is not None
    assert decode_cursor(text) == position


@given(st.text(max_size=255), st.text(max_size=64))
def test_a_cursor_of_names_is_read_back_as_it_was_written(name: str, id_: str) -> None:
    text = encode_names((name, id_))
    assert text is not None
    assert decode_names(text, 2) == (name, id_)
    with pytest.raises(Invalid):
        decode_names(text, 3)


@pytest.mark.parametrize("decode", [decode_cursor, lambda text: decode_names(text, 2)])
@given(text=st.text(max_size=80))
@settings(max_examples=300)
def test_any_text_is_a_cursor_or_our_one_error(decode: Callable[[str], object], text: str) -> None:
    told: tuple[FieldProblem, ...] = ()
    try:
        decode(text)
    except Invalid as error:
        told = error.problems
    assert all(problem.field == "cursor" for problem in told)


@given(st.text(max_size=80))
def test_any_if_match_header_is_a_version_none_or_none_of_ours(text: str) -> None:
    version = etag.expected_version(text)
    assert version is None or version >= -1


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.integers(1, 10**9 - 1))
def test_an_etag_gives_back_the_version_that_it_was_made_of(body: dict[str, Any], version: int) -> None:
    tag = etag.etag_of({**body, "version": version})
    assert etag.expected_version(tag) == version
    assert etag.is_known(tag, tag)
