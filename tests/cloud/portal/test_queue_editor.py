"""The editor of call queues in a browser."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")


def tab_of(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}/call-queues"


def queues(world: ApiWorld) -> list[dict[str, object]]:
    return list(world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]["voice_services"])


def begin(page: Page, name: str, number: str) -> Locator:
    page.get_by_role("button", name="Add a call queue").click()
    form = page.get_by_role("form", name="New call queue")
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("Number", exact=True).fill(number)
    return form


def pick(form: Locator, label: str, option: str) -> None:
    form.get_by_role("combobox", name=label).click()
    form.page.get_by_role("option", name=option).click()
    form.page.keyboard.press("Tab")


def test_a_queue_is_stored_as_it_was_entered_changed_and_deleted(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(tab_of(world))
    form = begin(page, "Support", "600")
    further = form.get_by_role("combobox", name="Further numbers and names")
    further.fill("help")
    further.press("Enter")
    pick(form, "Whose phones ring", "Best first")
    pick(form, "Agents", "Reception")
    form.get_by_label("Skill of Reception").fill("9")
    form.get_by_label("Agents begin logged in").check()
    form.get_by_label("Seconds that an agent’s phones ring").fill("25")
    form.get_by_label("Seconds of rest after a call").fill("30")
    pick(form, "Supervisors", "Reception")
    form.get_by_label("Greet callers").uncheck()
    form.get_by_label("Seconds between announcements").fill("45")
    form.get_by_label("Tell callers how long it will take").uncheck()
    pick(form, "Language", "Deutsch")
    form.get_by_label("Most callers who wait").fill("7")
    form.get_by_label("Longest wait, in seconds").fill("300")
    form.get_by_label("Key to wait no longer").fill("0")
    form.get_by_label("While nobody is logged in", exact=True).fill("201")
    form.get_by_label("Offer to call back").check()
    form.get_by_label("Key to be called back").fill("5")
    form.get_by_label("Seconds until it is offered").fill("30")
    form.get_by_label("Another number may be keyed in").uncheck()
    pick(form, "Calls back may be", "Calls to mobiles")
    form.get_by_label("How often a caller is tried").fill("4")
    pick(form, "Permission that callers need", "Local calls")
    form.get_by_role("button", name="Add call queue").click()
    expect(form).to_contain_text("The key leads here: say where that is")
    form.get_by_label("Then, and when it is full").fill("200")
    form.get_by_role("button", name="Add call queue").click()
    table = page.get_by_role("table", name="Call queues")
    expect(table).to_contain_text("after 5 min to 200")
    (made,) = queues(world)
    agent = made["supervisors"][0]  # type: ignore[index]
    assert made == {
        "kind": "queue",
        "service_id": "queue-1",
        "name": "Support",
        "extension": "600",
        "aliases": ["help"],
        "enabled": True,
        "permission": "LocalDialing",
        "strategy": "skills",
        "agents": [{"user_id": agent, "skill": 9}],
        "begin_logged_in": True,
        "ring_seconds": 25,
        "wrap_up_seconds": 30,
        "supervisors": [agent],
        "language": "de",
        "welcome": False,
        "announce_seconds": 45,
        "announce_position": True,
        "announce_wait": False,
        "most_waiting": 7,
        "longest_wait_seconds": 300,
        "overflow_to": "200",
        "waits_for_agents": False,
        "nobody_to": "201",
        "leave_key": "0",
        "call_back": {
            "key": "5",
            "after_seconds": 30,
            "other_number": False,
            "permissions": ["Mobile"],
            "ring_seconds": 40,
            "attempts": 4,
            "retry_minutes": 5,
            "keep_hours": 12,
        },
        "music": None,
    }
    page.get_by_role("button", name="Edit Support").click()
    form = page.get_by_role("form", name="Call queue Support")
    form.get_by_label("Wait also while nobody is logged in").check()
    pick(form, "Whose phones ring", "All at once")
    expect(form.get_by_label("Skill of Reception")).to_have_count(0)
    form.get_by_role("button", name="Save").click()
    expect(table).to_contain_text("All at once")
    assert queues(world) == [{**made, "strategy": "ring_all", "waits_for_agents": True}]
    page.get_by_role("button", name="Delete Support").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete call queue").click()
    expect(table).to_have_count(0)
    assert queues(world) == []


def test_a_number_that_somebody_has_is_refused_and_nothing_is_stored(world: ApiWorld, msp: Visit) -> None:
    msp.go(tab_of(world))
    form = begin(msp.page, "Support", "200")
    form.get_by_role("button", name="Add call queue").click()
    expect(form.get_by_label("Number", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("'200' is used more than once")
    expect(form.get_by_role("alert")).to_have_count(0)
    assert queues(world) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_editor_fits_a_phone(world: ApiWorld, browser: Browser, url: str, dark: bool) -> None:
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, tab_of(world))
        form = begin(tab.page, "Support", "600")
        pick(form, "Agents", "Reception")
        picked = form.get_by_role("combobox", name="Whose phones ring")
        for option in ("All at once", "Longest idle", "In turn", "Best first"):
            pick(form, "Whose phones ring", option)
            assert not picked.evaluate("one => one.scrollWidth > one.clientWidth"), option
        assert not tab.is_wider_than_the_screen()
        form.get_by_role("button", name="Add call queue").click()
        expect(tab.page.get_by_role("table", name="Call queues")).to_contain_text("Reception")
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
