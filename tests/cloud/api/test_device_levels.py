"""What is set for many phones at once, where a phone's values come from, and what no file could hold."""

from typing import Any

from cloud.pbx.publishing import latest_snapshot, publish_site
from contract import snapshot as contract
from tests.support.api_world import ApiWorld

NTP = "time/ntp_server"


def new_device(world: ApiWorld, model: str = "yealink/t54w", mac: str = "805ec0000001", **more: Any) -> Any:
    answer = world.admin.post("/devices", {"site_id": str(world.ours.site_id), "mac": mac, "model": model, **more})
    assert answer.status == 201, answer.body
    return answer.json


def setting(world: ApiWorld, device: str, path: str) -> Any:
    items = world.admin.get(f"/devices/{device}/settings").json["items"]
    return next(item for item in items if item["path"] == path)


def published(world: ApiWorld) -> contract.Snapshot:
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    return snapshot


def test_each_level_wins_over_the_one_below_and_the_device_shows_where_its_value_comes_from(world: ApiWorld) -> None:
    tenant, site = f"/tenants/{world.ours.tenant_id}", f"/sites/{world.ours.site_id}"
    device = new_device(world)["id"]
    assert setting(world, device, NTP)["origin"] == "default"
    assert world.admin.patch(f"{tenant}/device-settings", {"settings": {"*": {NTP: "tenant.test"}}}).status == 200
    assert (setting(world, device, NTP)["value"], setting(world, device, NTP)["origin"]) == ("tenant.test", "tenant")
    assert world.admin.patch(f"{site}/device-settings", {"settings": {"yealink": {NTP: "site.test"}}}).status == 200
    assert setting(world, device, NTP)["value"] == "site.test"
    light = world.admin.post(
        "/device-groups",
        {"name": "All", "weight": 1, "settings": {"*": {NTP: "light.test"}}, "device_ids": [device]},
    ).json
    heavy = {"name": "Office", "weight": 9, "settings": {"yealink/t54w": {NTP: "heavy.test"}}, "device_ids": [device]}
    assert world.admin.post("/device-groups", heavy).status == 201
    assert setting(world, device, NTP)["source"] == "Office"
    assert world.admin.patch(f"/devices/{device}", {"settings": {NTP: "own.test"}}).status == 200
    shown = setting(world, device, NTP)
    assert (shown["value"], shown["origin"]) == ("own.test", "device")
    assert [(step["origin"], step["source"], step["value"]) for step in shown["others"]] == [
        ("group", "Office", "heavy.test"),
        ("group", "All", "light.test"),
        ("site", world.admin.get(site).json["name"], "site.test"),
        ("tenant", world.admin.get(tenant).json["name"], "tenant.test"),
        ("default", "", "pool.ntp.org"),
    ]
    only = world.admin.get(f"/devices/{device}/settings?origin=set").json["items"]
    assert [item["path"] for item in only if item["origin"] != "dial_plan"] == [NTP]
    assert set(world.admin.get(f"/devices/{device}").json["group_ids"]) >= {light["id"]}


def test_a_phone_takes_the_codes_of_its_sites_dial_plan_until_somebody_sets_another(world: ApiWorld) -> None:
    device = new_device(world)["id"]
    code = "codes/forward_always"
    assert (setting(world, device, code)["value"], setting(world, device, code)["origin"]) == ("*72", "dial_plan")
    where = f"/sites/{world.ours.site_id}/dial-plan"
    plan = world.admin.get(where).json["document"]
    rule = next(rule for rule in plan["rules"] if rule.get("feature") == "forward_always")
    rule["code"] = "*21"
    answer = world.admin.put(where, {"document": plan})
    assert answer.status == 200, answer.body
    assert setting(world, device, code)["value"] == "*21"
    assert setting(world, device, f"{code}_off")["value"] == "*21"
    site = f"/sites/{world.ours.site_id}/device-settings"
    assert world.admin.patch(site, {"settings": {"*": {code: "*22"}}}).status == 200
    shown = setting(world, device, code)
    assert (shown["value"], shown["origin"]) == ("*22", "site")
    assert [(step["origin"], step["value"]) for step in shown["others"]] == [("dial_plan", "*21"), ("default", "")]


def test_what_is_set_is_published_to_every_site_that_it_touches_and_stands_in_its_snapshot(world: ApiWorld) -> None:
    device = new_device(world)["id"]
    published(world)
    group = world.admin.post("/device-groups", {"name": "Office", "device_ids": [device]}).json
    world.admin.patch(f"/device-groups/{group['id']}", {"settings": {"*": {NTP: "ntp.test"}}, "weight": 3})
    world.admin.patch(f"/sites/{world.ours.site_id}/device-settings", {"settings": {"*": {"network/vlan": True}}})
    snapshot = published(world)
    assert snapshot.devices[0].groups == (group["id"],)
    levels = snapshot.device_levels
    assert levels.site == {"*": {"network/vlan": True}}
    assert [(g.name, g.weight, g.settings) for g in levels.groups] == [("Office", 3, {"*": {NTP: "ntp.test"}})]
    assert world.admin.delete(f"/device-groups/{group['id']}").status == 204
    snapshot = published(world)
    assert snapshot.devices[0].groups == ()
    assert snapshot.device_levels.groups == ()


def test_a_merge_patch_takes_one_value_away_and_leaves_the_others(world: ApiWorld) -> None:
    path = f"/tenants/{world.ours.tenant_id}/device-settings"
    world.admin.patch(path, {"settings": {"*": {NTP: "a.test", "network/vlan": True}, "snom": {NTP: "b.test"}}})
    found = world.admin.patch(path, {"settings": {"*": {NTP: None}, "snom": {NTP: None}}})
    assert found.json["settings"] == {"*": {"network/vlan": True}}
    assert world.admin.get(path).json["settings"] == {"*": {"network/vlan": True}}


def test_what_no_model_takes_is_refused_by_scope_and_path(world: ApiWorld) -> None:
    path = f"/sites/{world.ours.site_id}/device-settings"
    wrong = {"*": {"no/such": 1, "network/vlan_id": 5000}, "acme": {NTP: "x"}}
    assert world.admin.patch(path, {"settings": wrong}).fields == {
        "settings.*/no/such",
        "settings.*/network/vlan_id",
        "settings.acme",
    }
    group = {"name": "x", "settings": {"yealink": {"network/vlan": "yes"}}, "device_ids": [str(world.user_id)]}
    assert world.admin.post("/device-groups", group).fields == {"settings.yealink/network/vlan", "device_ids.0"}


def test_a_group_has_a_name_of_its_own_and_devices_of_its_tenant_only(world: ApiWorld) -> None:
    device = new_device(world)["id"]
    theirs = world.stranger.post("/device-groups", {"name": "Office"}).json
    ours = world.admin.post("/device-groups", {"name": "Office"}).json
    assert world.admin.post("/device-groups", {"name": "Office"}).fields == {"name"}
    assert world.admin.get(f"/device-groups/{theirs['id']}").status == 404
    assert world.stranger.patch(f"/device-groups/{theirs['id']}", {"device_ids": [device]}).fields == {"device_ids.0"}
    assert world.admin.patch(f"/devices/{device}", {"group_ids": [theirs["id"]]}).fields == {"group_ids"}
    changed = world.admin.patch(f"/devices/{device}", {"group_ids": [ours["id"]]}).json
    assert changed["group_ids"] == [ours["id"]]
    assert world.admin.get(f"/device-groups/{ours['id']}").json["device_ids"] == [device]
    assert world.admin.patch(f"/devices/{device}", {"group_ids": []}).json["group_ids"] == []


def test_somebody_elses_change_of_a_group_is_not_overwritten(world: ApiWorld) -> None:
    group = world.admin.post("/device-groups", {"name": "Office"}).json
    path = f"/device-groups/{group['id']}"
    first = world.admin.get(path).headers["etag"]
    assert world.admin.patch(path, {"weight": 5}).status == 200
    assert world.admin.patch(path, {"weight": 6}, headers={"if-match": first}).status == 412


def test_what_a_phones_file_cannot_hold_is_refused_when_it_is_saved(world: ApiWorld) -> None:
    user = {"site_id": str(world.ours.site_id), "username": "door$1", "extension": "480"}
    user_id = world.admin.post("/users", user).json["id"]
    gateway = new_device(world, "patton/sn4112", "00a0ba000001")
    line = {"user_id": user_id, "device_id": gateway["id"]}
    refused = world.admin.post("/lines", line)
    assert refused.fields == {"user_id"}
    assert "Patton SN4112" in refused.body.decode()
    device = {"site_id": str(world.ours.site_id), "mac": "00a0ba000002", "model": "patton/sn4112", "user_id": user_id}
    assert world.admin.post("/devices", device).fields == {"user_id"}
    phone = new_device(world, user_id=user_id)
    assert world.admin.patch(f"/devices/{phone['id']}", {"model": "patton/sn4112"}).fields == {"model"}
    plain = world.admin.post("/users", {**user, "username": "door", "extension": "481"}).json["id"]
    assert world.admin.post("/lines", {"user_id": plain, "device_id": gateway["id"]}).status == 201
    assert world.admin.patch(f"/users/{plain}", {"username": "door$2"}).fields == {"username"}
    assert world.admin.patch(f"/users/{user_id}", {"username": "door$2"}).status == 200


def test_a_setting_that_means_something_else_to_the_phone_is_refused(world: ApiWorld) -> None:
    device = new_device(world)["id"]
    answer = world.admin.patch(f"/devices/{device}", {"settings": {"line_key/1/label": "%NULL%"}})
    assert answer.fields == {"settings.line_key/1/label"}


def test_what_can_be_set_at_once_is_what_several_vendors_have_or_what_a_vendor_has(world: ApiWorld) -> None:
    def paths(query: str) -> set[str]:
        groups = world.admin.get(f"/device-settings?{query}").json["groups"]
        return {setting["path"] for group in groups for setting in group["settings"]}

    every, yealink, model = paths(""), paths("scope=yealink"), paths("scope=yealink/t54w")
    assert NTP in every & yealink & model
    assert model <= yealink
    assert yealink - every, "what only one vendor has is not offered for all"
    for path in sorted(every):
        assert len(path) <= 128
    german = world.admin.get("/device-settings?scope=yealink&language=de").json["groups"]
    assert german != world.admin.get("/device-settings?scope=yealink").json["groups"]
    assert world.admin.get("/device-settings?scope=nobody").status == 404
    assert world.admin.get("/device-settings?scope=**").status == 422
    assert world.user.get("/device-settings").status == 403


def test_a_phone_of_a_user_who_may_record_calls_has_a_key_for_it(world: ApiWorld) -> None:
    device, key = new_device(world)["id"], "calls/record_key"
    assert world.admin.patch(f"/users/{world.user_id}", {"permissions": ["RecordCalls"]}).status == 200
    assert setting(world, device, key)["value"] is False
    line = {"user_id": str(world.user_id), "device_id": device, "position": 1}
    assert world.admin.post("/lines", line).status == 201
    assert (setting(world, device, key)["value"], setting(world, device, key)["origin"]) == (True, "dial_plan")
    assert world.admin.patch(f"/devices/{device}", {"settings": {key: False}}).status == 200
    assert setting(world, device, key)["value"] is False
