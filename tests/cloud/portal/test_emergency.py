"""Calls for help in a browser: whether they lead out, places and their phones, who is told."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from cloud.models import Alarm
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import TOKENS, new_edge
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit
from tests.support.postgres import Databases

pytestmark = pytest.mark.peer("chromium")


def page_of(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}/emergency"


def plan_of(world: ApiWorld) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]
    return document


def give_places(world: ApiWorld) -> None:
    places = [
        {"location_id": "hall", "name": "Hall", "caller_id": "+4930100", "address": "Lange Straße 4, Bremen"},
        {"location_id": "office", "name": "Office", "caller_id": "+4930101", "address": "Lange Straße 6, Bremen"},
    ]
    document = {**plan_of(world), "locations": places, "default_location_id": "hall"}
    answer = world.admin.put(f"/sites/{world.ours.site_id}/dial-plan", {"document": document})
    assert answer.status == 200, answer.body


def test_the_check_of_every_day_is_red_with_the_number_that_leads_nowhere_until_it_leads_out(
    world: ApiWorld, databases: Databases, msp: Visit
) -> None:
    ours, now, alarm_id = world.ours, world.services.clock.now(), TOKENS.id()
    edge_id = new_edge(databases.api, ours, now).id
    with databases.worker.session(ours.scope) as session:
        session.add(
            Alarm(
                id=alarm_id,
                tenant_id=ours.tenant_id,
                site_id=ours.site_id,
                edge_id=edge_id,
                alarm="emergency_route_missing",
                severity="critical",
                text="112 leads nowhere: no gateway is switched on for it",
                raised_at=now,
            )
        )
    msp.go(page_of(world))
    alert = msp.page.get_by_role("alert").filter(has_text="Calls for help do not lead out")
    expect(alert).to_contain_text("112 leads nowhere")
    with databases.worker.session(ours.scope) as session:
        session.execute(update(Alarm).where(Alarm.id == alarm_id).values(cleared_at=now))
    expect(alert).to_have_count(0)
    expect(msp.page.get_by_role("status").filter(has_text="not known whether numbers for help")).to_be_visible()


def test_a_place_needs_an_address_and_becomes_the_default(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="Add a place").click()
    form = page.get_by_role("form", name="New place")
    form.get_by_label("Name", exact=True).fill("Hall")
    form.get_by_label("Its number (ELIN)").fill("+4930100")
    form.get_by_role("button", name="Add place").click()
    expect(form).to_contain_text("Emergency services need an address to come to")
    for field, text in (("Street", "Lange Straße"), ("House number", "4"), ("City", "Bremen"), ("Floor", "2")):
        form.get_by_label(field, exact=True).fill(text)
    form.get_by_label("Country (two letters)").fill("Germany")
    form.get_by_role("button", name="Add place").click()
    expect(form).to_contain_text("Two capital letters")
    form.get_by_label("Country (two letters)").fill("DE")
    form.get_by_role("button", name="Add place").click()
    row = page.get_by_role("table", name="Places").get_by_role("row").filter(has_text="Hall")
    expect(row).to_contain_text("Lange Straße 4, Bremen, floor 2")
    expect(page.get_by_role("region", name="Places")).to_contain_text("There is no default place")
    page.get_by_role("button", name="Make Hall the default").click()
    expect(row).to_contain_text("Default")
    document = plan_of(world)
    assert document["default_location_id"] == document["locations"][0]["location_id"]
    assert document["locations"][0]["civic"]["country"] == "DE"


def test_a_phone_is_put_at_a_place_which_cannot_be_deleted_then(world: ApiWorld, msp: Visit) -> None:
    give_places(world)
    site_id = str(world.ours.site_id)
    body = {"site_id": site_id, "mac": "805ec0000200", "model": "yealink/t54w", "name": "Phone at the door"}
    device = world.admin.post("/devices", body)
    assert device.status == 201, device.body
    page = msp.page
    msp.go(f"/sites/{site_id}/devices")
    page.get_by_role("button", name="Edit Phone at the door").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox", name="Emergency location").click()
    page.get_by_role("option", name="Office").click()
    form.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert world.admin.get(f"/devices/{device.json['id']}").json["emergency_location_id"] == "office"
    msp.go(page_of(world))
    row = page.get_by_role("table", name="Places").get_by_role("row").filter(has_text="Office")
    expect(row).to_contain_text("Phone at the door")
    page.get_by_role("button", name="Delete Office").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete place").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Phones are there: Phone at the door")
    assert len(plan_of(world)["locations"]) == 2


def test_who_is_told_is_chosen_and_an_address_that_is_none_is_refused_at_its_field(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="Edit who is told").click()
    form = page.get_by_role("form", name="When somebody calls for help")
    form.get_by_role("combobox", name="Phones that show it").click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    mail = form.get_by_label("Mail goes to").and_(page.locator("input"))
    mail.fill("reception at office")
    mail.press("Enter")
    form.get_by_role("button", name="Save").click()
    expect(mail).to_have_attribute("aria-invalid", "true")
    mail.press("Backspace")
    mail.fill("reception@office.example")
    mail.press("Enter")
    form.get_by_label("Call back").fill("30")
    form.get_by_role("button", name="Save").click()
    card = page.get_by_role("region", name="When somebody calls for help")
    expect(card).to_contain_text("reception@office.example")
    expect(card).to_contain_text("30 minutes")
    policy = plan_of(world)["emergency"]
    assert (policy["mail_to"], policy["callback_minutes"]) == (["reception@office.example"], 30)
    assert policy["notified_users"] == [str(world.user_id)]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_page_fits_the_screen(world: ApiWorld, browser: Browser, url: str, size: tuple[int, int]) -> None:
    give_places(world)
    with visit(browser, url, size) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, page_of(world))
        expect(tab.page.get_by_role("table", name="Places")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.page.get_by_role("button", name="Edit Hall").click()
        expect(tab.page.get_by_label("Its number (ELIN)")).to_be_visible()
        assert not scrolls_sideways(tab.page.get_by_role("dialog"))
        assert tab.wrong == []
