"""Calls tried under failures in a browser, kept as assertions, run, and explained when they do not hold."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def give_ways_out(world: ApiWorld) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    rule = {
        "kind": "emergency",
        "rule_id": "help",
        "name": "Help",
        "numbers": ["112"],
        "gateways": ["line", "pri"],
    }
    document.update(
        rules=[rule, *document["rules"]],
        trunks=[{"gateway_id": "line", "name": "Provider", "host": "sip.provider.example"}],
        gateways=[{"gateway_id": "pri", "name": "PRI", "host": "192.0.2.10"}],
    )
    answer = world.admin.put(f"{site(world)}/dial-plan", {"document": document})
    assert answer.status == 200, answer.body
    return document


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_role("combobox", name=field).press("ArrowDown")
    page.get_by_role("option", name=option).click()
    page.keyboard.press("Escape")


def try_a_call(page: Page, number: str) -> None:
    page.get_by_role("combobox", name="Who calls").click()
    page.get_by_role("option").first.click()
    page.get_by_label("What is dialled").and_(page.locator("input")).first.fill(number)
    page.get_by_role("button", name="See what happens").click()


def test_a_call_is_tried_while_trunks_people_cloud_and_edge_fail(world: ApiWorld, msp: Visit) -> None:
    give_ways_out(world)
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    way = page.get_by_role("list", name="The way of the call")
    try_a_call(page, "112")
    expect(way).to_contain_text("112 by Provider")
    choose(page, "Trunks and gateways that are down", "Provider")
    page.get_by_label("The cloud is away").check(force=True)
    page.get_by_role("button", name="See what happens").click()
    expect(way).to_contain_text("112 by PRI rings")
    expect(page.get_by_text("The cloud is away: the edge decides")).to_be_visible()
    page.get_by_label("The edge is away").check(force=True)
    page.get_by_role("button", name="See what happens").click()
    expect(way).to_contain_text("the site's edge is away")


def test_a_call_of_somebody_who_is_away_or_in_a_call_goes_another_way(world: ApiWorld, msp: Visit) -> None:
    body = {"site_id": str(world.ours.site_id), "username": "210", "display_name": "Shop", "permissions": []}
    assert world.admin.post("/users", {**body, "extension": "210"}).status == 201
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    way = page.get_by_role("list", name="The way of the call")
    choose(page, "In a call", "Shop (210)")
    try_a_call(page, "210")
    expect(way).to_contain_text("meets a busy line")
    choose(page, "In a call", "Shop (210)")
    choose(page, "Away", "Shop (210)")
    page.get_by_role("button", name="See what happens").click()
    expect(way).to_contain_text("reaches nobody")


def test_a_tried_call_is_kept_run_and_explained_when_it_does_not_hold(world: ApiWorld, msp: Visit) -> None:
    give_ways_out(world)
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    try_a_call(page, "112")
    page.get_by_role("button", name="Keep this as an assertion").click()
    form = page.get_by_role("form", name="Keep as an assertion")
    expect(form.get_by_label("Name", exact=True)).to_have_value("112 leaves by Provider")
    form.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("form", name="Keep as an assertion")).to_have_count(0)
    msp.go(f"{site(world)}/call-assertions")
    row = page.get_by_role("table", name="Call assertions").get_by_role("row").filter(has_text="112")
    expect(row).to_contain_text("dials 112")
    expect(row).to_contain_text("Holds")
    # What is expected now is what does not happen.
    (kept,) = world.admin.get(f"{site(world)}/call-assertions").json["items"]
    content = {**kept["content"], "outcome": "rings", "target": "200"}
    changed = world.admin.patch(f"{site(world)}/call-assertions/{kept['id']}", {"content": content})
    assert changed.status == 200, changed.body
    expect(row.get_by_role("cell", name="rings 200", exact=True)).to_be_visible()
    page.get_by_role("button", name="Run all").click()
    expect(row).to_contain_text("Does not hold")
    expect(row).to_contain_text("112 dialled by 200 rings 200, but Help: 112 is called for help")
    page.get_by_role("button", name=f"Delete {kept['name']}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete assertion").click()
    expect(page.get_by_text("Nothing is expected yet")).to_be_visible()


def test_changes_here_are_put_upon_what_somebody_else_saved_meanwhile(world: ApiWorld, msp: Visit) -> None:
    document = give_ways_out(world)
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("switch", name="Echo test is on").click(force=True)
    document["gateways"][0]["name"] = "PRI in the cellar"
    assert world.admin.put(f"{site(world)}/dial-plan", {"document": document}).status == 200
    page.get_by_role("button", name="Save dial plan").click()
    alert = page.get_by_role("alert").filter(has_text="Changed by someone else")
    expect(alert).to_contain_text("nothing of yours is lost")
    alert.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("table", name="Gateways")).to_contain_text("PRI in the cellar")
    expect(page.get_by_role("switch", name="Echo test is on")).not_to_be_checked()
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_role("button", name="Save dial plan")).to_have_count(0)
    after = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    assert after["gateways"][0]["name"] == "PRI in the cellar"
    assert [rule["enabled"] for rule in after["rules"] if rule["name"] == "Echo test"] == [False]


def test_what_is_refused_of_a_plan_stands_at_the_rule_that_it_is_about(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Edit Echo test").click()
    page.get_by_role("dialog").get_by_label("Code").fill("*72")
    page.get_by_role("button", name="Take over").click()
    page.get_by_role("button", name="Save dial plan").click()
    rules = page.get_by_role("list", name="Rules in their order").get_by_role("listitem")
    told = "'*72' is used more than once: by rule Echo test, rule Forward every call"
    expect(rules.filter(has_text=told)).to_have_count(2)
    expect(rules.filter(has_text="Service*72 → echo")).to_contain_text(told)
    expect(rules.filter(has_text="Forward every callFeature")).to_contain_text(told)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_pages_fit_the_screen(world: ApiWorld, browser: Browser, url: str, size: tuple[int, int]) -> None:
    give_ways_out(world)
    call = {"call": {"dialled": "112", "caller": "200"}, "outcome": "leaves_by", "target": "Provider"}
    made = world.admin.post(f"{site(world)}/call-assertions", {"name": "Help comes", "content": call})
    assert made.status == 201, made.body
    with visit(browser, url, size) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/call-assertions")
        expect(tab.page.get_by_role("table", name="Call assertions")).to_contain_text("Help comes")
        assert not tab.is_wider_than_the_screen()
        tab.go(f"{site(world)}/dial-plan")
        try_a_call(tab.page, "112")
        expect(tab.page.get_by_role("list", name="The way of the call")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
