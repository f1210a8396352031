"""A site's dial plan in a browser: rules are put in order, tried on a call, saved; groups are made."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit

pytestmark = pytest.mark.peer("chromium")

GATEWAY = {"gateway_id": "pri", "name": "PRI at the wall", "host": "192.0.2.10"}


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def saved(world: ApiWorld) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    return document


def give_a_gateway(world: ApiWorld) -> None:
    document = {**saved(world), "gateways": [GATEWAY]}
    answer = world.admin.put(f"{site(world)}/dial-plan", {"document": document})
    assert answer.status == 200, answer.body


def names(page: Page) -> list[str]:
    """The rules from top to bottom."""
    return page.get_by_role("list", name="Rules in their order").locator(".rule-text > div p").all_inner_texts()


def add_a_rule(page: Page) -> None:
    page.get_by_role("button", name="Add a rule").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("To the town")
    form.get_by_label("What is dialled").and_(page.locator("input")).fill("0…")
    page.keyboard.press("Enter")
    form.get_by_label("By these gateways").and_(page.locator("input")).press("ArrowDown")
    page.get_by_role("option", name="PRI at the wall").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Add rule").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_rule_is_added_put_in_its_place_tried_and_saved(world: ApiWorld, msp: Visit) -> None:
    give_a_gateway(world)
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    expect(page.get_by_role("list", name="Rules in their order")).to_be_visible()
    add_a_rule(page)
    before = names(page)
    assert before[0] == "To the town"
    page.get_by_role("button", name="Move To the town down").click()
    assert names(page)[:2] == [before[1], "To the town"]
    # By dragging it, too.
    rows = page.get_by_role("list", name="Rules in their order").get_by_role("listitem")
    rows.nth(1).drag_to(rows.nth(0))
    expect(rows.nth(0)).to_contain_text("To the town")
    # What a call would come to, by what is on the screen and not saved yet.
    page.get_by_label("Who calls").and_(page.locator("input")).click()
    page.get_by_role("option").first.click()
    page.get_by_label("What is dialled").and_(page.locator("input")).first.fill("0301234")
    page.get_by_role("button", name="See what happens").click()
    way = page.get_by_role("list", name="The way of the call")
    expect(way).to_contain_text("0301234 by PRI at the wall")
    expect(way).to_contain_text("To the town: 0301234 leaves the site")
    assert all(rule["name"] != "To the town" for rule in saved(world)["rules"])
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    rule = saved(world)["rules"][0]
    assert (rule["name"], rule["patterns"], rule["gateways"]) == (
        "To the town",
        [{"prefix": "0", "digits": None}],
        ["pri"],
    )


def test_what_is_wrong_is_told_before_and_after_it_is_sent(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Add a rule").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Nonsense")
    form.get_by_label("What is dialled").and_(page.locator("input")).fill("0x…")
    page.keyboard.press("Enter")
    form.get_by_role("button", name="Add rule").click()
    expect(form.get_by_role("alert")).to_contain_text("x for any one digit")
    page.keyboard.press("Escape")
    # Two codes that clash are found by the server.
    page.get_by_role("button", name="Edit Echo test").click()
    page.get_by_role("dialog").get_by_label("Code").fill("*72")
    page.get_by_role("button", name="Take over").click()
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_role("alert")).to_contain_text("*72")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("button", name="Save dial plan")).to_have_count(0)


def test_somebody_elses_plan_is_not_written_over(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("switch", name="Echo test is on").click(force=True)
    give_a_gateway(world)
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_role("alert")).to_contain_text("Changed by someone else")
    assert saved(world)["gateways"][0]["name"] == "PRI at the wall"
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_hunt_group_is_made_and_found_by_its_extension(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Add a hunt group").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Add group").click()
    expect(form.get_by_role("alert")).to_contain_text("needs a name")
    form.get_by_label("Name").fill("Sales")
    form.get_by_label("Extension").fill("500")
    form.get_by_role("combobox", name="Members").press("ArrowDown")
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Add group").click()
    expect(page.get_by_role("table", name="Hunt groups")).to_contain_text("Sales")
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    (group,) = saved(world)["hunt_groups"]
    assert (group["extension"], len(group["members"]), group["strategy"]) == ("500", 1, "parallel")


def test_a_countrys_way_of_dialling_fills_the_plan(world: ApiWorld, msp: Visit) -> None:
    give_a_gateway(world)
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Fill by country").click()
    page.get_by_label("Country").and_(page.locator("input")).click()
    page.get_by_role("option", name="Germany").click()
    page.get_by_role("button", name="Fill the plan").click()
    expect(page.get_by_role("list", name="Rules in their order")).to_contain_text("112")
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    assert any(rule["kind"] == "emergency" for rule in saved(world)["rules"])


def test_a_gateway_that_wants_national_numbers_needs_its_country(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Add a gateway").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("PRI at the wall")
    form.get_by_label("Address").fill("192.0.2.10")
    form.get_by_label("Port", exact=True).fill("5062")
    form.get_by_label("Caller ID").first.fill("+49301234")
    form.get_by_role("combobox", name="How it wants numbers").press("ArrowDown")
    page.get_by_role("option", name="As dialled in the country").click()
    form.get_by_role("button", name="Add gateway").click()
    expect(form.get_by_role("alert")).to_contain_text("country code")
    form.get_by_label("Country code of the gateway").fill("49")
    form.get_by_role("button", name="Add gateway").click()
    expect(page.get_by_role("table", name="Gateways")).to_contain_text("192.0.2.10:5062")
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    (gateway,) = saved(world)["gateways"]
    assert (gateway["host"], gateway["port"], gateway["caller_id"]) == ("192.0.2.10", 5062, "+49301234")
    assert (gateway["numbers"]["style"], gateway["numbers"]["country_code"]) == ("national", "49")


def make_a_schedule(page: Page) -> None:
    page.get_by_role("button", name="Add a schedule").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name", exact=True).fill("Office")
    form.get_by_role("button", name="Add hours").click()
    second = form.get_by_role("group", name="Hours 2")
    second.get_by_label("Until").fill("00:00")
    form.get_by_role("button", name="Add a holiday").click()
    form.get_by_label("Name of holiday 1").fill("Christmas")


def test_hours_until_midnight_and_holidays_are_kept_and_a_holiday_needs_a_day(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    make_a_schedule(page)
    form = page.get_by_role("dialog")
    week = form.get_by_role("list", name="Working hours of Office")
    expect(week.get_by_role("listitem").nth(0)).to_contain_text("08:00–17:00")
    expect(week.get_by_role("listitem").nth(5)).to_contain_text("09:00–24:00")
    expect(week.get_by_role("listitem").nth(6)).to_contain_text("closed")
    form.get_by_role("button", name="Add schedule").click()
    expect(form.get_by_role("alert")).to_contain_text("A holiday needs a day")
    form.get_by_label("Day of holiday 1").fill("2026-12-25")
    form.get_by_role("button", name="Add schedule").click()
    expect(page.get_by_role("table", name="Schedules")).to_contain_text("Mon to Fri 08:00 to 17:00; Sat 09:00 to 24:00")
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    (schedule,) = saved(world)["schedules"]
    assert schedule["hours"] == [
        {"days": [1, 2, 3, 4, 5], "start": 480, "end": 1020},
        {"days": [6], "start": 540, "end": 1440},
    ]
    assert schedule["holidays"] == [{"day": "2026-12-25", "every_year": True, "name": "Christmas"}]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_plan_fits_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    give_a_gateway(world)
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/dial-plan")
        expect(tab.page.get_by_role("list", name="Rules in their order")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        add_a_rule(tab.page)
        assert not tab.is_wider_than_the_screen()
        make_a_schedule(tab.page)
        assert not tab.is_wider_than_the_screen()
        assert not scrolls_sideways(tab.page.get_by_role("dialog"))
        assert tab.wrong == []


def test_a_gateway_is_added_and_one_that_a_rule_needs_is_not_taken_away(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Add a gateway").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("PRI at the wall")
    form.get_by_label("Address").fill("sip:192.0.2.10")
    form.get_by_role("button", name="Add gateway").click()
    expect(form.get_by_role("alert")).to_contain_text("no sip:")
    form.get_by_label("Address").fill("192.0.2.10")
    form.get_by_role("button", name="Add gateway").click()
    table = page.get_by_role("table", name="Gateways")
    expect(table).to_contain_text("PRI at the wall")
    expect(page.get_by_role("button", name="Remove PRI at the wall")).to_be_visible()
    add_a_rule(page)
    expect(table).to_contain_text("To the town")
    expect(page.get_by_role("button", name="Remove PRI at the wall")).to_have_count(0)
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    (gateway,) = saved(world)["gateways"]
    assert (gateway["name"], gateway["host"], gateway["numbers"]["style"]) == ("PRI at the wall", "192.0.2.10", "plus")


def test_a_schedule_is_drawn_as_a_week_and_a_rule_goes_by_it(world: ApiWorld, msp: Visit) -> None:
    give_a_gateway(world)
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Add a schedule").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Office")
    form.get_by_label("Until").fill("07:00")
    form.get_by_role("button", name="Add schedule").click()
    expect(form.get_by_role("alert")).to_contain_text("Hours end later than they begin")
    form.get_by_label("Until").fill("17:30")
    week = form.get_by_role("list", name="Working hours of Office")
    expect(week.get_by_role("listitem").nth(0)).to_contain_text("08:00–17:30")
    expect(week.get_by_role("listitem").nth(6)).to_contain_text("closed")
    form.get_by_role("button", name="Add schedule").click()
    expect(page.get_by_role("table", name="Schedules")).to_contain_text("Mon to Fri 08:00 to 17:30")
    add_a_rule(page)
    page.get_by_role("button", name="Edit To the town").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox", name="Goes by the schedule").press("ArrowDown")
    page.get_by_role("option", name="Office").click()
    form.get_by_role("button", name="Take over").click()
    expect(page.get_by_role("list", name="Rules in their order")).to_contain_text("working time of Office")
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    document = saved(world)
    assert document["schedules"][0]["hours"] == [{"days": [1, 2, 3, 4, 5], "start": 480, "end": 1050}]
    assert document["rules"][0]["during"]["periods"] == ["working_time"]
