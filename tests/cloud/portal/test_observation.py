"""What a technician sees of a call's messages and an edge's counters: asked of the edge, drawn, read, downloaded."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from contract.sync.live_calls import CallInProgress, CallsInProgress
from contract.sync.messages import Command
from contract.sync.questions import EdgeFigures
from tests.support.answering_edge import Reply, answering_edge, small_ladder
from tests.support.api_things import furnish, new_call
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import EdgeAtSite, enrolled_edge
from tests.support.portal import DESKTOP, PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
IN_PROGRESS = CallsInProgress(
    calls=(
        CallInProgress(
            sip_call_id="call-1", caller="200", callee="201", started_at=BEGAN, answered_at=BEGAN + timedelta(seconds=4)
        ),
        CallInProgress(sip_call_id="call-2", caller="202", callee="0041441112233", started_at=BEGAN),
    ),
    total=2,
)
PCAP = b"\xd4\xc3\xb2\xa1\x00\xff"


def reply(command: Command) -> Reply:
    """What the edge says."""
    match command.name:
        case "call_ladder":
            return True, small_ladder().model_dump_json()
        case "live_calls":
            return True, IN_PROGRESS.model_dump_json()
        case "call_pcap":
            return True, b64encode(PCAP).decode()
        case _:
            return True, EdgeFigures(processes={"sip": {"calls": 2, "dropped.not_sip": 7}}).model_dump_json()


@pytest.fixture
def edge(world: ApiWorld) -> Iterator[EdgeAtSite]:
    """A connected edge, with one call."""
    made = enrolled_edge(world.databases.api, world.ours, world.clock.now())
    with world.databases.worker.session(world.ours.scope) as session:
        session.add(new_call(world, world.ours, made.known.edge_id, "call-1"))
    with answering_edge(world.databases, made.known, world.clock, reply):
        yield made


def look(tab: Visit, world: ApiWorld) -> None:
    """Open the ladder of the call."""
    tab.go(f"/sites/{world.ours.site_id}/calls")
    tab.page.get_by_role("button", name="Why the call").click()
    tab.page.get_by_role("button", name="Show its SIP messages").click()
    tab.page.get_by_label("Ladder of the call").wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.usefixtures("edge")
def test_a_call_is_drawn_as_a_ladder_that_fits_every_screen(
    browser: Browser, url: str, world: ApiWorld, size: tuple[int, int], dark: bool
) -> None:
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD)
        look(tab, world)
        ladder = tab.page.get_by_label("Ladder of the call")
        expect(ladder.get_by_role("button")).to_have_count(17)
        expect(ladder).to_contain_text("192.0.2.10:5060")
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []


@pytest.mark.usefixtures("edge")
def test_a_message_is_read_by_choosing_its_arrow_and_tells_no_secret(msp: Visit, world: ApiWorld) -> None:
    look(msp, world)
    ladder, message = msp.page.get_by_label("Ladder of the call"), msp.page.get_by_label("Message", exact=True)
    expect(message).to_contain_text("INVITE sip:201@demo SIP/2.0")
    ladder.get_by_role("button", name="407 Proxy Authentication Required").press("Enter")
    expect(message).to_contain_text("SIP/2.0 407")
    ladder.get_by_role("button", name="+0.021 seconds").click()
    expect(message).to_contain_text('response="xxxxxxxxxxxxxxxx"')
    expect(ladder.get_by_role("button", name="again")).to_have_count(1)


@pytest.mark.usefixtures("edge")
def test_a_call_is_downloaded_for_wireshark(msp: Visit, world: ApiWorld) -> None:
    look(msp, world)
    with msp.page.expect_download() as file:
        msp.page.get_by_role("button", name="Download for Wireshark").click()
    assert file.value.suggested_filename.endswith(".pcap")
    assert Path(file.value.path()).read_bytes() == PCAP


def test_a_site_whose_edge_is_offline_says_so(msp: Visit, world: ApiWorld) -> None:
    made = enrolled_edge(world.databases.api, world.ours, world.clock.now())
    with world.databases.worker.session(world.ours.scope) as session:
        session.add(new_call(world, world.ours, made.known.edge_id, "call-1"))
    msp.go(f"/sites/{world.ours.site_id}/calls")
    msp.page.get_by_role("button", name="Why the call").click()
    msp.page.get_by_role("button", name="Show its SIP messages").click()
    expect(msp.page.get_by_role("alert")).to_contain_text("not connected to the cloud")


def test_how_well_a_call_was_heard_is_told_in_a_word_with_its_figures(msp: Visit, world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    msp.go(f"/sites/{world.ours.site_id}/calls")
    msp.page.get_by_role("button", name="Why the call").first.click()
    told = msp.page.get_by_role("list", name="How well it was heard").get_by_role("listitem")
    expect(told).to_contain_text("Good")
    expect(told).to_contain_text("PCMA")
    expect(told).to_contain_text("2 % lost")
    expect(told).to_contain_text("MOS 4.1")


@pytest.mark.usefixtures("edge")
def test_the_figures_of_an_edge_are_shown_when_asked_for(msp: Visit, world: ApiWorld) -> None:
    msp.go(f"/sites/{world.ours.site_id}/edges")
    msp.page.get_by_role("button", name="Figures of").click()
    expect(msp.page.get_by_role("region", name="sip")).to_contain_text("dropped.not_sip7")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.usefixtures("edge")
def test_calls_in_progress_are_listed_and_the_messages_of_one_are_drawn(
    browser: Browser, url: str, world: ApiWorld, size: tuple[int, int], dark: bool
) -> None:
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"/sites/{world.ours.site_id}/calls")
        tab.page.get_by_role("button", name="Calls in progress").click()
        table = tab.page.get_by_role("table", name="Calls in progress")
        expect(table.get_by_role("row")).to_have_count(3)
        expect(table).to_contain_text("Talking")
        expect(table).to_contain_text("Not answered yet")
        assert not tab.is_wider_than_the_screen()
        table.get_by_role("button", name="Show its SIP messages").first.click()
        expect(tab.page.get_by_label("Ladder of the call")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
