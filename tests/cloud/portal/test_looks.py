"""Every page fits a telephone's screen, in light and dark, without an error."""

import pytest
from playwright.sync_api import Browser, expect

from tests.support.api_things import furnish
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")

TABS = (
    "overview",
    "users",
    "devices",
    "device-settings",
    "unknown-phones",
    "phone-rules",
    "dhcp",
    "calls",
    "recording",
    "snapshots",
    "edges",
    "sip",
    "attendants",
    "sounds",
)


def _pages(world: ApiWorld, things: dict[str, str]) -> list[str]:
    of_site = [f"/sites/{world.ours.site_id}/{name}" for name in TABS]
    endpoint = f"/webhook-endpoints/{things['endpoint_id']}"
    return [
        "/sites",
        "/tenants",
        "/device-plugins",
        "/firmware",
        *of_site,
        "/redirect-accounts",
        "/webhook-endpoints",
        endpoint,
        "/audit",
        "/account",
        "/no/such/page",
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, url: str, world: ApiWorld, dark: bool) -> None:
    things = furnish(world, world.admin, world.ours)
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD)
        for path in _pages(world, things):
            tab.go(path)
            tab.page.get_by_role("heading", level=1).wait_for()
            expect(tab.page.get_by_label("Loading")).to_have_count(0)
            assert not tab.is_wider_than_the_screen(), path
        assert tab.wrong == []


def test_forms_fit_a_phone_too(browser: Browser, url: str, world: ApiWorld) -> None:
    with visit(browser, url, PHONE) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"/sites/{world.ours.site_id}/users")
        tab.page.get_by_role("button", name="New user").click()
        tab.page.get_by_role("form", name="New user").wait_for()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []


def test_colours_follow_the_machine_until_somebody_chooses(browser: Browser, url: str) -> None:
    scheme = "document.documentElement.dataset.mantineColorScheme"
    with visit(browser, url, dark=True) as tab:
        tab.go("/")
        tab.page.get_by_role("button", name="Use light colours").click()
        tab.page.reload()
        expect(tab.page.get_by_role("button", name="Use dark colours")).to_be_visible()
        assert tab.page.evaluate(scheme) == "light"


def test_every_page_has_one_heading_and_a_title_of_its_own(msp: Visit, world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    for path in _pages(world, things):
        msp.go(path)
        heading = msp.page.get_by_role("heading", level=1)
        expect(heading).to_have_count(1)
        expect(msp.page).to_have_title(f"{heading.inner_text()} · Tandem")


def test_a_tenant_of_someone_else_is_not_found(msp: Visit, world: ApiWorld) -> None:
    msp.go(f"/sites/{world.theirs.site_id}")
    expect(msp.page.get_by_text("There is no such site")).to_be_visible()
