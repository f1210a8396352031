"""Phones between the portal and the site: rules, lists, orders to fetch again, DHCP options."""

import base64
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from cloud.models import Command, DeviceVisit, Edge, PhoneRefusal, PhoneUpload, ResyncItem, UnknownPhone
from cloud.models import Device as DeviceRow
from cloud.pbx.compiler import compile_site
from cloud.pbx.database import PLATFORM
from cloud.pbx.pages import PageRequest
from cloud.pbx.phone_history import note
from cloud.pbx.resync import NOT_TAKEN, get_job, list_items
from tests.support.api_world import ApiWorld
from tests.support.customers import TOKENS
from tests.support.device_archives import GOOD, packed

DHCP_RANGE = {
    "network": "192.168.10.0/24",
    "first": "192.168.10.100",
    "last": "192.168.10.150",
    "ntp_servers": ["192.168.10.1"],
    "reservations": [{"mac": "00:15:65:00:00:01", "address": "192.168.10.9"}],
}


def site(world: ApiWorld) -> str:
    return str(world.ours.site_id)


def make_devices(world: ApiWorld, how_many: int, model: str = "yealink/t54w") -> list[str]:
    lines = "\n".join(f"805ec000{n:04x},{model},Phone {n}," for n in range(how_many))
    answer = world.admin.post(f"/sites/{site(world)}/device-import", {"csv": f"mac,model,name,users\n{lines}\n"})
    assert answer.status == 201, answer.body
    found = world.admin.get(f"/devices?site_id={site(world)}&limit=200").json["items"]
    return [one["id"] for one in found if one["mac"].startswith("805ec000")]


def test_a_list_makes_devices_with_their_lines_and_announces_those_without_a_model(world: ApiWorld) -> None:
    text = "MAC;Name;Model;Users\n80:5E:C0:00:00:01;Front desk;yealink/t54w;200\n0004-13a1-b2c3;Hall;;200\n\n"
    checked = world.admin.post(f"/sites/{site(world)}/device-import", {"csv": text, "only_check": True})
    assert (checked.json["created"], checked.json["announced"]) == (2, 1)
    assert checked.json["rows"][1] == {
        "line": 3, "mac": "000413a1b2c3", "model": "announced/any", "name": "Hall", "users": ["200"],
        "serial": "", "location": "",
    }  # fmt: skip
    before = len(world.admin.get("/devices").json["items"])
    assert world.admin.post(f"/sites/{site(world)}/device-import", {"csv": text}).json == checked.json
    after = world.admin.get("/devices?limit=200").json["items"]
    assert len(after) == before + 2
    made = {one["mac"]: one for one in after}
    assert (made["805ec0000001"]["model"], len(made["805ec0000001"]["lines"])) == ("yealink/t54w", 1)
    assert made["000413a1b2c3"]["model"] == "announced/any"
    with world.databases.api.session(PLATFORM) as session:
        snapshot = compile_site(session, world.ours.site_id, 1)
    assert "000413a1b2c3" not in {device.mac for device in snapshot.devices}
    assert any(line.device_id is None for line in snapshot.lines)


def test_every_problem_of_a_list_is_told_by_its_line_and_nothing_is_made(world: ApiWorld) -> None:
    text = "mac,model,users\n12,acme/x,nobody\n805ec0000001,yealink/t54w,\n805ec0000001,,\n"
    answer = world.admin.post(f"/sites/{site(world)}/device-import", {"csv": text})
    assert answer.status == 422
    assert answer.fields == {"line 2.mac", "line 2.model", "line 2.users", "line 4.mac"}
    assert world.admin.get("/devices?mac=805ec0000001").json["items"] == []
    for bad in ("name\nx\n", "mac,mac\n", 'mac\n"unclosed', "mac,colour\n"):
        assert world.admin.post(f"/sites/{site(world)}/device-import", {"csv": bad}).status == 422
    assert world.stranger.post(f"/sites/{site(world)}/device-import", {"csv": "mac\n"}).status == 404


def test_the_list_of_a_site_is_read_again_as_it_was_written(world: ApiWorld) -> None:
    text = (
        "mac,model,name,users,serial,location\r\n"
        "000413a1b2c3,,Hall,,,\r\n"
        '805ec0000001,yealink/t54w,"Desk, left",200,20EZ1234.5-A,\r\n'
        "805ec0000002,yealink/t54w,'=1+1,,,\r\n"
    )
    where = f"/sites/{site(world)}"
    before = {one["id"] for one in world.admin.get("/devices").json["items"]}
    assert world.admin.post(f"{where}/device-import", {"csv": text}).status == 201
    assert world.admin.get(f"{where}/device-list").json == {"csv": text}
    made = [one for one in world.admin.get("/devices?limit=200").json["items"] if one["id"] not in before]
    assert {one["name"] for one in made} == {"Hall", "Desk, left", "=1+1"}
    assert {one["serial"] for one in made} == {"", "20EZ1234.5-A"}
    for one in made:
        world.admin.delete(f"/devices/{one['id']}")
    assert world.admin.post(f"{where}/device-import", {"csv": text}).status == 201
    assert world.stranger.get(f"{where}/device-list").status == 404


def test_a_list_may_name_the_models_of_the_tenants_own_plug_ins(world: ApiWorld) -> None:
    archive = base64.b64encode(packed(GOOD)).decode()
    plugin = world.admin.post("/device-plugins", {"vendor": "acme", "archive": archive}).json
    text = f"mac,model\n805ec0000001,acme/{plugin['models'][0]}\n"
    assert world.admin.post(f"/sites/{site(world)}/device-import", {"csv": text}).status == 201


def test_the_rules_for_phones_are_kept_as_what_differs_and_reach_the_snapshot(world: ApiWorld) -> None:
    where = f"/sites/{site(world)}"
    assert world.admin.get(where).json["provisioning"]["served_networks"] == []
    rules = {
        "served_networks": ["192.168.10.0/24"],
        "proof_required": True,
        "approved_only": True,
        "dhcp": {"voice_vlan": 20, "known_only": True, "ranges": [DHCP_RANGE]},
    }
    changed = world.admin.patch(where, {"provisioning": rules})
    assert changed.status == 200, changed.body
    shown = changed.json["provisioning"]
    assert (shown["served_networks"], shown["proof_required"]) == (["192.168.10.0/24"], True)
    assert "10.0.0.0/8" in shown["clear_text_networks"]
    with world.databases.api.session(PLATFORM) as session:
        policy = compile_site(session, world.ours.site_id, 1).site.provisioning
    assert policy.served_networks == ("192.168.10.0/24",)
    assert policy.approved_only is True
    assert policy.dhcp is not None
    assert (policy.dhcp.voice_vlan, policy.dhcp.known_only) == (20, True)
    assert policy.dhcp.ranges[0].reservations[0].mac == "001565000001"
    assert shown["dhcp"]["ranges"][0]["reservations"] == [{"mac": "001565000001", "address": "192.168.10.9"}]
    back = world.admin.patch(where, {"provisioning": {"served_networks": None, "dhcp": None}})
    assert back.json["provisioning"]["served_networks"] == []
    assert back.json["provisioning"]["proof_required"] is True


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"served_networks": ["192.168.10.1/24"]}, "provisioning.served_networks.0"),
        ({"clear_text_networks": ["here"]}, "provisioning.clear_text_networks.0"),
        ({"dhcp": {"ranges": [{"network": "10.0.0.0/24", "first": "10.0.1.1", "last": "10.0.1.9"}]}},
         "provisioning.dhcp.ranges.0"),
        ({"dhcp": {"ranges": [DHCP_RANGE, DHCP_RANGE]}}, "provisioning.dhcp"),
        ({"dhcp": {"ranges": [{**DHCP_RANGE, "network": "192.168.10.0/30", "first": "192.168.10.1",
                               "last": "192.168.10.2"}]}}, "provisioning.dhcp.ranges.0"),
        ({"server_name": "Not A Name"}, "provisioning.server_name"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_named(world: ApiWorld, rules: dict[str, object], field: str) -> None:
    answer = world.admin.patch(f"/sites/{site(world)}", {"provisioning": rules})
    assert (answer.status, answer.fields) == (422, {field})


def enrolled_edge(world: ApiWorld) -> UUID:
    made = world.admin.post("/edges", {"site_id": site(world)})
    edge_id = UUID(made.json["id"])
    with world.databases.api.session(PLATFORM) as session:
        edge = session.get_one(Edge, edge_id)
        edge.enrolled_at = world.clock.now()
    return edge_id


def test_an_order_reaches_the_edge_in_commands_of_bounded_size_and_shows_a_live_count(world: ApiWorld) -> None:
    edge_id = enrolled_edge(world)
    ids = make_devices(world, 60)
    ordered = world.admin.post(f"/sites/{site(world)}/resync", {"device_ids": ids, "reboot": True})
    assert ordered.status == 202, ordered.body
    job = ordered.json
    assert (job["total"], job["counts"]["waiting"], job["done"]) == (60, 60, False)
    with world.databases.api.session(PLATFORM) as session:
        (command,) = session.query(Command).where(Command.edge_id == edge_id, Command.name == "resync_phones")
        assert (command.arguments["job_id"], command.arguments["reboot"]) == (job["id"], "true")
        assert all(len(value) <= 1024 for value in command.arguments.values())
        told = [
            each for name, value in command.arguments.items() if name.startswith("devices") for each in value.split(",")
        ]
        assert sorted(told) == sorted(ids)
        items = session.query(ResyncItem).where(ResyncItem.job_id == UUID(job["id"])).all()
        items[0].state, items[0].text = "failed", "no answer within 32 seconds"
        for item in items[1:]:
            item.state = "registered"
    now = world.admin.get(f"/resync-jobs/{job['id']}").json
    assert (now["counts"]["registered"], now["counts"]["failed"], now["done"]) == (59, 1, True)
    (failed,) = world.admin.get(f"/resync-phones?job_id={job['id']}&state=failed").json["items"]
    assert failed["text"] == "no answer within 32 seconds"
    assert world.admin.get(f"/resync-jobs?site_id={site(world)}").json["items"][0]["id"] == job["id"]
    assert world.stranger.get(f"/resync-jobs/{job['id']}").status == 404


def test_an_order_that_no_edge_takes_has_failed_after_a_while_and_one_for_nobody_is_refused(world: ApiWorld) -> None:
    empty = world.admin.post("/sites", {"name": "Empty"}).json["id"]
    assert world.admin.post(f"/sites/{empty}/resync", {}).status == 422
    ids = make_devices(world, 1)
    job = world.admin.post(f"/sites/{site(world)}/resync", {"device_ids": ids}).json
    other = world.admin.post(f"/sites/{empty}/resync", {"device_ids": ids})
    assert (other.status, other.fields) == (422, {"device_ids.0"})
    world.clock.advance(4 * 300 + 1)
    with world.databases.api.session(PLATFORM) as session:
        view = get_job(session, UUID(job["id"]), world.clock.now())
        assert (view.counts["failed"], view.done) == (1, True)
        assert list_items(session, PageRequest(), view.id, world.clock.now()).items[0].text == NOT_TAKEN


def test_a_device_shows_its_last_visit_and_what_its_phone_sent(world: ApiWorld) -> None:
    (device_id, *_) = make_devices(world, 1)
    assert world.admin.get(f"/devices/{device_id}").json["visit"] is None
    now = world.clock.now()
    tenant = world.ours.tenant_id
    with world.databases.worker.session(PLATFORM) as session:
        session.add(
            DeviceVisit(
                tenant_id=tenant, device_id=UUID(device_id), site_id=world.ours.site_id, protocol="https",
                proof="certificate", firmware="96.86", fetched_at=now, fetched_version=3,
            )
        )  # fmt: skip
        session.add(
            PhoneUpload(
                id=world.services.tokens.id(), tenant_id=tenant, site_id=world.ours.site_id, device_id=UUID(device_id),
                name="x-app.log", size=6, content=b"boot\xff\n", sent_at=now,
            )
        )  # fmt: skip
        session.add(
            PhoneRefusal(
                id=world.services.tokens.id(), tenant_id=tenant, site_id=world.ours.site_id, edge_id=world.ours.site_id,
                reason="clear_text", identity="192.0.2.9", mac=None, device_id=None, address="192.0.2.9",
                protocol="tftp", user_agent="", first_seen_at=now, last_seen_at=now, times_seen=1,
            )
        )  # fmt: skip
    assert world.admin.get(f"/devices/{device_id}").json["visit"]["proof"] == "certificate"
    (upload,) = world.admin.get(f"/phone-uploads?device_id={device_id}").json["items"]
    assert world.admin.get(f"/phone-uploads/{upload['id']}").json["text"] == "boot\ufffd\n"
    assert world.stranger.get(f"/phone-uploads/{upload['id']}").status == 404
    (refusal,) = world.admin.get("/phone-refusals").json["items"]
    assert refusal["reason"] == "clear_text"
    assert world.admin.delete(f"/phone-refusals/{refusal['id']}").status == 204
    assert world.admin.get("/phone-refusals").json["items"] == []


def options(world: ApiWorld, host: str = "192.168.10.2") -> dict[str, str]:
    world.admin.patch(f"/sites/{site(world)}", {"provisioning": {"dhcp": {"voice_vlan": 20}}})
    answer = world.admin.get(f"/sites/{site(world)}/dhcp-options?host={host}")
    assert answer.status == 200, answer.body
    return {one["server"]: one["text"] for one in answer.json["snippets"]}


def test_dhcp_options_are_shown_for_the_usual_servers(world: ApiWorld) -> None:
    texts = options(world)
    assert set(texts) == {"kea", "dnsmasq", "windows", "mikrotik"}
    for text in texts.values():
        assert "http://192.168.10.2:8090/" in text
        for code in ("66", "150", "159", "160", "132"):
            assert code in text or (code == "66" and "tftp-server-name" in text)
    assert "150" not in options(world, "edge.example.test")["dnsmasq"]
    bad = world.admin.get(f"/sites/{site(world)}/dhcp-options?host=a%22b")
    assert bad.status == 422


@pytest.mark.peer("dnsmasq")
@pytest.mark.parametrize("host", ["192.168.10.2", "edge.example.test"])
def test_dnsmasq_takes_what_is_shown_for_it(world: ApiWorld, tmp_path: Path, host: str) -> None:
    file = tmp_path / "phones.conf"
    file.write_text(options(world, host)["dnsmasq"])
    done = subprocess.run(
        [shutil.which("dnsmasq") or "dnsmasq", "--test", f"--conf-file={file}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.peer("kea-dhcp4")
def test_kea_takes_what_is_shown_for_it(world: ApiWorld, tmp_path: Path) -> None:
    file = tmp_path / "kea.conf"
    text = options(world)["kea"].rstrip()
    file.write_text(
        '{ "Dhcp4": { "interfaces-config": { "interfaces": [] },\n'
        f'"lease-database": {{ "type": "memfile", "persist": false }},\n{text} }} }}'
    )
    done = subprocess.run(
        [shutil.which("kea-dhcp4") or "kea-dhcp4", "-t", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_history_of_a_phone_begins_with_its_adoption_and_is_its_tenants_own(world: ApiWorld) -> None:
    with world.databases.worker.session(PLATFORM) as session:
        session.add(
            UnknownPhone(
                id=TOKENS.id(), tenant_id=world.ours.tenant_id, site_id=world.ours.site_id, edge_id=TOKENS.id(),
                identity="805ec0000077", mac="805ec0000077", certainty={}, vendor="yealink", model="T54W",
                firmware="96", user_agent="",
                address="192.0.2.7", protocol="dhcp", switch_port="ge-0/3", first_seen_at=world.clock.now(),
                last_seen_at=world.clock.now(), times_seen=1,
            )
        )  # fmt: skip
    body = {"site_id": site(world), "mac": "805ec0000077", "model": "yealink/t54w", "serial": "S-77"}
    device = world.admin.post("/devices", body).json
    assert device["serial"] == "S-77"
    where = f"/devices/{device['id']}/history"
    (first,) = world.admin.get(where).json["items"]
    assert (first["kind"], first["times"]) == ("adopted", 1)
    assert first["detail"] == {"address": "192.0.2.7", "protocol": "dhcp", "switch_port": "ge-0/3"}
    assert world.stranger.get(where).status == 404
    clock = world.clock.now()
    with world.databases.worker.session(PLATFORM) as session:
        row = session.get_one(DeviceRow, UUID(device["id"]))
        for number in range(1, 61):
            note(session, TOKENS, row, clock, "fetched", {"version": number})
    page = world.admin.get(f"{where}?limit=50").json
    rest = world.admin.get(f"{where}?limit=50&cursor={page['next']}").json
    assert [one["detail"].get("version") for one in page["items"] + rest["items"]] == [*range(60, 0, -1), None]
    changed = world.admin.patch(f"/devices/{device['id']}", {"serial": "S-78"})
    assert changed.json["serial"] == "S-78"
    assert world.admin.patch(f"/devices/{device['id']}", {"serial": "no spaces"}).status == 422
    (audited,) = [one for one in world.admin.get("/audit?limit=200").json["items"] if "serial" in one["changes"]][:1]
    assert audited["changes"]["serial"] == ["S-77", "S-78"]
    assert world.admin.delete(f"/devices/{device['id']}").status == 204


def test_a_list_of_thousands_is_checked_as_a_whole_and_made_in_parts(world: ApiWorld) -> None:
    where = f"/sites/{site(world)}/device-import"
    text = "mac\n" + "".join(f"02{number:010x}\n" for number in range(2500))
    checked = world.admin.post(where, {"csv": text, "only_check": True})
    assert (checked.status, checked.json["created"]) == (201, 2500)
    refused = world.admin.post(where, {"csv": text})
    assert refused.status == 422
    assert refused.fields == {"line 2002"}
    many = "mac\n" + "".join(f"02{number:010x}\n" for number in range(10_050))
    assert world.admin.post(where, {"csv": many, "only_check": True}).status == 422
    bad = world.admin.post(where, {"csv": "mac,serial\n805ec0000001,two words\n", "only_check": True})
    assert bad.fields == {"line 2.serial"}
