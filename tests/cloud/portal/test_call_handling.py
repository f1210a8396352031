"""Where a user's calls go, in a browser: set by himself and by an administrator, drawn along the time."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cloud.api.test_call_backs import in_a_minute, somebody_else, waits
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit

pytestmark = pytest.mark.peer("chromium")


def handling(world: ApiWorld) -> dict[str, object]:
    answer: dict[str, object] = world.user.get(f"/users/{world.user_id}/call-handling").json
    return answer


def add_a_place(page: Page, number: str) -> None:
    page.get_by_role("button", name="Add a place").click()
    page.get_by_role("group", name="Place").last.get_by_label("Number").fill(number)


def test_a_user_sets_where_his_calls_go_and_sees_what_rings_when(world: ApiWorld, tab: Visit) -> None:
    tab.log_in("user@tandem.test", PASSWORD)
    page = tab.page
    form = page.get_by_role("form", name="Where calls go")
    line = form.get_by_role("list", name="What rings when")
    expect(line).to_contain_text("0–20 s")
    form.get_by_label("Own phones ring").fill("15")
    add_a_place(page, "0171555")
    add_a_place(page, "201")
    second = form.get_by_role("group", name="Place 2")
    second.get_by_role("combobox", name="Rings").click()
    page.get_by_role("option", name="Together with it").click()
    first = form.get_by_role("group", name="Place 1")
    first.get_by_role("switch", name="Ask for a key").check()
    rows = line.get_by_role("listitem")
    expect(rows.nth(1)).to_contain_text("15–35 s")
    expect(rows.nth(2)).to_contain_text("15–35 s")
    form.get_by_label("When nobody answers").fill("202")
    expect(form).to_contain_text("Then the call goes to 202.")
    form.get_by_label("Blocked numbers").and_(page.locator("input")).fill("+4930666")
    page.keyboard.press("Enter")
    form.get_by_role("button", name="Add a speed dial").click()
    dial = form.get_by_role("group", name="Speed dial 1")
    dial.get_by_label("Number").fill("201")
    dial.get_by_label("Name").fill("Workshop")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("it counts as soon as the site’s edge has it")).to_be_visible()
    now = handling(world)
    forwarding = now["forwarding"]
    assert isinstance(forwarding, dict)
    assert (forwarding["no_answer"], forwarding["ring_seconds"]) == ("202", 15)
    assert [(one["destination"], one["order"]) for one in forwarding["find_me"]] == [
        ("0171555", "if_no_response"),
        ("201", "at_the_same_time"),
    ]
    assert [one["confirm"] for one in forwarding["find_me"]] == [True, False]
    assert now["blocked"] == ["4930666"]
    assert now["speed_dials"] == [{"slot": "0", "destination": "201", "name": "Workshop"}]
    expect(form.get_by_role("button", name="Save")).to_be_disabled()


def test_a_forward_to_oneself_is_refused_at_its_field_and_do_not_disturb_is_told(world: ApiWorld, tab: Visit) -> None:
    tab.log_in("user@tandem.test", PASSWORD)
    page = tab.page
    form = page.get_by_role("form", name="Where calls go")
    form.get_by_label("When busy").fill("200")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("When busy")).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("This is the user's own number")
    form.get_by_label("When busy").fill("")
    form.get_by_label("Do not disturb").check(force=True)
    expect(form.get_by_role("status")).to_contain_text("nothing rings")
    expect(form.get_by_role("list", name="What rings when").get_by_role("listitem")).to_have_count(0)
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("it counts as soon as the site’s edge has it")).to_be_visible()
    assert handling(world)["do_not_disturb"] is True


def test_an_administrator_sets_the_same_for_a_user(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/users")
    page.get_by_role("button", name="Show ").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Not logged in at anybody else’s phone")
    drawer.get_by_label("Always").fill("201")
    expect(drawer).to_contain_text("Every call goes to 201 at once.")
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_text("it counts as soon as the site’s edge has it")).to_be_visible()
    forwarding = handling(world)["forwarding"]
    assert isinstance(forwarding, dict)
    assert forwarding["always"] == "201"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_page_of_a_user_fits_the_screen(world: ApiWorld, browser: Browser, url: str, size: tuple[int, int]) -> None:
    with visit(browser, url, size) as tab:
        tab.log_in("user@tandem.test", PASSWORD)
        add_a_place(tab.page, "0171555")
        tab.page.get_by_role("button", name="Add a speed dial").click()
        assert not tab.is_wider_than_the_screen()
        assert not scrolls_sideways(tab.page.get_by_role("form", name="Where calls go"))
        assert tab.wrong == []


def test_a_user_sees_whom_he_is_called_back_for_and_cancels_it(world: ApiWorld, tab: Visit) -> None:
    other = somebody_else(world)
    name = "Workshop"
    waits(world, other, in_a_minute(world))
    tab.log_in("user@tandem.test", PASSWORD)
    page = tab.page
    expect(page.get_by_role("region", name="Call-backs")).to_contain_text(name)
    page.get_by_role("button", name=f"Cancel the call-back for {name}").click()
    expect(page.get_by_role("region", name="Call-backs")).to_have_count(0)
    assert world.user.get(f"/users/{world.user_id}/call-backs").json["items"] == []
