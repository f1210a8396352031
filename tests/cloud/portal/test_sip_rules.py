"""What a site decides about its SIP, in a browser: shown, changed, and what is wrong beside its field."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit

pytestmark = pytest.mark.peer("chromium")

POLICY = {
    "from_policy": "lenient",
    "foreign_hosts": ["meet.example", "a-rather-long-name-of-a-conference-server.example"],
    "trusted_peers": [
        {"name": "Trunk", "networks": ["192.0.2.1/32"], "port": 5060},
        {"name": "Other edge", "certificate_names": ["edge-2.site.example"]},
    ],
    "country": "DE",
    "emergency_numbers": ["555"],
}


def path(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def box(page: Page, label: str) -> Locator:
    """Where is typed; the list of choices has the same label."""
    return page.get_by_label(label).and_(page.locator("input"))


def add(page: Page, label: str, text: str) -> None:
    """Type one word into a field that holds several."""
    box(page, label).fill(text)
    page.keyboard.press("Enter")


def test_a_peer_and_a_country_are_added_and_what_is_wrong_with_a_peer_stands_beside_it(
    world: ApiWorld, msp: Visit
) -> None:
    page = msp.page
    msp.go(f"{path(world)}/sip")
    expect(page.get_by_role("region", name="Trusted peers")).to_contain_text("None besides")
    page.get_by_role("button", name="Edit SIP rules").click()
    box(page, "Country").fill("Germany")
    page.get_by_role("option", name="Germany").click()
    page.get_by_role("button", name="Add a trusted peer").click()
    page.get_by_label("Peer", exact=True).fill("Trunk")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("a peer is known by at least one")).to_be_visible()
    add(page, "Addresses", "192.0.2.300")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("no network such as")).to_be_visible()
    box(page, "Addresses").press("Backspace")
    add(page, "Addresses", "192.0.2.1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Trusted peers")).to_contain_text("192.0.2.1")
    expect(page.get_by_role("region", name="Numbers for help")).to_contain_text("112, 110")
    saved = world.admin.get(path(world)).json["sip"]
    assert saved["trusted_peers"] == [
        {"name": "Trunk", "networks": ["192.0.2.1/32"], "port": 0, "certificate_names": []}
    ]
    assert (saved["country"], saved["from_policy"]) == ("DE", "strict")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_rules_fit_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    assert world.admin.patch(path(world), {"sip": POLICY}).status == 200
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{path(world)}/sip")
        expect(tab.page.get_by_role("region", name="Trusted peers")).to_contain_text("edge-2.site.example")
        assert not tab.is_wider_than_the_screen()
        tab.page.get_by_role("button", name="Edit SIP rules").click()
        expect(tab.page.get_by_label("Peer", exact=True).first).to_have_value("Trunk")
        assert not scrolls_sideways(tab.page.get_by_role("dialog"))
        assert tab.wrong == []
