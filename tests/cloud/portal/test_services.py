"""Call park, paging groups, announcements and authorization codes in a browser."""

import pytest
from playwright.sync_api import Browser, Page, expect

from cloud.pbx.state import site_records
from contract.authorization_state import salt_of
from contract.pin import hashed
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def services(world: ApiWorld) -> list[dict[str, object]]:
    return list(world.admin.get(f"{site(world)}/dial-plan").json["document"]["voice_services"])


def begin(page: Page, one: str, name: str, number: str) -> None:
    page.get_by_role("button", name=f"Add a {one}").click()
    form = page.get_by_role("form", name=f"New {one}")
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("Number").fill(number)


def test_a_park_is_made_with_a_range_of_orbits_and_refuses_a_number_that_is_taken(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/services")
    begin(page, "park", "Reception", "200")
    form = page.get_by_role("form", name="New park")
    orbits = form.get_by_label("Orbits").and_(page.locator("input"))
    orbits.fill("701-703")
    orbits.press("Enter")
    form.get_by_role("button", name="Add park").click()
    expect(form).to_contain_text("200")
    form.get_by_label("Number").fill("700")
    form.get_by_role("button", name="Add park").click()
    expect(page.get_by_role("table", name="Call park")).to_contain_text("orbits 701, 702, 703")
    (park,) = services(world)
    assert (park["kind"], park["orbits"]) == ("park", ["701", "702", "703"])
    page.get_by_role("button", name="Delete Reception").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete park").click()
    expect(page.get_by_role("table", name="Call park")).to_have_count(0)
    assert services(world) == []


def test_a_paging_group_and_an_announcement_are_made(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/services")
    begin(page, "paging group", "Hall", "750")
    form = page.get_by_role("form", name="New paging group")
    form.get_by_role("combobox", name="Members").fill("Recep")
    page.get_by_role("option", name="Reception").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Add paging group").click()
    expect(page.get_by_role("table", name="Paging groups")).to_contain_text("Reception")
    begin(page, "announcement", "Closed", "760")
    form = page.get_by_role("form", name="New announcement")
    form.get_by_label("Text").fill("We are closed.")
    form.get_by_role("button", name="Add announcement").click()
    expect(page.get_by_role("table", name="Announcements")).to_contain_text("We are closed.")
    assert [(one["kind"], one["extension"]) for one in services(world)] == [("paging", "750"), ("announcement", "760")]


def test_a_paging_group_sends_to_a_multicast_address(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/services")
    begin(page, "paging group", "Hall", "750")
    form = page.get_by_role("form", name="New paging group")
    form.get_by_role("combobox", name="Members").fill("Recep")
    page.get_by_role("option", name="Reception").click()
    page.keyboard.press("Escape")
    form.get_by_label("By multicast").click()
    form.get_by_label("Multicast address").fill("224.0.1.75")
    form.get_by_label("Port").fill("5001")
    form.get_by_role("button", name="Add paging group").click()
    expect(form).to_contain_text("An address such as 239.255.0.1")
    expect(form).to_contain_text("An even number from 1024 to 65534")
    form.get_by_label("Multicast address").fill("239.255.0.9")
    form.get_by_label("Port").fill("5010")
    form.get_by_label("Priority").fill("1")
    form.get_by_role("button", name="Add paging group").click()
    expect(page.get_by_role("table", name="Paging groups")).to_contain_text("239.255.0.9:5010")
    (group,) = services(world)
    assert group["multicast"] == {"address": "239.255.0.9", "port": 5010, "priority": 1, "codec": "pcmu", "hops": 1}
    page.get_by_role("button", name="Edit Hall").click()
    form = page.get_by_role("form", name="Edit Hall")
    form.get_by_label("By multicast").click()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("table", name="Paging groups")).not_to_contain_text("239.255.0.9")
    (group,) = services(world)
    assert group["multicast"] is None


def test_a_code_is_made_and_its_digits_are_set_and_shown_nowhere(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/services")
    begin(page, "code service", "Far", "770")
    form = page.get_by_role("form", name="New code service")
    codes = form.get_by_label("Codes").and_(page.locator("input"))
    codes.fill("Anna")
    codes.press("Enter")
    form.get_by_role("button", name="Add code service").click()
    table = page.get_by_role("table", name="Digits of the codes")
    expect(table).to_contain_text("none yet")
    page.get_by_role("button", name="Digits of Anna").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Digits", exact=True).and_(page.locator("input")).fill("1234")
    dialog.get_by_role("button", name="Save digits").click()
    expect(dialog).to_contain_text("no run such as 1234")
    dialog.get_by_label("Digits", exact=True).and_(page.locator("input")).fill("2580")
    dialog.get_by_role("button", name="Save digits").click()
    expect(table.get_by_role("cell", name="set", exact=True)).to_be_visible()
    (gate,) = services(world)
    with world.databases.api.session(world.ours.scope) as session:
        kept = [one.value for one in site_records(session, world.ours.site_id) if "authorization" in one.key]
    assert kept == [hashed("2580", salt_of(str(gate["service_id"])))]
    assert "2580" not in page.content()


def test_the_page_fits_a_phone(world: ApiWorld, browser: Browser, url: str) -> None:
    with visit(browser, url, PHONE) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/services")
        expect(tab.page.get_by_role("button", name="Add a park")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
