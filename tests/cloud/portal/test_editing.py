"""Two people at one thing, and taking things away."""

import pytest
from playwright.sync_api import expect

from tests.support.api_world import ApiWorld
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def test_an_edit_upon_an_older_version_says_so_and_loses_nothing_that_was_typed(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/users")
    page.get_by_role("button", name="Edit Reception").click()
    form = page.get_by_role("form", name="Edit Reception")
    form.get_by_label("Display name").fill("Front desk")
    theirs = {"display_name": "Lobby", "email": "lobby@tandem.test"}
    assert world.admin.patch(f"/users/{world.user_id}", theirs).status == 200

    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Changed by someone else meanwhile")).to_be_visible()
    expect(form.get_by_label("Display name")).to_have_value("Front desk")
    form.get_by_role("button", name="Reload").click()
    expect(form.get_by_text("Meanwhile saved by someone else: “Lobby”")).to_be_visible()
    expect(form.get_by_label("Display name")).to_have_value("Front desk")
    expect(form.get_by_label("E-mail")).to_have_value("lobby@tandem.test")

    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    saved = world.admin.get(f"/users/{world.user_id}").json
    assert (saved["display_name"], saved["email"]) == ("Front desk", "lobby@tandem.test")


def test_a_user_is_disabled_by_a_switch(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/users")
    switch = page.get_by_role("switch", name="Reception is enabled")
    expect(switch).to_be_checked()
    switch.click(force=True)  # what is seen of it lies above it
    expect(switch).not_to_be_checked()
    expect(switch).to_be_enabled()
    assert world.admin.get(f"/users/{world.user_id}").json["enabled"] is False


def test_a_user_is_deleted_only_after_a_question(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/users")
    page.get_by_role("button", name="Delete Reception").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert world.admin.get(f"/users/{world.user_id}").status == 200
    page.get_by_role("button", name="Delete Reception").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete user").click()
    expect(page.get_by_text("No users yet")).to_be_visible()
    assert world.admin.get(f"/users/{world.user_id}").status == 404


def test_a_form_is_opened_filled_and_left_by_the_keyboard_alone(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/users")
    page.get_by_role("button", name="New user").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Display name")).to_be_focused()
    page.keyboard.type("Meeting room")
    page.keyboard.press("Tab")
    page.keyboard.type("220")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Users")).to_contain_text("Meeting room")
    page.get_by_role("button", name="New user").focus()
    page.keyboard.press("Enter")
    page.get_by_role("form", name="New user").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("form", name="New user")).to_have_count(0)
