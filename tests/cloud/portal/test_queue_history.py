"""What became of callers of queues, in a browser: filtered, added up, page by page, with their stories."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from cloud.models import CallRecord, QueueCall
from cloud.pbx.edges import KnownEdge
from contract.snapshot import CallQueue, QueueAgent
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import TOKENS, enrolled_edge
from tests.support.portal import PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")
MANY = 55
"""Of the queue Support; more than one page."""


@pytest.fixture
def edge(world: ApiWorld) -> KnownEdge:
    """Callers of the last minutes: of Support, answered by Reception or gone, and one of Sales that was sent on."""
    known = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    me = QueueAgent(user_id=str(world.user_id))
    queues = (
        CallQueue(
            service_id="support", name="Support", extension="610", agents=(me,), supervisors=(str(world.user_id),)
        ),
        CallQueue(service_id="sales", name="Sales", extension="611", agents=(me,)),
    )
    plan = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    plan["voice_services"] = [one.model_dump(mode="json") for one in queues]
    assert world.admin.put(f"{site(world)}/dial-plan", {"document": plan}).status == 200
    now = datetime.now(UTC)
    rows: list[QueueCall | CallRecord] = [
        caller(known, place, now - timedelta(seconds=10 * place + 30), world.user_id if place % 5 else None)
        for place in range(MANY)
    ]
    sent_on = caller(known, MANY, now - timedelta(seconds=20), None, queue_id="sales", outcome="full")
    sent_on.sent_to = "200"
    record = CallRecord(
        id=TOKENS.id(),
        tenant_id=known.tenant_id,
        site_id=known.site_id,
        edge_id=known.edge_id,
        call_id="one",
        sip_call_id="one@192.0.2.9",
        caller="+49301234000",
        callee="610",
        started_at=now - timedelta(seconds=31),
        ended_at=now - timedelta(seconds=29),
        disposition="cancelled",
        status=487,
        interrupted=False,
        reasons=["610 is the queue Support"],
    )
    with world.databases.worker.session(known.scope) as session:
        session.add_all([*rows, sent_on, record])
    return known


def caller(
    known: KnownEdge,
    place: int,
    came: datetime,
    agent: UUID | None,
    queue_id: str = "support",
    outcome: str = "abandoned",
) -> QueueCall:
    """One caller, who is answered after two seconds if there is an agent."""
    answered = came + timedelta(seconds=2) if agent else None
    offers = [{"user_id": str(agent), "at": came.isoformat(), "seconds": 2, "result": "answered"}] if agent else []
    return QueueCall(
        id=TOKENS.id(),
        tenant_id=known.tenant_id,
        site_id=known.site_id,
        edge_id=known.edge_id,
        call_id=f"c-{place}",
        queue_id=queue_id,
        queue_name=queue_id.title(),
        caller=f"+4930123400{place}",
        caller_name="",
        came_at=came,
        answered_at=answered,
        ended_at=came + timedelta(seconds=8),
        outcome="answered" if agent else outcome,
        sent_to="",
        agent_id=agent,
        wrap_up_seconds=0,
        offers=offers,
    )


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def last_days(page: Page) -> None:
    """Whatever the hour is, all callers came in this time."""
    choose(page, "Time", "Last 7 days")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_callers_are_filtered_added_up_and_taken_along(
    world: ApiWorld, msp: Visit, edge: KnownEdge, tmp_path: Path
) -> None:
    page = msp.page
    msp.go(f"{site(world)}/queue-calls")
    last_days(page)
    table = page.get_by_role("table", name="Callers")
    expect(table.get_by_role("row")).to_have_count(1 + 50)
    totals = page.get_by_role("table", name="Totals by queue").get_by_role("row")
    expect(totals.filter(has_text="Support")).to_contain_text("554411080 %")
    expect(page.get_by_role("img", name="Callers by the hour: Answered 44, Abandoned 11, Sent on 1")).to_be_visible()
    page.get_by_role("button", name="Show earlier callers").click()
    expect(table.get_by_role("row")).to_have_count(1 + MANY + 1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    kept = tmp_path / "callers.csv"
    download.value.save_as(kept)
    lines = kept.read_text(encoding="utf-8").splitlines()
    assert (len(lines), lines[0].split(",")[:3]) == (1 + MANY + 1, ["Came", "Queue", "Number"])
    choose(page, "Outcome", "No room")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table).to_contain_text("went on to 200")
    choose(page, "Outcome", "Abandoned")
    expect(table.get_by_role("row")).to_have_count(1 + 11)
    choose(page, "Queue", "Sales")
    expect(page.get_by_text("No callers")).to_be_visible()
    page.get_by_text("By agent").click()
    assert edge.site_id == world.ours.site_id


def test_a_time_of_ones_own_is_one_of_the_clocks_at_the_site(
    world: ApiWorld, browser: Browser, url: str, edge: KnownEdge
) -> None:
    """The browser's clocks are two hours and more ahead of those of the site."""
    world.admin.patch(site(world), {"time_zone": "America/New_York"})
    here = datetime.now(ZoneInfo("America/New_York"))
    with visit(browser, url) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/queue-calls")
        choose(tab.page, "Time", "From … to …")
        begin, end = (tab.page.get_by_label(f"{name} (America/New_York)") for name in ("From", "To"))
        begin.fill(f"{here - timedelta(hours=1):%Y-%m-%dT%H:%M}")
        end.fill(f"{here + timedelta(minutes=5):%Y-%m-%dT%H:%M}")
        expect(tab.page.get_by_role("table", name="Callers").get_by_role("row")).to_have_count(1 + 50)
        end.fill("")
        end.fill(f"{here - timedelta(minutes=30):%Y-%m-%dT%H:%M}")
        expect(tab.page.get_by_text("No callers")).to_be_visible()
        assert tab.wrong == []
    assert edge.site_id == world.ours.site_id


def test_the_story_of_a_caller_names_who_was_rung_and_has_the_record_of_the_call(
    world: ApiWorld, msp: Visit, edge: KnownEdge
) -> None:
    page = msp.page
    msp.go(f"{site(world)}/queue-calls")
    last_days(page)
    page.get_by_text("By agent").click()
    agents = page.get_by_role("table", name="Totals by agent")
    expect(agents).to_contain_text("Reception")
    page.get_by_role("button", name="What became of +49301234001 at Support").click()
    expect(page.get_by_role("list", name="Who was rung")).to_contain_text("Reception was rung for 0:02: answered")
    page.get_by_role("button", name="What became of +49301234000 at Support").click()
    record = page.get_by_role("region", name="Call record: +49301234000 to 610")
    expect(record).to_contain_text("610 is the queue Support")
    expect(record.get_by_role("button", name="Show its SIP messages")).to_be_visible()
    assert edge.site_id == world.ours.site_id


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_supervisor_sees_the_history_of_own_queues_on_a_phone(
    world: ApiWorld, browser: Browser, url: str, edge: KnownEdge, dark: bool
) -> None:
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("user@tandem.test", PASSWORD, "/my/queues")
        history = tab.page.get_by_role("region", name="What became of callers")
        last_days(tab.page)
        expect(history.get_by_role("table", name="Totals by queue")).to_contain_text("Support")
        expect(history.get_by_role("table", name="Totals by queue")).not_to_contain_text("Sales")
        tab.page.get_by_role("button", name="What became of +49301234001 at Support").click()
        expect(history.get_by_role("list", name="Who was rung")).to_contain_text("Reception")
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
    assert edge.site_id == world.ours.site_id
