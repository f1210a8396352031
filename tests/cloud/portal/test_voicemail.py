"""A site's voicemail and a user's mailbox in a browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.cloud.api.test_mailboxes import with_group
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")


def path(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def test_the_rules_are_shown_and_changed(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{path(world)}/voicemail")
    expect(page.get_by_role("region", name="Speaks")).to_contain_text("English")
    page.get_by_role("button", name="Edit voicemail").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox", name="Language").press("ArrowDown")
    page.get_by_role("option", name="Deutsch").click()
    form.get_by_label("All other messages").fill("90")
    form.get_by_label("Operator").fill("at the desk")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("match pattern")).to_be_visible()
    form.get_by_label("Operator").fill("100")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Speaks")).to_contain_text("Key 0 calls 100")
    expect(page.get_by_role("region", name="Kept")).to_contain_text("kept for 90 days")
    saved = world.admin.get(path(world)).json["voicemail"]
    assert (saved["language"], saved["kept_days"], saved["operator"]) == ("de", 90, "100")


def test_a_users_pin_is_set_and_a_simple_one_is_refused_with_the_reason(world: ApiWorld, msp: Visit) -> None:
    assert world.admin.patch(f"/users/{world.user_id}", {"permissions": ["Voicemail"]}).status == 200
    name = world.admin.get(f"/users/{world.user_id}").json["display_name"]
    page = msp.page
    msp.go(f"{path(world)}/users")
    page.get_by_role("button", name=f"Edit {name}").click()
    mailbox = page.get_by_role("group", name="Mailbox")
    expect(mailbox).to_contain_text("There is no PIN")
    mailbox.get_by_label("New PIN").and_(page.locator("input")).fill("1234")
    mailbox.get_by_role("button", name="Set PIN").click()
    expect(mailbox.get_by_role("alert")).to_contain_text("no run such as 1234")
    mailbox.get_by_label("New PIN").and_(page.locator("input")).fill("2580")
    mailbox.get_by_role("button", name="Set PIN").click()
    expect(mailbox).to_contain_text("There is a PIN")
    mailbox.get_by_role("combobox", name="Greeting in use").press("ArrowDown")
    page.get_by_role("option", name="Out of office").click()
    expect(page.get_by_text("The greeting was chosen")).to_be_visible()
    shown = world.admin.get(f"/users/{world.user_id}/mailbox").json
    assert (shown["pin_set"], shown["greeting"]) == (True, "out_of_office")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_rules_fit_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{path(world)}/voicemail")
        expect(tab.page.get_by_role("region", name="Kept")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.page.get_by_role("button", name="Edit voicemail").click()
        expect(tab.page.get_by_label("Longest message")).to_have_value("300")
        assert tab.wrong == []


def test_lists_of_the_site_and_of_a_user_are_made_and_a_group_mailbox_is_on_them(world: ApiWorld, msp: Visit) -> None:
    assert world.admin.patch(f"/users/{world.user_id}", {"permissions": ["Voicemail"]}).status == 200
    with_group(world, str(world.user_id))
    name = world.admin.get(f"/users/{world.user_id}").json["display_name"]
    page = msp.page
    msp.go(f"{path(world)}/voicemail")
    page.get_by_role("button", name="Add a distribution list").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Everybody")
    form.get_by_label("Number").fill("7")
    form.get_by_role("combobox", name="Mailboxes").click()
    page.get_by_role("option", name="Support").click()
    page.get_by_role("option", name=name).click()
    form.get_by_role("combobox", name="Mailboxes").press("Escape")
    form.get_by_role("button", name="Save list").click()
    expect(form.get_by_text("match pattern")).to_be_visible()
    form.get_by_label("Number").fill("70")
    form.get_by_role("button", name="Save list").click()
    expect(page.get_by_role("table", name="Distribution lists")).to_contain_text(f"Support, {name}")
    (saved,) = world.admin.get(path(world)).json["voicemail"]["lists"]
    assert saved == {"number": "70", "name": "Everybody", "members": ["support", str(world.user_id)]}
    msp.go(f"{path(world)}/users")
    page.get_by_role("button", name=f"Edit {name}").click()
    mailbox = page.get_by_role("group", name="Mailbox")
    mailbox.get_by_role("combobox", name="Mailboxes on list 1").click()
    page.get_by_role("option", name="Support (300)").click()
    expect(page.get_by_text("List 1 was saved")).to_be_visible()
    lists = world.admin.get(f"/users/{world.user_id}/mailbox/lists").json["items"]
    assert lists == [{"digit": "1", "members": ["support"]}]
