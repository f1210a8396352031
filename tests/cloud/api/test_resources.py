"""What an administrator does with the API, resource by resource."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from cloud.models import Job
from cloud.pbx.database import PLATFORM
from cloud.pbx.enrollment import proof_text
from cloud.pbx.publishing import latest_snapshot, publish_site
from tests.support.api_things import furnish
from tests.support.api_world import PASSWORD, ApiWorld, Client
from tests.support.customers import TOKENS


def jobs(world: ApiWorld, kind: str) -> list[str]:
    """Keys of the pending jobs of a kind."""
    with world.databases.worker.session(PLATFORM) as session:
        return list(session.scalars(select(Job.key).where(Job.kind == kind, Job.state == "pending")))


def actions(client: Client) -> list[str]:
    """What the audit tells, the latest first."""
    return [entry["action"] for entry in client.get("/audit").json["items"]]


def test_the_platform_makes_a_provider_and_the_provider_a_tenant_with_a_site_and_an_administrator(
    world: ApiWorld,
) -> None:
    msp = world.platform.post("/msps", {"name": "Northern Telephones"}).json
    account = {"role": "msp_admin", "email": "north@tandem.test", "password": PASSWORD, "msp_id": msp["id"]}
    assert world.platform.post("/accounts", account).status == 201
    token = world.anyone.post("/sessions", {"email": "north@tandem.test", "password": PASSWORD}).json["access_token"]
    north = world.anyone.as_(token)
    tenant = north.post("/tenants", {"name": "Bakery", "domain": "Bakery.tandem.test"}).json
    assert tenant["msp_id"] == msp["id"]
    assert tenant["domain"] == "bakery.tandem.test"
    assert len(tenant["realm"]) >= 16
    site = north.post("/sites", {"tenant_id": tenant["id"], "name": "Shop", "time_zone": "Europe/Berlin"})
    assert site.status == 201
    assert site.json["wanted_version"] is None
    assert site.json["edges"] == []
    assert site.json["id"] in jobs(world, "publish_site")
    admin = {"role": "tenant_admin", "email": "shop@tandem.test", "password": PASSWORD, "tenant_id": tenant["id"]}
    assert north.post("/accounts", admin).status == 201
    assert north.post("/sites", {"name": "Nowhere"}).fields == {"tenant_id"}
    assert world.platform.post("/tenants", {"name": "x", "domain": "x.test"}).fields == {"msp_id"}
    taken = north.post("/tenants", {"name": "Other", "domain": "bakery.tandem.test"})
    assert taken.status == 422
    assert taken.fields == {"domain"}


def test_nobody_makes_an_account_above_their_own_role(world: ApiWorld) -> None:
    wanted = {"role": "msp_admin", "email": "x@tandem.test", "password": PASSWORD, "msp_id": str(world.ours.msp_id)}
    assert world.admin.post("/accounts", wanted).status == 403
    assert world.msp.post("/accounts", {**wanted, "role": "platform_admin"}).status == 403
    short = {"role": "tenant_admin", "email": "no address", "password": "short"}
    answer = world.admin.post("/accounts", short)
    assert answer.fields == {"email", "password"}
    assert "short" not in answer.body.decode()
    taken = {"role": "tenant_admin", "email": "STRANGER@tandem.test", "password": PASSWORD}
    assert world.admin.post("/accounts", taken).fields == {"email"}


def test_a_user_is_created_changed_and_deleted_and_each_time_the_site_is_published(world: ApiWorld) -> None:
    site = str(world.ours.site_id)
    user = world.admin.post("/users", {"site_id": site, "username": "reception", "extension": "300"})
    assert user.status == 201
    assert user.json["permissions"] == ["CallPickup", "EchoTest", "Intercom", "LocalDialing", "Voicemail"]
    assert jobs(world, "publish_site") == [site]
    path = f"/users/{user.json['id']}"
    changed = world.admin.patch(path, {"display_name": "Reception", "aliases": ["front"], "enabled": False})
    assert changed.json["version"] == 2
    assert changed.json["extension"] == "300"
    assert world.admin.patch(path, {"extension": None}).json["extension"] is None
    assert world.admin.get("/users?search=FRONT").json["items"][0]["id"] == user.json["id"]
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).status == 404
    assert actions(world.admin)[:4] == ["user.deleted", "user.changed", "user.changed", "user.created"]
    entry = world.admin.get(f"/audit?resource=user&resource_id={user.json['id']}").json["items"][1]
    assert entry["changes"] == {"extension": ["300", None]}
    assert entry["actor"] == "admin@tandem.test"
    assert entry["source"] == "192.0.2.1"


def test_every_problem_of_a_user_is_told_at_once(world: ApiWorld) -> None:
    wanted = {
        "site_id": str(TOKENS.id()),
        "username": "with space",
        "extension": "abc",
        "email": "none",
        "colour": "red",
    }
    answer = world.admin.post("/users", wanted)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.fields == {"username", "extension", "email", "colour"}
    taken = {
        "site_id": str(world.ours.site_id),
        "username": "200",
        "extension": "301",
        "aliases": ["301", "*99", "ok"],
        "permissions": ["Fly"],
    }
    assert world.admin.post("/users", taken).fields == {"username", "aliases.0", "aliases.1", "permissions.0"}
    assert world.admin.patch(f"/users/{world.user_id}", {"username": None}).fields == {"username"}


def test_names_are_unique_in_a_tenant_and_free_in_another(world: ApiWorld) -> None:
    wanted = {"site_id": str(world.ours.site_id), "username": "300", "aliases": ["reception"]}
    assert world.admin.post("/users", wanted).status == 201
    assert world.admin.post("/users", {**wanted, "username": "301"}).fields == {"aliases.0"}
    theirs = {**wanted, "site_id": str(world.theirs.site_id)}
    assert world.stranger.post("/users", theirs).status == 201


def test_a_phone_is_added_in_one_step_with_its_lines_and_shows_their_passwords_once(world: ApiWorld) -> None:
    site, user = str(world.ours.site_id), str(world.user_id)
    wanted = {
        "site_id": site,
        "mac": "00:15:65:AA:BB:CC",
        "model": "yealink/t54w",
        "name": "Front desk",
        "lines": [{"user_id": user}, {"user_id": user, "position": 3, "label": "Door"}],
    }
    device = world.admin.post("/devices", wanted)
    assert device.status == 201, device.body
    assert device.json["mac"] == "001565aabbcc"
    assert [line["position"] for line in device.json["lines"]] == [1, 3]
    passwords = [line["password"] for line in device.json["lines"]]
    assert len(set(passwords)) == 2
    assert all(len(password) >= 24 for password in passwords)
    shown = world.admin.get(f"/devices/{device.json['id']}").body.decode()
    for text in (shown, world.admin.get("/lines").body.decode(), world.admin.get("/audit").body.decode()):
        assert not [password for password in passwords if password in text]
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    assert {line.auth_username for line in snapshot.lines} == {line["auth_username"] for line in device.json["lines"]}


def test_every_problem_of_a_device_is_told_at_once(world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    wanted = {
        "site_id": str(world.ours.site_id),
        "mac": "001565aabbcc",
        "model": "generic/sip",
        "settings": {"sip/transport": "pigeon", "no/such": 1},
        "lines": [
            {"user_id": str(world.user_id), "position": 2},
            {"user_id": str(TOKENS.id()), "position": 2},
            {"user_id": str(world.user_id), "position": 60},
        ],
    }
    fields = world.admin.post("/devices", wanted).fields
    assert fields == {
        "mac",
        "settings.sip/transport",
        "settings.no/such",
        "lines.1.user_id",
        "lines.1.position",
        "lines.2.position",
    }
    assert world.admin.post("/devices", {**wanted, "model": "acme/unknown"}).fields >= {"model"}


def test_a_devices_settings_are_merged_and_null_takes_one_back(world: ApiWorld) -> None:
    device = f"/devices/{furnish(world, world.admin, world.ours)['device_id']}"
    first = world.admin.patch(device, {"settings": {"sip/registration_expires": 600, "sip/transport": "tcp"}})
    assert first.json["settings"] == {"sip/registration_expires": 600, "sip/transport": "tcp"}
    second = world.admin.patch(device, {"settings": {"sip/transport": None}})
    assert second.json["settings"] == {"sip/registration_expires": 600}
    assert second.json["lines"]


def test_deleting_a_device_deletes_its_lines(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    assert world.admin.delete(f"/devices/{things['device_id']}").status == 204
    assert world.admin.get(f"/lines/{things['line_id']}").status == 404


def test_adding_a_phone_that_was_unknown_takes_it_off_that_list(world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    phone = world.admin.get("/unknown-phones").json["items"][0]
    site, user = str(world.ours.site_id), str(world.user_id)
    wanted = {"site_id": site, "mac": phone["mac"], "model": "yealink/t54w", "user_id": user}
    assert world.admin.post("/devices", wanted).status == 201
    assert world.admin.get("/unknown-phones").json["items"] == []


def test_a_lines_password_is_rotated_and_the_snapshot_names_its_next_version(world: ApiWorld) -> None:
    line = world.admin.post("/lines", {"user_id": str(world.user_id), "auth_username": "soft"}).json
    rotated = world.admin.post(f"/lines/{line['id']}/password").json
    assert rotated["password"] != line["password"]
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    assert snapshot.lines[0].password.endswith(":2")
    assert world.admin.post("/lines", {"user_id": str(world.user_id), "auth_username": "soft"}).fields == {
        "auth_username"
    }
    assert world.admin.patch(f"/lines/{line['id']}", {"label": "Softphone"}).json["label"] == "Softphone"


def test_an_edge_enrolls_by_the_one_line_that_its_creation_shows(world: ApiWorld) -> None:
    edge = world.admin.post("/edges", {"site_id": str(world.ours.site_id), "name": "Cellar"}).json
    enrollment = edge["enrollment"]
    assert enrollment["command"] == (
        f"curl -fsSL https://api.tandem.test/install.sh | sh -s -- --enroll {enrollment['code']}"
    )
    packed = enrollment["code"].removeprefix("TDM1-")
    code = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    assert code["u"] == "https://api.tandem.test:8443"
    assert code["f"] == world.services.ca.fingerprint
    ca = world.anyone.get("/ca.pem")
    assert ca.body.decode() == world.services.ca.certificate_pem
    key = Ed25519PrivateKey.generate()
    request = {
        "token": code["t"],
        "identity_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "sealing_key": base64.b64encode(bytes(range(32))).decode(),
        "agent_version": "0.1.0",
        "proof": base64.b64encode(key.sign(proof_text(code["t"]))).decode(),
    }
    enrolled = world.anyone.post("/enrollments", request)
    assert enrolled.status == 201, enrolled.body
    assert enrolled.json["edge_id"] == edge["id"]
    assert enrolled.json["site_id"] == str(world.ours.site_id)
    assert enrolled.json["hub"] == {
        "host": "hub.tandem.test",
        "quic_port": 4433,
        "websocket_url": "wss://hub.tandem.test/channel",
    }
    again = world.anyone.post("/enrollments", request)
    assert again.status == 409
    assert "already used" in again.json["detail"]
    assert world.anyone.post("/enrollments", {**request, "token": "x" * 32}).status == 404
    assert world.admin.get(f"/edges/{edge['id']}").json["enrolled_at"] is not None


def test_a_new_enrollment_code_ends_the_older_ones_and_an_expired_code_says_so(world: ApiWorld) -> None:
    edge = world.admin.post("/edges", {"site_id": str(world.ours.site_id)}).json
    renewed = world.admin.post(f"/edges/{edge['id']}/enrollment-code")
    assert renewed.status == 201
    key = Ed25519PrivateKey.generate()

    def enroll(code: str) -> int:
        packed = code.removeprefix("TDM1-")
        token = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))["t"]
        return world.anyone.post(
            "/enrollments",
            {
                "token": token,
                "identity_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
                "sealing_key": base64.b64encode(bytes(range(32))).decode(),
                "agent_version": "0.1.0",
                "proof": base64.b64encode(key.sign(proof_text(token))).decode(),
            },
        ).status

    assert enroll(edge["enrollment"]["code"]) == 410
    world.clock.advance(25 * 3600)
    assert enroll(renewed.json["code"]) == 410


def test_a_revoked_edge_is_gone_from_lists_and_gets_no_new_code(world: ApiWorld) -> None:
    edge = world.admin.post("/edges", {"site_id": str(world.ours.site_id)}).json["id"]
    assert world.admin.delete(f"/edges/{edge}").status == 204
    assert world.admin.get("/edges").json["items"] == []
    assert world.admin.get(f"/edges/{edge}").json["revoked_at"] is not None
    assert world.admin.post(f"/edges/{edge}/enrollment-code").status == 409
    assert "edge.revoked" in actions(world.admin)


def test_published_versions_are_listed_shown_and_compared(world: ApiWorld) -> None:
    site = str(world.ours.site_id)
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "first")
    user = world.admin.post("/users", {"site_id": site, "username": "300"}).json["id"]
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "second")
    versions = world.admin.get(f"/snapshots?site_id={site}").json["items"]
    assert [version["version"] for version in versions] == [2, 1]
    assert versions[0]["cause"] == "second"
    assert len(world.admin.get(f"/snapshots/{site}/2").json["content"]["users"]) == 2
    difference = world.admin.get(f"/snapshots/{site}/2/diff").json
    assert [change["section"] for change in difference["changes"]] == ["users"]
    assert [record["user_id"] for record in difference["changes"][0]["upserted"]] == [user]
    assert world.admin.get(f"/snapshots/{site}/1/diff?since=2").json["changes"][0]["removed"] == [user]
    assert world.admin.get(f"/snapshots/{site}/3").status == 404
    assert world.admin.get(f"/sites/{site}").json["wanted_version"] == 2
    first = world.admin.get(f"/snapshots?site_id={site}&limit=1").json
    second = world.admin.get(f"/snapshots?site_id={site}&limit=1&cursor={first['next']}").json
    assert [first["items"][0]["version"], second["items"][0]["version"], second["next"]] == [2, 1, None]


def test_a_webhook_endpoint_shows_its_secret_once_and_forgets_why_it_was_disabled(world: ApiWorld) -> None:
    made = world.admin.post("/webhook-endpoints", {"url": "https://hooks.tandem.test/a", "event_types": ["call.ended"]})
    assert made.status == 201
    assert made.json["secret"].startswith("whsec_")
    path = f"/webhook-endpoints/{made.json['id']}"
    assert "secret" not in world.admin.get(path).json
    off = world.admin.patch(path, {"enabled": False}).json
    assert (off["enabled"], off["disabled_reason"]) == (False, "Disabled by hand")
    on = world.admin.patch(path, {"enabled": True}).json
    assert (on["enabled"], on["disabled_at"], on["disabled_reason"]) == (True, None, "")
    assert world.admin.post(f"{path}/secret").json["secret"] != made.json["secret"]
    wrong = world.admin.post("/webhook-endpoints", {"url": "http://hooks.tandem.test/a"})
    assert wrong.fields == {"url"}
    assert world.admin.patch(path, {"url": "http://hooks.tandem.test/a"}).fields == {"url"}
    assert world.admin.post("/webhook-endpoints", {"url": "https://a.test/", "event_types": ["no"]}).status == 422
    assert world.msp.post("/webhook-endpoints", {"url": "https://a.test/"}).fields == {"tenant_id"}


def test_a_delivery_is_replayed(world: ApiWorld) -> None:
    delivery = furnish(world, world.admin, world.ours)["delivery_id"]
    answer = world.admin.post(f"/webhook-deliveries/{delivery}/replay")
    assert answer.status == 202
    assert answer.json["state"] == "pending"
    assert delivery in jobs(world, "webhook")
    assert world.admin.post(f"/webhook-deliveries/{delivery}/replay").status == 409


def test_device_models_are_listed_with_their_settings(world: ApiWorld) -> None:
    models = {model["key"]: model for model in world.admin.get("/device-models").json["items"]}
    assert models["yealink/t54w"]["lines"] == 16
    shown = world.admin.get("/device-models/yealink/t54w").json
    settings = {setting["path"]: setting for group in shown["groups"] for setting in group["settings"]}
    assert settings["sip/transport"]["type"] == "enum"
    assert settings["sip/transport"]["options"]
    assert world.admin.get("/device-models/acme/one").status == 404


def test_a_site_is_renamed_published_again_and_deleted_with_all_it_has(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    path = f"/sites/{things['site_id']}"
    for zone in ("Nowhere/Land", "Europe", "../etc/passwd", "/etc/passwd"):
        assert world.admin.patch(path, {"time_zone": zone}).fields == {"time_zone"}
    assert world.admin.patch(path, {"digest_algorithms": ["MD5", "MD5"]}).fields == {"digest_algorithms"}
    assert world.admin.patch(path, {"name": "Head office"}).json["name"] == "Head office"
    other = world.admin.post("/sites", {"name": "Branch"}).json["id"]
    assert world.admin.patch(f"/sites/{other}", {"name": "Head office"}).fields == {"name"}
    assert world.admin.post(f"{path}/publish").status == 202
    assert world.admin.delete(path).status == 204
    assert world.admin.get(f"/users/{world.user_id}").status == 404
    assert [site["id"] for site in world.admin.get("/sites").json["items"]] == [other]


def test_alarms_registrations_events_and_calls_are_read_by_site_and_time(world: ApiWorld) -> None:
    site = furnish(world, world.admin, world.ours)["site_id"]
    assert len(world.admin.get(f"/alarms?site_id={site}&state=open").json["items"]) == 1
    assert world.admin.get("/alarms?state=cleared").json["items"] == []
    assert world.admin.get("/events?kind=call").json["items"] == []
    assert len(world.admin.get(f"/registrations?user_id={world.user_id}").json["items"]) == 1
    now = world.clock.now().isoformat().replace("+00:00", "Z")
    assert len(world.admin.get(f"/calls?after={now}").json["items"]) == 1
    assert world.admin.get(f"/calls?before={now}").json["items"] == []
    (call,) = world.admin.get("/calls").json["items"]
    assert "quality" not in call
    (heard,) = world.admin.get(f"/calls/{call['id']}").json["quality"]
    assert (heard["heard"], heard["codec"], heard["lost_percent"], heard["word"]) == ("caller", "PCMA", 2.0, "good")
    assert heard["round_trip_ms"] is None
    world.clock.advance(3601)
    token = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).json["access_token"]
    assert world.anyone.as_(token).get("/registrations").json["items"] == []


def test_readiness_is_public_and_tells_the_version(world: ApiWorld) -> None:
    answer = world.anyone.get("/health")
    assert answer.status == 200
    assert answer.json["status"] == "ready"
    assert answer.json["version"]
