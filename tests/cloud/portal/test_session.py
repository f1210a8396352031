"""Logging in and staying so."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def test_a_wrong_password_is_refused_and_the_right_one_lets_in(tab: Visit) -> None:
    page = tab.page
    tab.go("/")
    page.get_by_label("E-mail").fill("msp@tandem.test")
    page.get_by_label("Password").first.fill("wrong horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Sites")).to_be_visible()


def test_a_deep_link_survives_the_log_in_and_a_reload(tab: Visit, world: ApiWorld) -> None:
    path = f"/sites/{world.ours.site_id}/users"
    tab.log_in("msp@tandem.test", PASSWORD, path)
    user = tab.page.get_by_role("table", name="Users").get_by_role("button", name="Reception", exact=True)
    expect(user).to_be_visible()
    tab.page.reload()
    expect(user).to_be_visible()
    expect(tab.page).to_have_url(tab.url + path)


def test_back_after_a_reload_shows_a_page_and_never_json(msp: Visit) -> None:
    page = msp.page
    page.get_by_role("link", name="Tenants").click()
    expect(page.get_by_role("heading", name="Tenants")).to_be_visible()
    page.reload()
    page.go_back()
    expect(page.get_by_role("heading", name="Sites")).to_be_visible()


def test_logging_out_ends_the_session_and_keeps_the_e_mail_address(msp: Visit) -> None:
    page = msp.page
    page.get_by_role("button", name=re.compile("^Account")).click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_label("E-mail")).to_have_value("msp@tandem.test")
    page.reload()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('tandem.refresh_token')") is None


def test_an_access_token_that_ended_is_renewed_without_a_word(msp: Visit, world: ApiWorld) -> None:
    world.clock.advance(3600)
    msp.page.get_by_role("link", name="Audit").click()
    expect(msp.page.get_by_role("table", name="Changes")).to_be_visible()


def test_no_token_is_kept_where_it_outlives_the_tab(msp: Visit) -> None:
    assert msp.page.evaluate("Object.keys(localStorage)") == ["tandem.email"]
    token = msp.page.evaluate("sessionStorage.getItem('tandem.refresh_token')")
    assert len(token) > 16
    assert token not in str(msp.page.evaluate("Object.entries(localStorage)"))
    assert msp.page.context.cookies() == []


def test_i_change_my_password_and_problems_stand_at_their_fields(msp: Visit) -> None:
    page = msp.page
    msp.go("/account")
    form = page.get_by_role("form", name="Change my password")
    form.get_by_label("Current password").first.fill(PASSWORD)
    form.get_by_label("New password").first.fill("short")
    form.get_by_role("button", name="Change password").click()
    expect(form.get_by_label("New password").first).to_have_attribute("data-invalid", "true")
    form.get_by_label("New password").first.fill("a much better password")
    form.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password was changed")).to_be_visible()
