"""Authorization codes over the API: their digits are set, kept as hashes, and shown to nobody."""

from typing import Any

import pytest

from cloud.pbx.state import site_records
from contract.authorization_state import key_of, salt_of
from contract.pin import hashed
from contract.snapshot import Authorization, AuthorizationCode
from tests.support.api_world import ApiWorld


@pytest.fixture
def site(world: ApiWorld) -> str:
    """The address of a site with two codes."""
    path = f"/sites/{world.ours.site_id}"
    plan = world.admin.get(f"{path}/dial-plan").json["document"]
    codes = tuple(AuthorizationCode(code_id=name.lower(), name=name) for name in ("Anna", "Bert"))
    gate = Authorization(service_id="far", name="Far", extension="770", codes=codes)
    plan["voice_services"] = [gate.model_dump(mode="json")]
    answer = world.admin.put(f"{path}/dial-plan", {"document": plan})
    assert answer.status == 200, answer.body
    return path


def kept(world: ApiWorld, code_id: str) -> Any:
    with world.databases.api.session(world.ours.scope) as session:
        records = site_records(session, world.ours.site_id)
        return next((one.value for one in records if one.key == key_of("far", code_id)), None)


def test_digits_are_set_kept_as_a_hash_shown_to_nobody_and_taken_away(world: ApiWorld, site: str) -> None:
    codes = f"{site}/authorization-codes"
    answer = world.admin.put(f"{codes}/far/anna", {"code": "2580"})
    assert (answer.status, answer.json["code_set"], answer.json["name"]) == (200, True, "Anna")
    assert kept(world, "anna") == hashed("2580", salt_of("far"))
    listed = world.admin.get(codes)
    assert [(one["code_id"], one["code_set"]) for one in listed.json["items"]] == [("anna", True), ("bert", False)]
    audit = world.admin.get("/audit").body.decode()
    assert "authorization_code.changed" in audit
    for secret in ("2580", "scrypt"):
        assert secret not in audit + listed.body.decode()
    assert world.admin.put(f"{codes}/far/anna", {"code": None}).json["code_set"] is False
    assert kept(world, "anna") is None


@pytest.mark.parametrize("code", ["123", "1234", "1111", "12a4", "5555" * 5])
def test_digits_that_will_not_do_are_refused_by_name(world: ApiWorld, site: str, code: str) -> None:
    answer = world.admin.put(f"{site}/authorization-codes/far/anna", {"code": code})
    assert (answer.status, "code" in answer.fields) == (422, True), answer.body


def test_two_codes_of_one_service_cannot_have_the_same_digits(world: ApiWorld, site: str) -> None:
    codes = f"{site}/authorization-codes"
    assert world.admin.put(f"{codes}/far/anna", {"code": "2580"}).status == 200
    answer = world.admin.put(f"{codes}/far/bert", {"code": "2580"})
    assert (answer.status, "code" in answer.fields) == (422, True), answer.body
    assert world.admin.put(f"{codes}/far/anna", {"code": "2580"}).status == 200


def test_a_code_that_is_not_there_and_users_are_refused(world: ApiWorld, site: str) -> None:
    assert world.admin.put(f"{site}/authorization-codes/far/gone", {"code": "2580"}).status == 404
    assert world.admin.put(f"{site}/authorization-codes/gone/anna", {"code": "2580"}).status == 404
    assert world.user.get(f"{site}/authorization-codes").status == 403
    assert world.user.put(f"{site}/authorization-codes/far/anna", {"code": "2580"}).status == 403
