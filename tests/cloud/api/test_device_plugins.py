"""An operator brings a device plug-in of its own; what is wrong with one is named by file and line."""

import base64
from typing import Any

import pytest

from cloud.pbx.publishing import latest_snapshot, publish_site
from tests.support.api_world import ApiWorld
from tests.support.device_archives import GOOD, packed

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<settings><group name="g" label="&b;"/></settings>"""
OUTSIDE = b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><settings>&x;</settings>'


def upload(world: ApiWorld, files: Any = GOOD, vendor: str = "acme") -> Any:
    data = files if isinstance(files, bytes) else packed(files)
    return world.admin.post("/device-plugins", {"vendor": vendor, "archive": base64.b64encode(data).decode()})


def test_an_uploaded_plug_in_brings_its_models_to_its_tenant_and_into_its_snapshots(world: ApiWorld) -> None:
    made = upload(world)
    assert made.status == 201, made.body
    assert made.json["models"] == ["one"]
    assert "acme/one" in {model["key"] for model in world.admin.get("/device-models").json["items"]}
    assert world.admin.get("/device-models/acme/one").json["lines"] == 2
    device = {"site_id": str(world.ours.site_id), "mac": "0004f2000001", "model": "acme/one"}
    assert world.admin.post("/devices", {**device, "settings": {"g/a": "x"}}).status == 201
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    assert [(one.vendor, one.digest) for one in snapshot.device_plugins] == [("acme", made.json["digest"])]


def test_another_tenant_sees_and_may_use_nothing_of_it(world: ApiWorld) -> None:
    made = upload(world).json
    assert world.stranger.get(f"/device-plugins/{made['id']}").status == 404
    assert world.stranger.get("/device-models/acme/one").status == 404
    assert world.stranger.get("/device-plugins").json["items"] == []
    device = {"site_id": str(world.theirs.site_id), "mac": "0004f2000001", "model": "acme/one"}
    assert world.stranger.post("/devices", device).fields == {"model"}


def test_a_plug_in_says_how_many_devices_of_its_own_tenant_its_removal_would_break(world: ApiWorld) -> None:
    made = upload(world).json
    assert made["uses"] == {}
    device = {"site_id": str(world.ours.site_id), "mac": "0004f2000001", "model": "acme/one"}
    assert world.admin.post("/devices", device).status == 201
    archive = base64.b64encode(packed(GOOD)).decode()
    theirs = world.stranger.post("/device-plugins", {"vendor": "acme", "archive": archive}).json
    assert world.admin.get(f"/device-plugins/{made['id']}").json["uses"] == {"one": 1}
    assert {one["id"]: one["uses"] for one in world.platform.get("/device-plugins").json["items"]} == {
        made["id"]: {"one": 1},
        theirs["id"]: {},
    }


def test_a_model_that_devices_have_cannot_be_taken_away(world: ApiWorld) -> None:
    made = upload(world).json
    device = {"site_id": str(world.ours.site_id), "mac": "0004f2000001", "model": "acme/one"}
    device_id = world.admin.post("/devices", device).json["id"]
    assert world.admin.delete(f"/device-plugins/{made['id']}").status == 409
    renamed = {**GOOD, "plugin.toml": GOOD["plugin.toml"].replace(b"models.one", b"models.two")}
    assert upload(world, renamed).status == 409
    assert world.admin.delete(f"/devices/{device_id}").status == 204
    assert upload(world, renamed).json["models"] == ["two"]
    assert world.admin.delete(f"/device-plugins/{made['id']}").status == 204
    assert "acme/two" not in {model["key"] for model in world.admin.get("/device-models").json["items"]}


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("settings.xml", LAUGHS, "acme/settings.xml:1"),
        ("settings.xml", OUTSIDE, "acme/settings.xml:1"),
        ("settings.xml", b"<settings>" + b"<a>" * 50_000, "acme/settings.xml:1"),
        ("plugin.toml", GOOD["plugin.toml"].replace(b"lines = 2", b"lines = 0"), "acme/plugin.toml:12"),
        ("plugin.toml", GOOD["plugin.toml"].replace(b"\\w+", b"(\\\\w+)+"), "acme/plugin.toml:3"),
        ("templates/device.j2", b"ok\n{% for x in %}\n", "acme/templates/device.j2:2"),
        ("templates/device.j2", b"ok\n\n{{ secrets }}\n", "acme/templates/device.j2:3"),
        ("templates/device.j2", b"{% include 'other.j2' %}", "acme/templates/device.j2:0"),
        ("templates/device.j2", b"x" * 300_000, "acme/templates/device.j2:0"),
    ],
)
def test_a_hostile_or_wrong_plug_in_is_refused_by_file_and_line(
    world: ApiWorld, name: str, content: bytes, field: str
) -> None:
    answer = upload(world, {**GOOD, name: content})
    assert answer.status == 422
    assert answer.fields == {field}, answer.body
    assert b"root:" not in answer.body


def test_every_problem_of_an_upload_is_told_at_once(world: ApiWorld) -> None:
    wrong = {**GOOD, "settings.xml": b"<settings/>", "plugin.toml": GOOD["plugin.toml"].replace(b"lines = 2", b"")}
    assert upload(world, wrong).fields == {"acme/settings.xml:1", "acme/plugin.toml:10"}
    assert upload(world, b"no archive").fields == {"acme:0"}
    assert upload(world, {**GOOD, "../x": b""}).fields == {"acme/../x:0"}
    assert upload(world, vendor="yealink").fields == {"vendor"}
    assert upload(world, vendor="../x").fields == {"vendor"}


def test_labels_come_in_the_language_that_is_asked_for(world: ApiWorld) -> None:
    german = world.admin.get("/device-models/yealink/t54w?language=de").json
    labels = {setting["path"]: setting["label"] for group in german["groups"] for setting in group["settings"]}
    assert labels["time/ntp_server"] == "Zeitserver"
    assert labels["line_key/1/type"] == "Was die Taste tut"
