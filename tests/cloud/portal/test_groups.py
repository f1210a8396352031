"""Pickup groups, hot desks and the phonebook in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from cloud.pbx.state import write_state
from contract.dialplan.hot_desks import HotDesk
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def colleague(world: ApiWorld) -> str:
    body = {"site_id": str(world.ours.site_id), "username": "210", "display_name": "Shop", "extension": "210"}
    answer = world.admin.post("/users", body)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def test_a_pickup_group_has_two_members_at_least(world: ApiWorld, msp: Visit) -> None:
    shop = colleague(world)
    page = msp.page
    msp.go(f"{site(world)}/groups")
    page.get_by_role("button", name="Add a pickup group").click()
    form = page.get_by_role("form", name="New pickup group")
    form.get_by_label("Name").fill("Shop floor")
    members = form.get_by_role("combobox", name="Members")
    members.press("ArrowDown")
    page.get_by_role("option", name="Shop").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Add group").click()
    expect(form).to_contain_text("At least two")
    members.fill("Recep")
    page.get_by_role("option", name="Reception").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Add group").click()
    expect(page.get_by_role("table", name="Pickup groups")).to_contain_text("Shop floor")
    (group,) = world.admin.get(f"{site(world)}/dial-plan").json["document"]["pickup_groups"]
    assert set(group["members"]) == {shop, str(world.user_id)}
    page.get_by_role("button", name="Delete Shop floor").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("table", name="Pickup groups")).to_have_count(0)
    assert world.admin.get(f"{site(world)}/dial-plan").json["document"]["pickup_groups"] == []


def test_who_is_logged_in_at_anothers_phone_is_shown_and_logged_out(world: ApiWorld, msp: Visit) -> None:
    shop = colleague(world)
    line = world.admin.post("/lines", {"user_id": shop, "label": "Phone"})
    assert line.status == 201, line.body
    now = world.services.clock.now()
    until = int((now + timedelta(hours=2)).timestamp())
    desk = HotDesk(user_id=str(world.user_id), host_id=shop, until=until)
    with world.services.database.session(world.ours.scope) as session:
        write_state(session, world.ours.site_id, f"hot_desk/{line.json['id']}", desk.model_dump_json(), now)
    page = msp.page
    msp.go(f"{site(world)}/groups")
    row = page.get_by_role("table", name="Hot desks").get_by_role("row").filter(has_text="200")
    expect(row).to_contain_text("210")
    row.get_by_role("button", name="Log 200 out").click()
    page.get_by_role("dialog").get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Nobody is logged in at another’s phone.")).to_be_visible()
    assert world.admin.get(f"{site(world)}/hot-desks").json["items"] == []


def test_the_phonebook_is_searched_changed_and_refuses_what_is_no_number(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/phonebook")
    page.get_by_role("button", name="New entry").first.click()
    form = page.get_by_role("form", name="New entry")
    form.get_by_label("Name").fill("Mill at the river")
    numbers = form.get_by_label("Numbers").and_(page.locator("input"))
    numbers.fill("call them")
    numbers.press("Enter")
    form.get_by_role("button", name="Add entry").click()
    expect(numbers).to_have_attribute("aria-invalid", "true")
    numbers.press("Backspace")
    numbers.fill("+49421555")
    numbers.press("Enter")
    form.get_by_role("button", name="Add entry").click()
    table = page.get_by_role("table", name="Phonebook")
    expect(table).to_contain_text("+49421555")
    page.get_by_label("Search the phonebook").fill("bakery")
    expect(table.get_by_role("row")).to_have_count(1)
    page.get_by_label("Search the phonebook").fill("river")
    page.get_by_role("button", name="Edit Mill at the river").click()
    edit = page.get_by_role("form", name="Edit Mill at the river")
    edit.get_by_label("Name").fill("River mill")
    edit.get_by_role("button", name="Save").click()
    expect(table).to_contain_text("River mill")
    (entry,) = world.admin.get(f"{site(world)}/phonebook").json["items"]
    assert (entry["name"], entry["numbers"]) == ("River mill", ["+49421555"])
    page.get_by_role("button", name="Delete River mill").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete entry").click()
    expect(page.get_by_text("Nobody is in the phonebook yet")).to_be_visible()


def test_the_pages_fit_a_phone(world: ApiWorld, browser: Browser, url: str) -> None:
    entry = {"name": "Mill at the river", "numbers": ["+49421555001", "+49421555002", "+49421555003"]}
    assert world.admin.post(f"{site(world)}/phonebook", entry).status == 201
    with visit(browser, url, PHONE) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/phonebook")
        expect(tab.page.get_by_role("table", name="Phonebook")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.go(f"{site(world)}/groups")
        expect(tab.page.get_by_role("region", name="Hot desks")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
