"""A user's messages in a browser: listened to by pointer and by keys, moved, deleted and taken back."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.left_messages import TellingEdge, sound
from tests.support.portal import DESKTOP, PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")

SECONDS = 80.0
"""More than one part of the recording."""


def leave(world: ApiWorld) -> None:
    """One message with its recording, and an urgent one whose recording has not come."""
    assert world.admin.patch(f"/users/{world.user_id}", {"permissions": ["Voicemail"]}).status == 200
    rules = {"voicemail": {"recordings_leave": True}}
    assert world.admin.patch(f"/sites/{world.ours.site_id}", rules).status == 200
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now())
    telling = TellingEdge(world.databases, edge.known, world.clock)
    content = sound(SECONDS)
    first = telling.message(world.user_id, content, "1" * 16, duration_seconds=SECONDS)
    second = telling.message(
        world.user_id, sound(2.0), "2" * 16, urgent=True, caller_name="", caller_number="+41441112233"
    )
    assert telling.tell(first, second) == [None, None]
    assert world.services.files is not None
    assert telling.send(world.services.files.store, content).complete


def messages(world: ApiWorld) -> dict[str, Any]:
    listed = world.user.get(f"/users/{world.user_id}/mailbox/messages").json["items"]
    return {one["caller_number"]: one for one in listed}


def test_a_user_listens_by_keys_and_the_message_is_heard_then_deleted_and_taken_back(
    world: ApiWorld, tab: Visit
) -> None:
    leave(world)
    tab.log_in("user@tandem.test", PASSWORD)
    page = tab.page
    expect(page.get_by_text("Inbox (2 new)")).to_be_visible()
    expect(page.get_by_role("listitem", name="New message from +41441112233")).to_contain_text("on its way")
    message = page.get_by_role("listitem", name="message from Ada Example")
    message.get_by_role("button", name="Listen").click()
    place = message.get_by_role("slider")
    expect(place).to_have_attribute("aria-valuemax", "80")
    assert place.locator("rect").count() == 96
    place.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", "0:10 of 1:20")
    page.keyboard.press(" ")
    expect(page.get_by_role("listitem", name="New message from Ada Example")).to_have_count(0)
    expect(page.get_by_text("Inbox (1 new)")).to_be_visible()
    assert messages(world)["200"]["heard"] is True
    message.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("listitem", name="message from Ada Example")).to_have_count(0)
    assert messages(world)["200"]["folder"] == "deleted"
    page.get_by_text("Deleted", exact=True).click()
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Nothing was deleted")).to_be_visible()
    assert messages(world)["200"]["folder"] == "inbox"
    assert not any("audio" in one or "token" in one for one in tab.pages_loaded)


def test_an_administrator_sees_a_users_messages_and_sets_his_mails(world: ApiWorld, msp: Visit) -> None:
    leave(world)
    name = world.admin.get(f"/users/{world.user_id}").json["display_name"]
    msp.go(f"/sites/{world.ours.site_id}/users")
    page = msp.page
    page.get_by_role("button", name=f"Show {name}").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("listitem", name="New message from Ada Example")).to_be_visible()
    mails = drawer.get_by_role("group", name="Mail me messages")
    mails.get_by_label("Mail address").fill("ada@customer.test")
    mails.get_by_role("combobox", name="Recording").press("ArrowDown")
    page.get_by_role("option", name="With the recording attached").click()
    mails.get_by_role("button", name="Save mail settings").click()
    expect(page.get_by_text("The mail settings were saved")).to_be_visible()
    wish = world.user.get(f"/users/{world.user_id}/mailbox/mail").json
    assert (wish["email"], wish["recording"]) == ("ada@customer.test", "attach")


def test_a_user_says_which_imap_mailbox_takes_his_messages_and_what_is_missing_is_said_at_its_field(
    world: ApiWorld, tab: Visit
) -> None:
    leave(world)
    tab.log_in("user@tandem.test", PASSWORD)
    page = tab.page
    imap = page.get_by_role("group", name="Put messages into an IMAP mailbox")
    imap.get_by_label("Mail server").fill("imap.customer.test")
    imap.get_by_label("Account", exact=True).fill("ada@customer.test")
    imap.get_by_role("button", name="Save IMAP mailbox").click()
    expect(imap.get_by_text("Give the password with the account")).to_be_visible()
    imap.get_by_role("combobox", name="Encryption").press("ArrowDown")
    page.get_by_role("option", name="STARTTLS").click()
    imap.get_by_label("Password of the account").fill("planted")
    imap.get_by_role("button", name="Save IMAP mailbox").click()
    expect(page.get_by_text("The IMAP mailbox was saved")).to_be_visible()
    expect(imap.get_by_label("Password of the account")).to_have_value("")
    kept = world.user.get(f"/users/{world.user_id}/mailbox/imap").json
    assert (kept["host"], kept["port"], kept["security"]) == ("imap.customer.test", 143, "starttls")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_messages_fit_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    leave(world)
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("user@tandem.test", PASSWORD)
        message = tab.page.get_by_role("listitem", name="message from Ada Example")
        message.get_by_role("button", name="Listen").click()
        expect(message.get_by_role("slider")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
