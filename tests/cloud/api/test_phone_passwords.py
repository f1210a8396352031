"""The password of a phone's own administration: set, shown to those who may, never seen anywhere else."""

from pydantic import SecretStr

from cloud.pbx.compiler import compile_site
from cloud.pbx.database import PLATFORM
from cloud.pbx.secrets import SecretVersion, reveal_secret
from tests.support.api_world import ApiWorld

PLANTED = "planted-Admin-7"


def new_phone(world: ApiWorld, model: str = "yealink/t54w") -> str:
    body = {"site_id": str(world.ours.site_id), "mac": "805ec0000001", "model": model}
    return str(world.admin.post("/devices", body).json["id"])


def test_a_phones_password_is_set_and_reaches_its_edge_as_a_secret(world: ApiWorld) -> None:
    phone = new_phone(world)
    assert world.admin.get(f"/devices/{phone}").json["has_admin_password"] is False
    assert world.admin.post(f"/devices/{phone}/admin-password/reveal").status == 409
    kept = world.admin.post(f"/devices/{phone}/admin-password", {"password": PLANTED})
    assert (kept.status, kept.json) == (200, {"password": PLANTED})
    assert world.admin.get(f"/devices/{phone}").json["has_admin_password"] is True
    with world.databases.api.session(PLATFORM) as session:
        snapshot = compile_site(session, world.ours.site_id, 1)
        (device,) = (one for one in snapshot.devices if one.device_id == phone)
        assert device.admin_password in snapshot.secret_refs()
        secret = SecretVersion.parse(str(device.admin_password))
        assert reveal_secret(session, world.services.keys, secret) == SecretStr(PLANTED)
        assert PLANTED not in snapshot.model_dump_json()
    assert world.admin.delete(f"/devices/{phone}/admin-password").status == 204
    assert world.admin.delete(f"/devices/{phone}/admin-password").status == 204
    assert world.admin.get(f"/devices/{phone}").json["has_admin_password"] is False


def test_a_password_is_made_where_none_is_given_and_another_each_time(world: ApiWorld) -> None:
    phone = new_phone(world)
    first, second = (world.admin.post(f"/devices/{phone}/admin-password", {}).json["password"] for _ in range(2))
    assert len(first) >= 20
    assert first != second
    assert world.admin.post(f"/devices/{phone}/admin-password/reveal").json == {"password": second}


def test_whoever_sets_or_sees_a_password_is_in_the_audit_and_the_password_is_in_no_list(world: ApiWorld) -> None:
    phone = new_phone(world)
    world.admin.post(f"/devices/{phone}/admin-password", {"password": PLANTED})
    world.msp.post(f"/devices/{phone}/admin-password/reveal")
    audit = world.admin.get("/audit?limit=200")
    seen = [(one["action"], one["actor"]) for one in audit.json["items"] if one["resource_id"] == phone]
    msp = world.msp.get("/me").json["email"]
    admin = world.admin.get("/me").json["email"]
    assert ("device.admin_password_shown", msp) in seen
    assert ("device.admin_password_changed", admin) in seen
    for path in ("/audit?limit=200", "/devices", f"/devices/{phone}", f"/devices/{phone}/settings"):
        assert PLANTED.encode() not in world.admin.get(path).body


def test_neither_users_nor_other_tenants_get_near_a_phones_password(world: ApiWorld) -> None:
    phone = new_phone(world)
    world.admin.post(f"/devices/{phone}/admin-password", {"password": PLANTED})
    for path in ("admin-password", "admin-password/reveal"):
        assert world.user.post(f"/devices/{phone}/{path}", {}).status == 403
        assert world.stranger.post(f"/devices/{phone}/{path}", {}).status == 404
    assert world.stranger.delete(f"/devices/{phone}/admin-password").status == 404
    assert world.admin.post(f"/devices/{phone}/admin-password/reveal").json == {"password": PLANTED}


def test_what_a_phones_file_cannot_hold_is_refused_without_repeating_it(world: ApiWorld) -> None:
    phone = new_phone(world)
    for bad in ("short", "with a space", "linebreak\nhere", "snow\u2603man-123", "x" * 33):
        answer = world.admin.post(f"/devices/{phone}/admin-password", {"password": bad})
        assert (answer.status, answer.fields) == (422, {"password"}), bad
        assert bad.encode() not in answer.body
    assert world.admin.get(f"/devices/{phone}").json["has_admin_password"] is False
