"""Phones that operators bring themselves, and where a phone's values come from."""

import pytest
from playwright.sync_api import FilePayload, expect

from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld
from tests.support.device_archives import GOOD, packed
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def test_a_plug_in_is_uploaded_after_its_mistakes_were_named_by_file_and_line(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    page.get_by_role("link", name="Phones").click()
    page.get_by_role("button", name="Upload plug-in").first.click()
    form = page.get_by_role("form", name="Upload plug-in")
    form.get_by_role("combobox", name="Tenant").click()
    tenant = world.admin.get(f"/tenants/{world.ours.tenant_id}").json["name"]
    page.get_by_role("option", name=tenant, exact=True).click()
    wrong = packed({**GOOD, "settings.xml": b"<settings>\n<x/>\n</settings>"})
    chooser = page.locator("input[type=file]")
    chooser.set_input_files(FilePayload(name="acme.zip", mimeType="application/zip", buffer=wrong))
    expect(form.get_by_label("Name")).to_have_value("acme")
    form.get_by_role("button", name="Upload plug-in").click()
    expect(form.get_by_role("alert")).to_contain_text("acme/settings.xml:2: <x> is not known inside <settings>")
    chooser.set_input_files(FilePayload(name="acme.zip", mimeType="application/zip", buffer=packed(GOOD)))
    form.get_by_role("button", name="Upload plug-in").click()
    expect(page.get_by_role("table", name="Device plug-ins")).to_contain_text("Acme (acme)")
    page.get_by_label("Find a model").fill("t54w")
    expect(page.get_by_role("table", name="Catalogue")).to_contain_text("yealink/t54w")


def test_a_phones_settings_say_where_each_value_comes_from(msp: Visit, world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    settings = {"settings": {"*": {"time/ntp_server": "ntp.example"}}}
    world.admin.patch(f"/sites/{world.ours.site_id}/device-settings", settings)
    site = world.admin.get(f"/sites/{world.ours.site_id}").json["name"]
    msp.go(f"/sites/{world.ours.site_id}/devices")
    msp.page.get_by_role("table", name="Devices").get_by_role("button", name="Edit").first.click()
    msp.page.get_by_role("button", name="Time and date").click()
    server = msp.page.get_by_label("Time server", exact=True)
    expect(server).to_have_value("ntp.example")
    expect(msp.page.get_by_text(f"From the site {site}").first).to_be_visible()
