"""Firmware is uploaded, rolled out ring after ring, watched and rolled back in the browser."""

import hashlib

import pytest
from playwright.sync_api import FilePayload, Page, expect

from contract.sync.events import BlobChanged, PhoneFirmware
from tests.cloud.api.test_firmware import Told, phone
from tests.support.api_world import ApiWorld
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")

ROM = b"firmware of a phone" * 10_000


def upload(page: Page, version: str, content: bytes) -> None:
    page.get_by_role("button", name="Upload firmware").first.click()
    form = page.get_by_role("form", name="Upload firmware")
    form.get_by_role("combobox", name="Vendor").click()
    page.get_by_role("option", name="Yealink", exact=True).click()
    form.get_by_role("combobox", name="Models that it fits").click()
    page.get_by_role("option", name="SIP-T54W", exact=True).or_(page.get_by_role("option", name="T54W")).first.click()
    page.keyboard.press("Escape")
    form.get_by_label("Version").fill(version)
    name = f"T54W-{version}.rom"
    files = FilePayload(name=name, mimeType="application/octet-stream", buffer=content)
    page.locator("input[type=file]").set_input_files(files)
    form.get_by_role("button", name="Upload firmware").click()


def test_firmware_is_uploaded_rolled_out_watched_paused_and_rolled_back(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    device = phone(world, "001565000001")
    other = phone(world, "001565000002")
    page.get_by_role("link", name="Firmware").click()
    expect(page.get_by_text("No firmware yet")).to_be_visible()
    upload(page, "96.86.0.1", b"old" * 1000)
    upload(page, "96.86.0.70", ROM)
    table = page.get_by_role("table", name="Firmware")
    expect(table).to_contain_text("T54W-96.86.0.70.rom (186 KiB)")
    for version in ("96.86.0.1", "96.86.0.70"):
        page.get_by_role("button", name=f"Roll out {version}", exact=True).click()
        page.get_by_role("form", name=f"Roll out {version}").get_by_role("button", name="Roll out").click()
        expect(page.get_by_role("region", name=f"Rollout of yealink {version}", exact=True)).to_be_visible()
    card = page.get_by_role("region", name="Rollout of yealink 96.86.0.70", exact=True)
    expect(card).to_contain_text("0 of 2 run it")
    firmware = next(
        one for one in world.admin.get("/firmware").json["items"] if one["firmware_version"] == "96.86.0.70"
    )
    told = Told(world)
    told.tell(BlobChanged(state="fetched", digest=hashlib.sha256(ROM).hexdigest(), size_bytes=len(ROM)))
    told.tell(PhoneFirmware(device_id=device, firmware_id=firmware["id"], state="running", version="96.86.0.70"))
    told.tell(PhoneFirmware(device_id=other, firmware_id=firmware["id"], state="failed", text="still 96.85.0.5"))
    expect(card).to_contain_text("1 of 2 run it, 1 failed")
    expect(card.get_by_role("table")).to_contain_text("still 96.85.0.5")
    card.get_by_role("button", name="Show 2 phones").click()
    expect(card.get_by_role("table")).to_contain_text("Runs it")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused")
    card.get_by_role("button", name="Resume").click()
    expect(card).to_contain_text("Goes on")
    card.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(card).to_have_count(0)
    old = page.get_by_role("region", name="Rollout of yealink 96.86.0.1", exact=True)
    expect(old).to_contain_text("0 of 2 run it")
    old.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("No earlier rollout says")).to_be_visible()


def test_a_rollout_has_rings_with_sites_and_moments(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    phone(world, "001565000001")
    site = world.admin.get(f"/sites/{world.ours.site_id}").json["name"]
    page.get_by_role("link", name="Firmware").click()
    upload(page, "96.86.0.70", ROM)
    page.get_by_role("button", name="Roll out 96.86.0.70").click()
    form = page.get_by_role("form", name="Roll out 96.86.0.70")
    form.get_by_role("button", name="Add a ring").click()
    first = form.get_by_role("group", name="Ring 1")
    first.get_by_role("combobox", name="Sites").click()
    page.get_by_role("option", name=site, exact=True).click()
    page.keyboard.press("Escape")
    starts = form.get_by_label("Starts")
    late = starts.nth(1).input_value()
    starts.nth(1).fill("2020-01-01T00:00")
    form.get_by_role("button", name="Roll out").click()
    expect(form).to_contain_text("A ring does not start before the one that stands above it")
    starts.nth(1).fill(late)
    form.get_by_role("button", name="Roll out").click()
    card = page.get_by_role("region", name="Rollout of yealink 96.86.0.70")
    expect(card.get_by_role("listitem")).to_have_count(2)
    expect(card).to_contain_text("First phones")
    expect(card).to_contain_text("0 of 1 run it")
    expect(card).to_contain_text("No phones")


def test_what_is_wrong_with_firmware_is_said_at_its_field(msp: Visit) -> None:
    page = msp.page
    page.get_by_role("link", name="Firmware").click()
    upload(page, "96 86", ROM)
    form = page.get_by_role("form", name="Upload firmware")
    expect(form).to_contain_text("as the phone says in its User-Agent")
    upload_too_large = b"x" * 1_100_000
    files = FilePayload(name="large.rom", mimeType="application/octet-stream", buffer=upload_too_large)
    page.locator("input[type=file]").set_input_files(files)
    form.get_by_role("button", name="Upload firmware").click()
    expect(form).to_contain_text("delete firmware that is not needed any more")
