"""A site's numbers in a browser: given one by one and by ranges, never twice, and to nobody in vain."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit

pytestmark = pytest.mark.peer("chromium")


def page_of(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}/numbers"


def plan_of(world: ApiWorld) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]
    return document


def numbers_of(world: ApiWorld) -> list[tuple[str, str]]:
    return [(one["number"], one["destination"]) for one in plan_of(world)["numbers"]]


def give(world: ApiWorld, *numbers: tuple[str, str]) -> None:
    document = {**plan_of(world), "numbers": [{"number": one, "destination": whom} for one, whom in numbers]}
    answer = world.admin.put(f"/sites/{world.ours.site_id}/dial-plan", {"document": document})
    assert answer.status == 200, answer.body


def test_a_number_is_given_to_a_user_found_by_name_and_not_to_nobody(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="Add a number").click()
    form = page.get_by_role("form", name="New number")
    form.get_by_label("Number", exact=True).fill("030/1234")
    form.get_by_label("Reaches").fill("299")
    form.get_by_role("button", name="Add number").click()
    expect(form).to_contain_text("The number is digits, perhaps with + before them")
    expect(form).to_contain_text("Nothing at the site is dialled by 299")
    form.get_by_label("Number", exact=True).fill("+49301234")
    form.get_by_label("Reaches").fill("20")
    page.get_by_role("option").filter(has_text="200").first.click()
    form.get_by_role("button", name="Add number").click()
    row = page.get_by_role("table", name="Numbers").get_by_role("row").filter(has_text="+49301234")
    expect(row).to_contain_text("200")
    assert numbers_of(world) == [("+49301234", "200")]


def test_a_range_goes_to_extensions_by_offset_and_a_number_that_is_taken_is_named_with_who_has_it(
    world: ApiWorld, msp: Visit
) -> None:
    give(world, ("+493012302", "200"))
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="Add a range").click()
    form = page.get_by_role("form", name="New range of numbers")
    form.get_by_label("First number", exact=True).fill("+493012300")
    form.get_by_label("How many").fill("3")
    form.get_by_label("Extension of the first number").fill("200")
    preview = form.get_by_role("table", name="What they reach")
    expect(preview.get_by_role("row").nth(2)).to_contain_text("202")
    expect(form).to_contain_text("2 of them reach nobody yet")
    form.get_by_role("button", name="Add 3 numbers").click()
    expect(form).to_contain_text("+493012302 goes to 200")
    assert numbers_of(world) == [("+493012302", "200")]
    form.get_by_label("How many").fill("2")
    form.get_by_role("button", name="Add 2 numbers").click()
    expect(page.get_by_role("form")).to_have_count(0)
    assert numbers_of(world) == [("+493012302", "200"), ("+493012300", "200"), ("+493012301", "201")]
    row = page.get_by_role("table", name="Numbers").get_by_role("row").filter(has_text="+493012301")
    expect(row).to_contain_text("Nothing at the site is dialled by 201")


def test_a_number_is_searched_by_whom_it_reaches_and_deleted(world: ApiWorld, msp: Visit) -> None:
    give(world, ("+4930100", "200"), ("+4930101", "299"))
    page = msp.page
    msp.go(page_of(world))
    table = page.get_by_role("table", name="Numbers")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_label("Search numbers").fill("299")
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Delete +4930101").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete number").click()
    expect(table).to_have_count(1)
    page.get_by_label("Search numbers").fill("")
    expect(table.get_by_role("row")).to_have_count(2)
    assert numbers_of(world) == [("+4930100", "200")]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_numbers_fit_the_screen(world: ApiWorld, browser: Browser, url: str, size: tuple[int, int]) -> None:
    give(world, ("+4930100", "200"), ("+4930101", "299"))
    with visit(browser, url, size) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, page_of(world))
        expect(tab.page.get_by_role("table", name="Numbers")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.page.get_by_role("button", name="Add a range").click()
        expect(tab.page.get_by_label("First number", exact=True)).to_be_visible()
        assert not scrolls_sideways(tab.page.get_by_role("dialog"))
        assert tab.wrong == []


def test_the_next_number_of_a_pool_is_given_away_and_what_is_left_is_seen(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(page_of(world))
    pools = page.get_by_role("region", name="Number pools")
    pools.get_by_role("button", name="Add a pool").click()
    form = page.get_by_role("form", name="New number pool")
    form.get_by_label("Name").fill("Provider")
    form.get_by_label("First number").fill("044 555 66 00")
    form.get_by_label("How many numbers").fill("2")
    form.get_by_role("button", name="Add pool").click()
    expect(form).to_contain_text("is no telephone number; write one with its plus and country code")
    form.get_by_label("First number").fill("+41 44 555 66 00")
    form.get_by_role("button", name="Add pool").click()
    pool = pools.get_by_role("group", name="Provider")
    expect(pool).to_contain_text("2 of 2 are free")
    for left in ("1 of 2 are free", "Every number is used"):
        pool.get_by_role("button", name="Give a number").click()
        given = page.get_by_role("form", name="A number of Provider")
        given.get_by_label("Reaches").fill("200")
        given.get_by_role("button", name="Give the next free number").click()
        expect(pool).to_contain_text(left)
    expect(pool.get_by_role("button", name="Give a number")).to_be_disabled()
    assert numbers_of(world) == [("+41445556600", "200"), ("+41445556601", "200")]
    expect(page.get_by_role("table", name="Numbers").get_by_role("row")).to_have_count(3)
    pools.get_by_role("button", name="Delete Provider").click()
    page.get_by_role("button", name="Delete pool").click()
    expect(pool).to_have_count(0)
    assert len(numbers_of(world)) == 2
