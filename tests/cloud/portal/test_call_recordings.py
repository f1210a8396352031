"""Recordings of calls in a browser: marked in the list of calls, listened to, and deleted."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api_things import new_call
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.left_messages import TellingEdge
from tests.support.portal import DESKTOP, PHONE, Visit, visit
from tests.support.told_recordings import bring_sound, call_sound, recorded

pytestmark = pytest.mark.peer("chromium")

SECONDS = 80.0
"""More than one part of the recording."""


def calls(world: ApiWorld, *, upload: bool = True) -> str:
    """A call with two recordings, the second of which has not come, and one without; the page of the site's calls."""
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    with world.databases.worker.session(world.ours.scope) as session:
        session.add_all(new_call(world, world.ours, edge.edge_id, name, world.user_id) for name in ("call-1", "call-2"))
    site = f"/sites/{world.ours.site_id}"
    assert world.admin.patch(site, {"recording": {"upload": upload}}).status == 200
    content = call_sound(SECONDS)
    first = recorded(world.clock, content, "call-1", "recording-1")
    second = recorded(world.clock, call_sound(5.0), "call-1", "recording-2", announced=False)
    assert TellingEdge(world.databases, edge, world.clock).tell(first, second) == [None, None]
    if upload:
        files, keys = world.services.files, world.services.keys
        assert files is not None
        assert bring_sound(world.databases, edge, files.store, keys, world.clock, content).complete
    return f"{site}/calls"


def open_recorded(page: Page) -> None:
    row = page.get_by_role("table", name="Calls").get_by_role("row").filter(has_text="Recorded")
    row.get_by_role("button", name="Why the call").click()


def test_an_administrator_listens_to_a_recorded_call_and_deletes_it(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(calls(world))
    expect(page.get_by_text("Recorded", exact=True)).to_have_count(1)
    open_recorded(page)
    shown = page.get_by_role("region", name="Recordings of the call")
    expect(shown).to_contain_text("Recorded for 1:20; both sides were told.")
    expect(shown).to_contain_text("Recorded for 0:05; nobody was told.")
    expect(shown).to_contain_text("Its sound is on its way.")
    shown.get_by_role("button", name="Listen to the recording 1 of the call").click()
    place = shown.get_by_role("slider")
    expect(place).to_have_attribute("aria-valuemax", "80")
    assert place.locator("rect").count() == 96
    assert not audited(world), "who looks at it has not heard it"
    place.focus()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", "0:05 of 1:20")
    page.keyboard.press(" ")
    expect(place).to_have_attribute("aria-valuetext", "0:06 of 1:20")
    assert audited(world) == ["call_recording.listened"]
    expect(shown.get_by_role("alert")).to_have_count(0)
    shown.get_by_role("button", name="Delete the recording 1 of the call").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete recording").click()
    expect(shown).not_to_contain_text("Recorded for 1:20")
    (left,) = next(one for one in world.admin.get("/calls").json["items"] if one["recordings"])["recordings"]
    assert left["seconds"] == pytest.approx(5.0)
    assert not any("audio" in one or "token" in one for one in msp.pages_loaded)


def audited(world: ApiWorld) -> list[str]:
    found = world.admin.get("/audit?resource=call").json["items"]
    return [one["action"] for one in found]


def test_a_site_whose_recordings_stay_says_where_they_are(world: ApiWorld, msp: Visit) -> None:
    msp.go(calls(world, upload=False))
    open_recorded(msp.page)
    shown = msp.page.get_by_role("region", name="Recordings of the call")
    expect(shown.get_by_text("Its sound stays at the site.")).to_have_count(2)
    expect(shown.get_by_role("button", name="Listen")).to_have_count(0)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_player_fits_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, calls(world))
        open_recorded(tab.page)
        tab.page.get_by_role("button", name="Listen to the recording 1 of the call").click()
        expect(tab.page.get_by_role("slider")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
