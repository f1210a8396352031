"""Every endpoint of the OpenAPI document, asked by somebody of another tenant; a new endpoint is walked by itself."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cloud.api.app import make_api
from cloud.api.chalicelib.openapi import describe
from cloud.api.chalicelib.tokens import ROLES
from tests.support.api_things import furnish
from tests.support.api_world import Answer, ApiWorld, Client
from tests.support.customers import TOKENS

KNOWN_HERE = {"/sites/{site_id}/conference-recordings"}
"""Of what edges are asked: what the cloud answers as far as it knows, too."""
EXAMPLES: dict[str, Any] = {
    "certificate_authorities": "",
    "country": "DE",
    "first": "+49305556600",
    "number": "+41445556607",
    "on_demand": {"keys": "*1"},
    "trusted_peers": [],
    "mac": "001565ddeeff",
    "model": "yealink/t54w",
    "domain": "new.tandem.test",
    "email": "new@tandem.test",
    "password": "correct horse battery",
    "password_ref": "secret:1",
    "reason": "",
    "register_seconds": 60,
    "qualify_seconds": 60,
    "session_expires": 1800,
    "current_password": "not it",
    "new_password": "correct horse battery",
    "time_zone": "UTC",
    "api_url": "https://rps.tandem.test/",
    "phones_url": "https://{host}/",
    "service": "snom_sraps",
    "url": "https://hooks.tandem.test/new",
    "username": "new",
    "name": "New",
    "role": "user",
    "position": 9,
    "start": 0,
    "end": 60,
    "host": "192.0.2.9",
    "sip_host": "192.0.2.9",
    "digest": "ab" * 32,
    "party_id": "0123456789abcdef",
}
"""A valid value for fields whose schema alone does not tell one."""

MOMENTS = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01"}


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def role(self) -> str | None:
        """The lowest role that may use it."""
        return next((role for need in self.spec["security"] for role in need["bearer"]), None)

    @property
    def path_ids(self) -> list[str]:
        """The names of its path parameters."""
        return re.findall(r"\{(\w+)\}", self.path)

    def target(self, things: dict[str, str]) -> str:
        """Its address with these ids."""
        return re.sub(r"\{(\w+)\}", lambda match: things[match[1]], self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(make_api())


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method.upper(), path, spec)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]


def example(document: dict[str, Any], schema: dict[str, Any], name: str, things: dict[str, str]) -> Any:
    """A value for a schema: of things where it is an id, from EXAMPLES where a field is known, else made up."""
    if "$ref" in schema:
        return example(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], name, things)
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example(document, schema["anyOf"][0], name, things)
    if schema.get("format") == "uuid":
        return things[name]
    if schema.get("format") in MOMENTS:
        return MOMENTS[schema["format"]]
    if name in EXAMPLES:
        return EXAMPLES[name]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {field: example(document, inner, field, things) for field, inner in properties.items()}
        case "array":
            wanted = "$ref" in schema["items"] or schema.get("minItems")
            return [example(document, schema["items"], name, things)] if wanted else []
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    return "1" if "[0-9" in schema.get("pattern", "") else "example"


def body_of(document: dict[str, Any], operation: Operation, things: dict[str, str]) -> Any:
    """A body that the operation accepts, with these ids."""
    if "requestBody" not in operation.spec:
        return None
    return example(document, operation.spec["requestBody"]["content"]["application/json"]["schema"], "", things)


def ids_in(body: Any, things: dict[str, str], at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of ids in a body."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key in things and value == things[key]:
                yield (*at, key)
            else:
                yield from ids_in(value, things, (*at, key))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from ids_in(value, things, (*at, place))


def with_id(body: Any, at: tuple[str | int, ...], value: str) -> Any:
    """The body with another id at this place."""
    changed = copy.deepcopy(body)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return changed


def without_random(answer: Answer) -> tuple[int, Any]:
    """What of an answer must not depend on whose id it was."""
    return answer.status, answer.json


def test_path_ids_of_another_tenant_are_not_there(
    world: ApiWorld, document: dict[str, Any], operations: list[Operation]
) -> None:
    ours = furnish(world, world.admin, world.ours)
    theirs = furnish(world, world.stranger, world.theirs, mac="001565aabbcd")
    untouched = (world.admin.get(f"/users/{ours['user_id']}").json, world.admin.get("/devices").json)
    walked = 0
    for operation in operations:
        names = [name for name in operation.path_ids if name not in {"vendor", "model", "version"}]
        if not names or operation.role not in {"user", "tenant_admin"}:
            continue
        assert all(name in ours for name in names), f"teach furnish() to make what {operation} names"
        answer = world.stranger.call(
            operation.method, operation.target({**theirs, **ours}), body_of(document, operation, theirs)
        )
        assert answer.status == 404, f"{operation}: {answer.status} {answer.body!r}"
        assert answer.json["type"] == "urn:tandem:problem:not-found", str(operation)
        walked += 1
    assert walked >= 25
    assert untouched == (world.admin.get(f"/users/{ours['user_id']}").json, world.admin.get("/devices").json)


def test_the_same_path_ids_are_there_for_their_own_tenant(world: ApiWorld, operations: list[Operation]) -> None:
    ours = furnish(world, world.admin, world.ours)
    for operation in operations:
        # What is public lets in by something of its own; test_listening.py has it.
        if operation.method == "GET" and operation.path_ids and operation.role is not None:
            wanted = {"Accept": "audio/wav"} if operation.path.endswith("/audio") else None
            wanted = {"Accept": "application/pdf"} if operation.path.endswith("{fax_id}") else wanted
            answer = world.platform.get(operation.target(ours), wanted)
            if "504" in operation.spec["responses"] and operation.path not in KNOWN_HERE:
                # Asked of an edge, which is not connected here: it was found, and test_observation.py has the rest.
                assert answer.json["type"] == "urn:tandem:problem:edge-offline", str(operation)
                continue
            assert answer.status == 200, f"{operation}: {answer.status} {answer.body!r}"


def test_collections_omit_what_is_another_tenants_whatever_they_are_asked(
    world: ApiWorld, operations: list[Operation]
) -> None:
    ours = furnish(world, world.admin, world.ours)
    names: tuple[str, ...] = (
        "tenant_id",
        "site_id",
        "user_id",
        "device_id",
        "line_id",
        "edge_id",
        "endpoint_id",
        "account_id",
        "redirect_account_id",
    )
    names += ("phone_id", "record_id", "delivery_id", "registration_id", "alarm_id", "event_id")
    secret = [ours[name] for name in names]
    # What stands below an id is not there at all for another tenant; see the test of path ids.
    lists = [one for one in operations if one.spec["operationId"].startswith("list") and not one.path_ids]
    seen_by_us: set[str] = set()
    for operation in lists:
        if operation.role not in {"user", "tenant_admin"}:
            continue
        wanted = {
            parameter["name"]: ours.get(parameter["name"])
            for parameter in operation.spec.get("parameters", [])
            if "uuid" in str(parameter["schema"])
        }
        required = "&".join(
            f"{parameter['name']}={ours[parameter['name']]}"
            for parameter in operation.spec.get("parameters", [])
            if parameter["required"]
        )
        queries = [required, *(f"{name}={value}" for name, value in wanted.items() if value)]
        for query in queries:
            answer = world.stranger.get(f"{operation.path}?{query}")
            assert answer.status == 200, f"{operation}?{query}: {answer.body!r}"
            assert not [one for one in secret if one in answer.body.decode()], f"{operation}?{query}"
        own = world.admin.get(f"{operation.path}?{required}").body.decode()
        seen_by_us |= {name for name in names if ours[name] in own}
    assert seen_by_us == set(names), "the walk itself must see what it looks for"


def test_foreign_ids_in_bodies_are_answered_exactly_like_unknown_ones(
    world: ApiWorld, document: dict[str, Any], operations: list[Operation]
) -> None:
    ours = furnish(world, world.admin, world.ours)
    theirs = furnish(world, world.stranger, world.theirs, mac="001565aabbcd")
    walked = 0
    for operation in operations:
        if operation.role not in {"user", "tenant_admin"}:
            continue
        body = body_of(document, operation, theirs)
        for place in ids_in(body, theirs):
            name = str(place[-1])
            if name == "msp_id" and operation.spec["operationId"] == "createAccount":
                continue  # nobody of a tenant makes an account of a provider
            foreign, unknown = (
                world.stranger.call(operation.method, operation.target(theirs), with_id(body, place, id_))
                for id_ in (ours[name], str(TOKENS.id()))
            )
            where = f"{operation} {place}"
            assert without_random(foreign) == without_random(unknown), where
            assert foreign.status == 422, f"{where}: {foreign.body!r}"
            assert ".".join(map(str, place)) in foreign.fields, f"{where}: {foreign.body!r}"
            walked += 1
    assert walked >= 8


def test_endpoints_of_a_higher_role_are_refused_before_anything_else(
    world: ApiWorld, operations: list[Operation]
) -> None:
    ours = furnish(world, world.admin, world.ours)
    clients: dict[str, Client] = {"user": world.user, "tenant_admin": world.admin, "msp_admin": world.msp}
    for operation in operations:
        if operation.role is None:
            continue
        for role, client in clients.items():
            if ROLES.index(role) < ROLES.index(operation.role):
                answer = client.call(operation.method, operation.target(ours), {"nonsense": True})
                assert answer.status == 403, f"{operation} as {role}: {answer.status}"
                assert answer.headers["content-type"] == "application/problem+json"


def test_every_endpoint_but_the_public_ones_asks_for_a_token(world: ApiWorld, operations: list[Operation]) -> None:
    ours = furnish(world, world.admin, world.ours)
    public = {one.spec["operationId"] for one in operations if one.role is None}
    assert public == {"logIn", "refreshSession", "enroll", "getCa", "getHealth", "hear"}
    for operation in operations:
        if operation.role is not None:
            assert world.anyone.call(operation.method, operation.target(ours)).status == 401, str(operation)


def is_failure(operation: Operation, answer: Answer) -> bool:
    """Whether an answer is a fault of ours; an edge that is asked, as its endpoint declares, is not connected here."""
    asked = "504" in operation.spec["responses"]
    return answer.status >= 500 and not (asked and answer.json["type"] == "urn:tandem:problem:edge-offline")


def test_nothing_that_is_sent_in_any_field_makes_an_endpoint_fail(
    world: ApiWorld, document: dict[str, Any], operations: list[Operation]
) -> None:
    ours = furnish(world, world.admin, world.ours)
    nasty: list[Any] = [
        None,
        True,
        -1,
        2**70,
        1e300,
        "",
        "\u202e\x7f",
        "x" * 3000,
        "%00",
        [],
        [[]],
        [None],
        {},
        {"": 0},
    ]
    failed: list[str] = []
    for operation in operations:
        if operation.method == "DELETE":
            continue
        body = body_of(document, operation, ours)
        for name in body or {}:
            for value in nasty:
                answer = world.platform.call(operation.method, operation.target(ours), {**body, name: value})
                failed += [f"{operation} {name}={value!r:.40}"] if is_failure(operation, answer) else []
        for parameter in operation.spec.get("parameters", []):
            for text in (
                "",
                "%00",
                "%F0%9F%98%80",
                "-1",
                "99999999999999999999",
                "x" * 3000,
                "0001-01-01T00:00:00Z",
                "%",
            ):
                if parameter["in"] == "query":
                    answer = world.platform.call(
                        operation.method, f"{operation.target(ours)}?{parameter['name']}={text}"
                    )
                elif parameter["in"] == "path":
                    answer = world.platform.call(operation.method, operation.target({**ours, parameter["name"]: text}))
                failed += [f"{operation} {parameter['name']}={text:.40}"] if is_failure(operation, answer) else []
    assert failed == []


def test_a_user_sees_itself_and_its_own_lines_and_calls_alone(world: ApiWorld) -> None:
    ours = furnish(world, world.admin, world.ours)
    other = world.admin.post("/users", {"site_id": ours["site_id"], "username": "201"}).json["id"]
    line = world.admin.post("/lines", {"user_id": other}).json["id"]
    assert [user["id"] for user in world.user.get("/users").json["items"]] == [str(world.user_id)]
    assert world.user.get(f"/users/{world.user_id}").status == 200
    assert world.user.get(f"/users/{other}").status == 404
    assert {one["user_id"] for one in world.user.get("/lines").json["items"]} == {str(world.user_id)}
    assert world.user.get(f"/lines?user_id={other}").json["items"] == []
    assert world.user.get(f"/lines/{line}").status == 404
    assert len(world.user.get("/calls").json["items"]) == 1
    assert world.user.get(f"/calls?user_id={other}").json["items"] == []
    assert world.user.get("/me").json["user_id"] == str(world.user_id)


def test_a_provider_sees_its_own_tenants_alone(world: ApiWorld) -> None:
    ours, theirs = str(world.ours.tenant_id), str(world.theirs.tenant_id)
    assert [one["id"] for one in world.msp.get("/tenants").json["items"]] == [ours]
    assert world.msp.get(f"/tenants/{theirs}").status == 404
    assert world.msp.patch(f"/tenants/{theirs}", {"name": "Mine"}).status == 404
    assert world.msp.delete(f"/tenants/{theirs}").status == 404
    assert len(world.platform.get("/tenants").json["items"]) == 2
