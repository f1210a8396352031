"""From nothing to a phone: what a technician does for a new customer."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def test_a_tenant_a_site_a_user_and_a_device_are_created(msp: Visit) -> None:
    page = msp.page
    page.get_by_role("link", name="Tenants").click()
    page.get_by_role("button", name="New tenant").click()
    form = page.get_by_role("form", name="New tenant")
    form.get_by_label("Name").fill("Bakery")
    form.get_by_label("SIP domain").fill("Not A Domain")
    form.get_by_role("button", name="Create tenant").click()
    expect(form.get_by_label("SIP domain")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("SIP domain").fill("bakery.tandem.test")
    form.get_by_role("button", name="Create tenant").click()
    expect(page.get_by_role("table", name="Tenants")).to_contain_text("bakery.tandem.test")

    page.get_by_role("link", name="Sites").click()
    page.get_by_role("button", name="New site").click()
    form = page.get_by_role("form", name="New site")
    form.get_by_role("combobox", name="Tenant").click()
    page.get_by_role("option", name="Bakery").click()
    form.get_by_label("Name").fill("Shop")
    form.get_by_role("button", name="Create site").click()
    expect(page.get_by_role("heading", name="Shop", level=1)).to_be_visible()

    page.get_by_role("tab", name="Users").click()
    page.get_by_role("button", name="New user").click()
    form = page.get_by_role("form", name="New user")
    form.get_by_label("Display name").fill("Counter")
    form.get_by_label("Extension").fill("210")
    form.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("table", name="Users")).to_contain_text("210")

    page.get_by_role("tab", name="Devices").click()
    page.get_by_role("button", name="New device").click()
    form = page.get_by_role("form", name="New device")
    form.get_by_label("MAC address").fill("805EC0000210")
    expect(form.get_by_label("MAC address")).to_have_value("80:5e:c0:00:02:10")
    form.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=re.compile("T54W")).click()
    form.get_by_role("combobox", name="User").click()
    page.get_by_role("option", name="210 Counter").click()
    form.get_by_role("button", name="Create device").click()

    once = page.get_by_role("dialog", name="Credentials of the line")
    password = once.locator("code").nth(1).inner_text()
    once.get_by_role("button", name="Copy password").click()
    assert page.evaluate("navigator.clipboard.readText()") == password
    once.get_by_role("button", name="Done").click()
    expect(page.get_by_role("table", name="Devices")).to_contain_text("80:5e:c0:00:02:10")
    expect(page.get_by_text(password)).to_have_count(0)


def test_a_new_edge_is_given_one_command_that_can_be_copied(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/edges")
    page.get_by_role("button", name="Enroll new edge").click()
    page.get_by_role("button", name="Create enrollment code").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Enroll Edge of"))
    command = dialog.locator("code").first.inner_text()
    assert "/install.sh" in command
    assert "TDM1-" in command
    dialog.get_by_role("button", name="Copy command").click()
    assert page.evaluate("navigator.clipboard.readText()") == command
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("table", name="Edges")).to_contain_text("Waiting for enrollment")
    expect(page.get_by_text(command)).to_have_count(0)
    page.get_by_role("button", name=re.compile("^New enrollment code")).click()
    expect(page.get_by_role("dialog").locator("code").first).not_to_have_text(command)


def test_a_webhook_secret_is_shown_once(msp: Visit) -> None:
    page = msp.page
    msp.go("/webhook-endpoints")
    page.get_by_role("button", name="New endpoint").first.click()
    form = page.get_by_role("form", name="New webhook endpoint")
    form.get_by_label("Address").fill("https://hooks.tandem.test/calls")
    form.get_by_role("checkbox", name="Call ended").check()
    form.get_by_role("button", name="Create endpoint").click()
    once = page.get_by_role("dialog", name="Signing secret")
    secret = once.locator("code").inner_text()
    assert secret.startswith("whsec_")
    once.get_by_role("button", name="Copy secret").click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    once.get_by_role("button", name="Done").click()
    expect(page.get_by_role("table", name="Webhook endpoints")).to_contain_text("Call ended")
    page.reload()
    page.get_by_role("link", name="https://hooks.tandem.test/calls").click()
    expect(page.get_by_role("heading", name="Deliveries")).to_be_visible()
    assert secret not in page.content()


def test_an_unknown_phone_is_adopted_with_what_is_known_of_it(msp: Visit, world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/unknown-phones")
    page.get_by_role("button", name="Adopt 00:15:65:00:00:01").click()
    form = page.get_by_role("form", name="Adopt phone")
    expect(form.get_by_label("MAC address")).to_have_value("00:15:65:00:00:01")
    expect(form.get_by_role("combobox", name="Model")).to_have_value(re.compile("T54W"))
    form.get_by_role("button", name="Adopt phone").click()
    expect(page.get_by_text("No unknown phones")).to_be_visible()
    page.get_by_role("tab", name="Devices").click()
    expect(page.get_by_role("table", name="Devices")).to_contain_text("00:15:65:00:00:01")


def test_a_setting_of_the_model_is_changed_and_taken_back(msp: Visit, world: ApiWorld) -> None:
    body = {"site_id": str(world.ours.site_id), "mac": "001565aabbcc", "model": "generic/sip", "name": "Desk"}
    device = world.admin.post("/devices", body).json
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/devices")
    page.get_by_role("button", name="Edit Desk").click()
    form = page.get_by_role("form", name="Edit Desk")
    form.get_by_role("button", name="Time and date").click()
    form.get_by_label("Time server").fill("ntp.tandem.test")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    assert world.admin.get(f"/devices/{device['id']}").json["settings"] == {"time/ntp_server": "ntp.tandem.test"}
    page.get_by_role("button", name="Edit Desk").click()
    form.get_by_role("button", name="Time and date").click()
    form.get_by_role("button", name="Time server: back to default").click()
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    assert world.admin.get(f"/devices/{device['id']}").json["settings"] == {}


def test_an_edge_is_given_the_address_at_which_other_sites_call_it(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    edge_id = world.admin.post("/edges", {"site_id": str(world.ours.site_id), "name": "Cellar"}).json["id"]
    msp.go(f"/sites/{world.ours.site_id}/edges")
    page.get_by_role("button", name="Edit Cellar").click()
    form = page.get_by_role("form", name="Edit Cellar")
    expect(form.get_by_label("Port for other sites")).to_have_value("5063")
    form.get_by_label("Address for other sites").fill("not an address")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("Address for other sites")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Address for other sites").fill("192.0.2.10")
    form.get_by_label("Port for other sites").fill("5071")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    edge = world.admin.get(f"/edges/{edge_id}").json
    assert (edge["sip_host"], edge["sip_port"]) == ("192.0.2.10", 5071)


def test_a_line_is_shared_in_the_form_of_its_user(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    user = world.admin.get(f"/users/{world.user_id}").json
    msp.go(f"/sites/{world.ours.site_id}/users")
    page.get_by_role("button", name=f"Edit {user['display_name']}").click()
    form = page.get_by_role("form", name=f"Edit {user['display_name']}")
    form.get_by_label("Appearances of a shared line").fill("4")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    assert world.admin.get(f"/users/{world.user_id}").json["appearances"] == 4
