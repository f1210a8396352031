"""Every endpoint that a provider's administrator may use, asked by the administrator of another provider."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from cloud.pbx.accounts import AccountFields, create_account
from tests.cloud.api.test_tenancy import Operation, body_of, document, ids_in, operations, with_id
from tests.support.api_things import furnish
from tests.support.api_world import PASSWORD, ApiWorld, Client, log_in
from tests.support.customers import TOKENS

__all__ = ["document", "operations"]


@pytest.fixture
def rival(world: ApiWorld) -> Client:
    """Administrator of the other provider."""
    with world.desk() as desk:
        fields = AccountFields("msp_admin", "rival@tandem.test", SecretStr(PASSWORD), msp_id=world.theirs.msp_id)
        create_account(desk, world.services.gate.passwords, fields, "platform_admin")
    return world.anyone.as_(log_in(world.anyone, "rival@tandem.test"))


def reachable(operations: list[Operation]) -> list[Operation]:
    """What a provider's administrator may use at all."""
    return [one for one in operations if one.role in {"user", "tenant_admin", "msp_admin"}]


def msp_of(world: ApiWorld, msp_id: UUID) -> dict[str, str]:
    return {"msp_id": str(msp_id)}


def test_path_ids_of_another_providers_tenants_are_not_there(
    world: ApiWorld, rival: Client, document: dict[str, Any], operations: list[Operation]
) -> None:
    ours = {**furnish(world, world.admin, world.ours), **msp_of(world, world.ours.msp_id)}
    theirs = {**furnish(world, world.stranger, world.theirs, mac="001565aabbcd"), **msp_of(world, world.theirs.msp_id)}
    walked = 0
    for operation in reachable(operations):
        names = [name for name in operation.path_ids if name not in {"vendor", "model", "version"}]
        if not names:
            continue
        answer = rival.call(
            operation.method, operation.target({**theirs, **ours}), body_of(document, operation, theirs)
        )
        assert answer.status == 404, f"{operation}: {answer.status} {answer.body!r}"
        walked += 1
    assert walked >= 29
    assert world.msp.get(f"/tenants/{world.ours.tenant_id}").status == 200


def test_collections_hold_nothing_of_another_providers_tenants(
    world: ApiWorld, rival: Client, operations: list[Operation]
) -> None:
    ours = {**furnish(world, world.admin, world.ours), **msp_of(world, world.ours.msp_id)}
    for operation in reachable(operations):
        if not operation.spec["operationId"].startswith("list") or operation.path_ids:
            continue  # what lies at a foreign site is not there at all: see above
        parameters = operation.spec.get("parameters", [])
        optional = [p for p in parameters if not p["required"] and "uuid" in str(p["schema"])]
        asked = [p["name"] for p in optional if p["name"] in ours]
        required = [f"{p['name']}={ours[p['name']]}" for p in parameters if p["required"]]
        for query in {"&".join(required), *("&".join([*required, f"{name}={ours[name]}"]) for name in asked)}:
            answer = rival.get(f"{operation.path}?{query}")
            assert answer.status == 200, f"{operation}?{query}: {answer.body!r}"
            assert not [one for one in ours.values() if len(one) == 36 and one in answer.body.decode()], str(operation)


def test_foreign_ids_in_a_providers_bodies_are_answered_exactly_like_unknown_ones(
    world: ApiWorld, rival: Client, document: dict[str, Any], operations: list[Operation]
) -> None:
    ours = {**furnish(world, world.admin, world.ours), **msp_of(world, world.ours.msp_id)}
    theirs = {**furnish(world, world.stranger, world.theirs, mac="001565aabbcd"), **msp_of(world, world.theirs.msp_id)}
    walked = 0
    for operation in reachable(operations):
        body = body_of(document, operation, theirs)
        roles = ("msp_admin", "tenant_admin") if operation.spec["operationId"] == "createAccount" else ("",)
        for role in roles:
            given = {**body, "role": role} if role else body
            for place in ids_in(given, theirs):
                if role and str(place[-1]) == ("tenant_id" if role == "msp_admin" else "msp_id"):
                    continue  # not asked of that role
                if role == "msp_admin" and str(place[-1]) == "user_id":
                    continue
                foreign, unknown = (
                    rival.call(operation.method, operation.target(theirs), with_id(given, place, id_))
                    for id_ in (ours[str(place[-1])], str(TOKENS.id()))
                )
                assert (foreign.status, foreign.json) == (unknown.status, unknown.json), f"{operation} {place}"
                assert foreign.status == 422, f"{operation} {role} {place}: {foreign.body!r}"
                walked += 1
    assert walked >= 10
