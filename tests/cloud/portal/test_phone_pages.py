"""What a technician does about phones: settings for many, rules, lists, passwords, what phones sent, the catalogue."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import FilePayload, Route, expect

from cloud.models import Device, DeviceVisit
from cloud.pbx.database import PLATFORM
from cloud.pbx.phone_history import Kind, note
from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld
from tests.support.customers import TOKENS
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def test_a_sites_settings_say_what_they_inherit_and_are_reset_to_it(msp: Visit, world: ApiWorld) -> None:
    tenant = f"/tenants/{world.ours.tenant_id}/device-settings"
    world.admin.patch(tenant, {"settings": {"*": {"time/ntp_server": "tenant.example"}}})
    page = msp.page
    msp.go(f"{site(world)}/device-settings")
    page.get_by_label("Find a setting").fill("time server")
    server = page.get_by_label("Time server", exact=True)
    expect(server).to_have_value("tenant.example")
    expect(page.get_by_text(re.compile("^From the tenant ")).first).to_be_visible()
    server.fill("not a name!")
    expect(page.get_by_role("combobox", name="Set for")).to_be_disabled()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_contain_text("must match")
    expect(server).to_have_attribute("aria-invalid", "true")
    server.fill("site.example")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("combobox", name="Models")).to_have_value("All models (1 set)")
    where = f"{site(world)}/device-settings"
    assert world.admin.get(where).json["settings"] == {"*": {"time/ntp_server": "site.example"}}
    page.get_by_label("Find a setting").fill("time server")
    page.get_by_role("button", name="Time server: back to default").click()
    expect(page.get_by_label("Time server", exact=True)).to_have_value("tenant.example")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("combobox", name="Models")).to_have_value("All models")
    assert world.admin.get(where).json["settings"] == {}


def test_a_device_group_sets_what_a_vendors_phones_in_it_take(msp: Visit, world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    page = msp.page
    msp.go(f"{site(world)}/device-settings")
    page.get_by_role("button", name="New device group").click()
    form = page.get_by_role("form", name="New device group")
    form.get_by_label("Name").fill("Warehouse")
    form.get_by_label("Weight").fill("20")
    form.get_by_role("combobox", name="Devices of this site").click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape") if page.get_by_role("option").first.is_visible() else None
    form.get_by_role("button", name="Create group").click()
    expect(page.get_by_role("combobox", name="Set for")).to_have_value("Warehouse (weight 20, 1 device)")
    page.get_by_role("combobox", name="Models").click()
    page.get_by_role("option", name="All of Yealink").click()
    page.get_by_label("Find a setting").fill("time server")
    page.get_by_label("Time server", exact=True).fill("group.example")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("combobox", name="Models")).to_have_value("All of Yealink (1 set)")
    items = world.admin.get(f"/devices/{things['device_id']}/settings?origin=set").json["items"]
    assert [(one["path"], one["value"], one["source"]) for one in items if one["origin"] == "group"] == [
        ("time/ntp_server", "group.example", "Warehouse")
    ]
    page.get_by_role("button", name="Delete group").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("combobox", name="Set for")).to_have_value(re.compile("^Site "))


def test_rules_for_phones_are_saved_with_what_is_wrong_at_its_field(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"{site(world)}/phone-rules")
    served = page.get_by_role("combobox", name="Networks that are served")
    served.fill("192.168.10.1/24")
    served.press("Enter")
    page.get_by_label("Phones have to prove who they are, everywhere").check()
    page.get_by_label("Approved phones only").check()
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_text("no network such as").first).to_be_visible()
    served.press("Backspace")
    served.fill("192.168.10.0/24")
    served.press("Enter")
    page.get_by_label("Of one phone").fill("60")
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_text("The rules were saved")).to_be_visible()
    rules = world.admin.get(site(world)).json["provisioning"]
    assert (rules["served_networks"], rules["proof_required"]) == (["192.168.10.0/24"], True)
    assert (rules["requests_per_minute_per_phone"], rules["approved_only"]) == (60, True)
    page.get_by_role("button", name="All back to default").click()
    expect(page.get_by_label("Of one phone")).to_have_value("120")
    assert world.admin.get(site(world)).json["provisioning"]["proof_required"] is False


def test_a_list_is_mended_by_line_and_column_then_previewed_then_made(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"{site(world)}/devices")
    page.get_by_role("button", name="Import list").first.click()
    drawer = page.get_by_role("dialog", name="Import devices")
    with page.expect_download() as template:
        drawer.get_by_role("button", name="Download a template").click()
    assert Path(template.value.path()).read_text().startswith("mac,model,name,users")
    wrong = b"mac,model,name,users\n805ec0000001,yealink/t54w,Desk,200\n12,acme/x,,nobody\n"
    with page.expect_file_chooser() as chooser:
        drawer.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(FilePayload(name="phones.csv", mimeType="text/csv", buffer=wrong))
    text = drawer.get_by_label("List", exact=True)
    expect(text).to_have_value(wrong.decode())
    drawer.get_by_role("button", name="Check the list").click()
    problems = drawer.get_by_role("table", name="Problems")
    for column in ("mac", "model", "users"):
        expect(problems.get_by_role("row", name=re.compile(f"^3 {column} "))).to_be_visible()
    expect(text).to_have_value(wrong.decode())
    text.fill("mac,model,name,users\n805ec0000001,yealink/t54w,Desk,200\n805ec0000002,,Hall,\n")
    drawer.get_by_role("button", name="Check the list").click()
    expect(drawer.get_by_role("status")).to_contain_text("2 devices would be created, 1 of them once")
    expect(drawer.get_by_role("table", name="To be created")).to_contain_text("as the phone says")
    drawer.get_by_role("button", name="Create 2 devices").click()
    expect(page.get_by_role("table", name="Devices")).to_contain_text("Desk")
    page.get_by_role("button", name="Import list").click()
    with page.expect_download() as current:
        page.get_by_role("button", name="Download the current list").click()
    assert "805ec0000001,yealink/t54w,Desk,200" in Path(current.value.path()).read_text()


def test_a_long_list_shows_how_far_it_is_and_names_what_a_later_part_lacks(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"{site(world)}/devices")
    page.get_by_role("button", name="Import list").click()
    drawer = page.get_by_role("dialog", name="Import devices")
    rows = "".join(f"02{number:010x},,Hall {number},\n" for number in range(250))
    drawer.get_by_label("List", exact=True).fill(f"mac,model,name,serial\n{rows}")
    drawer.get_by_role("button", name="Check the list").click()
    expect(drawer.get_by_role("status")).to_contain_text("250 devices would be created")
    taken = {"site_id": str(world.ours.site_id), "mac": f"02{205:010x}", "model": "announced/any"}
    assert world.admin.post("/devices", taken).status == 201
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/device-import", hold)
    drawer.get_by_role("button", name="Create 250 devices").click()
    for done in (0, 100, 200):
        expect(drawer.get_by_role("status").last).to_contain_text(f"{done} of 250 devices are made")
        held.pop(0).continue_()
    page.unroute("**/device-import")
    expect(drawer.get_by_role("alert")).to_contain_text("200 devices were made, the rest was not")
    expect(drawer.get_by_role("table", name="Problems")).to_contain_text("207")
    drawer.get_by_label("List", exact=True).fill(
        f"mac,model,name,serial\n{''.join(rows.splitlines(keepends=True)[206:])}"
    )
    drawer.get_by_role("button", name="Check the list").click()
    drawer.get_by_role("button", name="Create 44 devices").click()
    expect(page.get_by_text("44 devices were created")).to_be_visible()


def test_a_phone_shows_what_happened_to_it_its_password_and_what_it_sent(msp: Visit, world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    with world.databases.worker.session(PLATFORM) as session:
        session.add(
            DeviceVisit(
                tenant_id=world.ours.tenant_id, device_id=UUID(things["device_id"]), site_id=world.ours.site_id,
                address="192.0.2.8", protocol="https", proof="certificate", fetched_at=world.clock.now(),
                resync_state="registered", resync_at=world.clock.now(), switch_port="ge-0/3",
            )
        )  # fmt: skip
        device = session.get_one(Device, UUID(things["device_id"]))
        fetched = {"protocol": "https", "address": "192.0.2.8", "proof": "certificate"}
        happenings: tuple[tuple[Kind, dict[str, str]], ...] = (
            ("asked", {}), ("fetched", fetched), ("applied", {}), ("refused", {"reason": "clear_text"})
        )  # fmt: skip
        for kind, detail in happenings:
            note(session, TOKENS, device, world.clock.now(), kind, detail)
    page = msp.page
    msp.go(f"{site(world)}/devices")
    page.get_by_role("table", name="Devices").get_by_role("button", name=re.compile("^Show ")).first.click()
    happened = page.get_by_role("list", name="What happened")
    expect(happened).to_contain_text("By HTTPS from 192.0.2.8, proven by its certificate")
    expect(happened).to_contain_text("Registered after it fetched")
    expect(happened.get_by_role("listitem")).to_contain_text(
        ["Refused", "Registered after it fetched", "Fetched its files", "Asked to fetch", "Created in the portal"]
    )
    expect(page.get_by_text("At port ge-0/3")).to_be_visible()
    page.get_by_role("button", name="boot.log").click()
    expect(page.get_by_role("dialog", name="boot.log").locator("pre")).to_have_text("boot\n")
    page.get_by_role("dialog", name="boot.log").get_by_role("button", name="Close").click()
    password = page.get_by_role("region", name="Administrator's password")
    password.get_by_role("button", name="Set one").click()
    password.get_by_label("New password").fill("with space")
    password.get_by_role("button", name="Set password").click()
    expect(password.get_by_text("Only letters, digits and signs")).to_be_visible()
    password.get_by_label("New password").fill("Planted-77")
    password.get_by_role("button", name="Set password").click()
    expect(password.get_by_text("Planted-77")).to_have_count(0)
    password.get_by_role("button", name="Show password").click()
    expect(password.locator("code")).to_have_text("Planted-77")
    password.get_by_role("button", name="Make a new password").click()
    expect(password.locator("code")).not_to_have_text("Planted-77")
    actions = [one["action"] for one in world.admin.get("/audit?limit=200").json["items"]]
    assert actions.count("device.admin_password_changed") == 2
    assert actions.count("device.admin_password_shown") == 1


def test_the_catalogue_shows_what_can_be_set_on_each_model_uploaded_ones_too(msp: Visit, world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    device = {"site_id": str(world.ours.site_id), "mac": "0004f2000001", "model": "acme/one"}
    assert world.admin.post("/devices", device).status == 201
    page = msp.page
    msp.go("/device-plugins")
    plugins = page.get_by_role("table", name="Device plug-ins")
    expect(plugins).to_contain_text("one: 1")
    page.get_by_role("button", name="Delete acme").click()
    expect(page.get_by_role("dialog")).to_contain_text("Devices have its models (one: 1)")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Replace acme").click()
    expect(page.get_by_role("form", name="Replace acme").get_by_label("Name")).to_be_disabled()
    page.get_by_role("form", name="Replace acme").get_by_role("button", name="Cancel").click()
    page.get_by_label("Find a model").fill("t54w")
    table = page.get_by_role("table", name="Catalogue")
    expect(table).to_contain_text("yealink/t54w")
    table.get_by_role("button", name="T54W", exact=False).first.click()
    drawer = page.get_by_role("dialog", name=re.compile("T54W"))
    drawer.get_by_label("Find a setting").fill("time server")
    expect(drawer.get_by_text("time/ntp_server", exact=True)).to_be_visible()
    expect(drawer).to_contain_text("Default: pool.ntp.org.")
