"""Which calls a site records, in a browser."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit

pytestmark = pytest.mark.peer("chromium")


def path(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def rules(world: ApiWorld) -> list[dict[str, object]]:
    return list(world.admin.get(path(world)).json["recording"]["rules"])


def begin(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add a rule of recording").click()
    page.get_by_role("form", name="New rule of recording").get_by_label("Name").fill(name)


def with_rules(world: ApiWorld, *names: str) -> None:
    made = [{"name": name, "announcement": "before"} for name in names]
    assert world.admin.patch(path(world), {"recording": {"rules": made}}).status == 200


def test_a_rule_is_made_said_in_words_changed_and_deleted(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{path(world)}/recording")
    expect(page.get_by_text("No call of this site is recorded by rule.")).to_be_visible()
    begin(page, "Sales")
    form = page.get_by_role("form", name="New rule of recording")
    form.get_by_role("combobox", name="Which calls").click()
    page.get_by_role("option", name="Calls from the outside").click()
    form.get_by_role("combobox", name="Of whom").fill("Recep")
    page.get_by_role("option", name="Reception").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Save rule").click()
    table = page.get_by_role("table", name="Rules of recording")
    expect(table).to_contain_text("Calls from the outside by any trunk or gateway, of Reception")
    expect(page.get_by_text("both sides are told at the beginning.")).to_be_visible()
    (saved,) = rules(world)
    assert (saved["name"], saved["direction"], saved["user_ids"]) == ("Sales", "in", [str(world.user_id)])
    assert saved["announcement"] == "before"

    page.get_by_role("button", name="Edit Sales").click()
    form = page.get_by_role("form", name="Rule Sales")
    form.get_by_role("combobox", name="Who is told").click()
    page.get_by_role("option", name="Nobody is told").click()
    form.get_by_label("Name").fill("")
    form.get_by_role("button", name="Save rule").click()
    expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Name").fill("Sales in")
    form.get_by_role("button", name="Save rule").click()
    expect(table).to_contain_text("nobody is told")
    expect(page.get_by_text("Calls that a rule fits are recorded, and nobody is told.")).to_be_visible()

    page.get_by_role("button", name="Delete Sales in").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete rule").click()
    expect(table).to_have_count(0)
    assert rules(world) == []


def test_a_rule_is_for_calls_inside_of_a_groups_members(world: ApiWorld, msp: Visit) -> None:
    plan = world.admin.get(f"{path(world)}/dial-plan")
    group = {"group_id": "sales", "name": "Sales", "members": [str(world.user_id)]}
    document = {**plan.json["document"], "pickup_groups": [group]}
    put = world.admin.put(f"{path(world)}/dial-plan", {"document": document})
    assert put.status == 200, put.body
    page = msp.page
    msp.go(f"{path(world)}/recording")
    begin(page, "Inside")
    form = page.get_by_role("form", name="New rule of recording")
    form.get_by_role("combobox", name="To the outside or inside").click()
    page.get_by_role("option", name="Calls from phone to phone of the site").click()
    expect(form.get_by_role("combobox", name="By which trunks and gateways")).to_have_count(0)
    form.get_by_role("combobox", name="Of the members of which groups").fill("Sal")
    page.get_by_role("option", name="Sales").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Save rule").click()
    table = page.get_by_role("table", name="Rules of recording")
    expect(table).to_contain_text("Calls from phone to phone, of the members of Sales")
    (saved,) = rules(world)
    assert (saved["calls"], saved["group_ids"]) == ("inside", ["sales"])


def test_a_rule_is_for_calls_by_one_gateway(world: ApiWorld, msp: Visit) -> None:
    plan = world.admin.get(f"{path(world)}/dial-plan")
    gateways = [
        {"gateway_id": "pri", "name": "PRI", "host": "192.168.10.9"},
        {"gateway_id": "ivr", "name": "Somebody's", "host": "192.168.10.10", "trusted": False},
    ]
    document = {**plan.json["document"], "gateways": gateways}
    put = world.admin.put(f"{path(world)}/dial-plan", {"document": document})
    assert put.status == 200, put.body
    page = msp.page
    msp.go(f"{path(world)}/recording")
    begin(page, "Lines")
    form = page.get_by_role("form", name="New rule of recording")
    form.get_by_role("combobox", name="By which trunks and gateways").click()
    expect(page.get_by_role("option", name="Somebody's")).to_have_count(0)
    page.get_by_role("option", name="PRI").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Save rule").click()
    table = page.get_by_role("table", name="Rules of recording")
    expect(table).to_contain_text("Calls in and out by PRI, of everybody")
    (saved,) = rules(world)
    assert (saved["calls"], saved["trunk_ids"]) == ("trunk", ["pri"])


def test_rules_are_put_in_order_and_switched_off(world: ApiWorld, msp: Visit) -> None:
    with_rules(world, "First", "Second")
    page = msp.page
    msp.go(f"{path(world)}/recording")
    page.get_by_role("button", name="Move Second up").click()
    expect(page.get_by_role("button", name="Move First up")).to_be_visible()
    assert [one["name"] for one in rules(world)] == ["Second", "First"]
    page.get_by_label("Second is on").press("Space")
    expect(page.get_by_text("Second is off and is being published")).to_be_visible()
    assert [one["enabled"] for one in rules(world)] == [False, True]


def test_what_somebody_else_did_to_the_rules_meanwhile_stays(world: ApiWorld, msp: Visit) -> None:
    with_rules(world, "First")
    page = msp.page
    msp.go(f"{path(world)}/recording")
    begin(page, "Mine")
    form = page.get_by_role("form", name="New rule of recording")
    with_rules(world, "First", "Theirs")
    form.get_by_role("button", name="Save rule").click()
    form.get_by_role("button", name="Reload").click()
    expect(form.get_by_role("button", name="Reload")).to_have_count(0)
    form.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("table", name="Rules of recording")).to_contain_text("Mine")
    assert [one["name"] for one in rules(world)] == ["First", "Theirs", "Mine"]


def test_what_is_kept_is_changed_within_its_bounds(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{path(world)}/recording")
    expect(page.get_by_role("region", name="Kept")).to_contain_text("90 days after it began")
    page.get_by_role("button", name="Edit what is kept").click()
    form = page.get_by_role("form", name="Keeping recordings")
    form.get_by_label("Kept for").fill("30")
    form.get_by_label("Longest recording").fill("1000")
    form.get_by_label("Of the edge").fill("1200")
    form.get_by_label("Recordings may leave the site").press("Space")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Kept")).to_contain_text("30 days after it began")
    saved = world.admin.get(path(world)).json["recording"]
    assert (saved["kept_days"], saved["disk_mb"], saved["longest_minutes"], saved["upload"]) == (30, 1200, 480, True)


def test_how_users_record_on_demand_is_set(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{path(world)}/recording")
    card = page.get_by_role("region", name="On demand")
    expect(card).to_contain_text("by the record key of their phone. Both sides are told")
    page.get_by_role("button", name="Edit recording on demand").click()
    form = page.get_by_role("form", name="Recording on demand")
    keys = form.get_by_label("Keys during a call by a trunk")
    keys.fill("1")
    form.get_by_role("button", name="Save").click()
    expect(keys).to_have_attribute("aria-invalid", "true")
    keys.fill("*1")
    form.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("or by *1 during a call by a trunk")
    assert world.admin.get(path(world)).json["recording"]["on_demand"] == {"announcement": "before", "keys": "*1"}


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_and_its_form_fit_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    with_rules(world, "Everything that comes from the outside and is answered by anybody at the reception")
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{path(world)}/recording")
        expect(tab.page.get_by_role("table", name="Rules of recording")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        begin(tab.page, "Sales")
        assert not scrolls_sideways(tab.page.get_by_role("dialog"))
        assert tab.wrong == []
