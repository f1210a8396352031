"""How call queues stand, in a browser: watched, agents set, calls attended, on a desk and at the wall."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cloud.models import Registration
from cloud.pbx.edges import KnownEdge
from cloud.pbx.state import site_records
from contract.snapshot import CallQueue, QueueAgent
from contract.sync.messages import Command
from tests.support.answering_edge import answering_edge
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import TOKENS, enrolled_edge
from tests.support.portal import PHONE, Visit, visit
from tests.support.queue_edge import QueueEdge

pytestmark = pytest.mark.peer("chromium")
NAMES = ("Workshop", "Accounting", "Warehouse", "Front door")


@pytest.fixture
def agents(world: ApiWorld) -> list[str]:
    """Ids of the agents of the queue Support: the telephone user, who supervises it, and four more."""
    users = [str(world.user_id)]
    for place, name in enumerate(NAMES):
        number = f"27{place}"
        body = {"site_id": str(world.ours.site_id), "username": number, "extension": number, "display_name": name}
        made = world.admin.post("/users", body)
        assert made.status == 201, made.body
        users.append(str(made.json["id"]))
    of_support = tuple(QueueAgent(user_id=one) for one in users)
    queues = (
        CallQueue(service_id="support", name="Support", extension="610", agents=of_support, supervisors=(users[0],)),
        CallQueue(service_id="sales", name="Sales", extension="611", agents=of_support[1:2]),
    )
    plan = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    plan["voice_services"] = [one.model_dump(mode="json") for one in queues]
    assert world.admin.put(f"{site(world)}/dial-plan", {"document": plan}).status == 200
    return users


@pytest.fixture
def known(world: ApiWorld, agents: list[str]) -> KnownEdge:
    """The site's edge; every agent but the last has a phone there."""
    known = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    now = world.clock.now()
    with world.databases.worker.session(known.scope) as session:
        for user in agents[:-1]:
            session.add(
                Registration(
                    id=TOKENS.id(),
                    tenant_id=known.tenant_id,
                    site_id=known.site_id,
                    edge_id=known.edge_id,
                    user_id=UUID(user),
                    line_id=TOKENS.id(),
                    contact=f"sip:{user}@192.0.2.9",
                    user_agent="Phone",
                    source="192.0.2.9:5060",
                    transport="udp",
                    registered_at=now,
                    refreshed_at=now,
                )
            )
    return known


@pytest.fixture
def queues(agents: list[str]) -> QueueEdge:
    return QueueEdge(datetime(2026, 1, 1, 12, tzinfo=UTC), agents)


@pytest.fixture
def online(world: ApiWorld, known: KnownEdge, queues: QueueEdge) -> Iterator[list[Command]]:
    """The edge is connected; what it was asked. Named before a browser, it outlives whoever asks it."""
    with answering_edge(world.databases, known, world.clock, queues.reply) as asked:
        yield asked


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def queue(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=f"Queue {name}")


def agent(page: Page, name: str) -> Locator:
    table = queue(page, "Support").get_by_role("table", name="Agents of Support")
    return table.get_by_role("row").filter(has_text=name)


def presence(world: ApiWorld, queue_id: str, user_id: str) -> object:
    with world.databases.api.session(world.ours.scope) as session:
        records = {one.key: one.value for one in site_records(session, world.ours.site_id)}
    return records.get(f"queue_agent/{queue_id}/{user_id}")


def test_who_waits_and_what_agents_do_is_seen_and_renewed_by_itself(
    online: list[Command], world: ApiWorld, msp: Visit, queues: QueueEdge
) -> None:
    page = msp.page
    msp.go(f"{site(world)}/queues")
    waiting = page.get_by_role("table", name="Who waits at Support").get_by_role("row")
    expect(waiting.nth(1)).to_contain_text("Mill")
    expect(waiting.nth(1)).to_contain_text("Phones ring")
    expect(waiting.nth(1)).to_contain_text("2:3")
    expect(waiting.nth(2)).to_contain_text("+49301234888")
    expect(waiting.nth(3)).to_contain_text("To be called back")
    for name, state in zip(("Reception", *NAMES), ("Talking", "Idle", "Paused", "Wrap-up", "Away"), strict=True):
        expect(agent(page, name)).to_contain_text(state)
    expect(queue(page, "Sales")).to_contain_text("Nobody waits.")
    figures = page.get_by_label("Figures of Support")
    expect(figures).to_contain_text("Waiting3")
    expect(figures).to_contain_text("Agents idle1 of 4")
    expect(page.get_by_label("All queues", exact=True)).to_contain_text("Waiting3")
    support, sales = queues.told.queues
    gone = support.model_copy(update={"callers": support.callers[1:], "agents": support.agents[:-1]})
    queues.told = queues.told.model_copy(update={"queues": (gone, sales)})
    expect(page.get_by_role("table", name="Who waits at Support").get_by_role("row").nth(1)).to_contain_text("888")
    assert len([one for one in online if one.name == "queues"]) >= 2


def test_an_agent_without_a_phone_is_told_apart_from_one_who_is_idle(
    online: list[Command], world: ApiWorld, msp: Visit, queues: QueueEdge
) -> None:
    support, sales = queues.told.queues
    last = support.agents[-1].model_copy(update={"presence": "in"})
    queues.told = queues.told.model_copy(
        update={"queues": (support.model_copy(update={"agents": (*support.agents[:-1], last)}), sales)}
    )
    msp.go(f"{site(world)}/queues")
    expect(agent(msp.page, "Front door")).to_contain_text("Unregistered")
    assert online


def test_a_hidden_page_asks_the_edge_for_nothing(online: list[Command], world: ApiWorld, msp: Visit) -> None:
    msp.go(f"{site(world)}/queues")
    expect(queue(msp.page, "Support")).to_be_visible()
    hide = """hidden => {
        Object.defineProperty(document, "visibilityState", {value: hidden ? "hidden" : "visible", configurable: true});
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
    }"""
    requests: list[str] = []
    msp.page.on("request", lambda request: requests.append(request.url))
    msp.page.clock.install()
    msp.page.evaluate(hide, True)
    msp.page.clock.run_for("02:00")
    assert [one for one in requests if one.partition("?")[0].endswith("/queues")] == []
    with msp.page.expect_response(lambda response: "/queues?" in response.url):
        msp.page.evaluate(hide, False)
    assert online


def test_while_the_edge_is_away_the_figures_stay_with_their_age(
    world: ApiWorld, msp: Visit, known: KnownEdge, queues: QueueEdge
) -> None:
    page = msp.page
    with answering_edge(world.databases, known, world.clock, queues.reply):
        msp.go(f"{site(world)}/queues")
        expect(agent(page, "Reception")).to_contain_text("Talking")
    world.clock.advance(7200)
    told = page.get_by_role("status").filter(has_text="The edge is not connected: these figures are")
    expect(told).to_contain_text("Queues go on at the site")
    expect(agent(page, "Reception")).to_contain_text("Talking")
    msp.go(f"{site(world)}/queues")
    expect(page.get_by_role("status")).to_contain_text("who waits and who is free cannot be seen from here")
    msp.go(f"{site(world)}/wallboard")
    expect(page.get_by_role("status")).to_contain_text("The edge is not connected")


def test_a_site_without_queues_says_what_would_be_here(online: list[Command], world: ApiWorld, msp: Visit) -> None:
    plan = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    plan["voice_services"] = []
    assert world.admin.put(f"{site(world)}/dial-plan", {"document": plan}).status == 200
    msp.go(f"{site(world)}/queues")
    expect(msp.page.get_by_text("No call queues at work")).to_be_visible()
    assert online


def test_an_administrator_sets_agents_and_has_a_supervisor_rung(
    online: list[Command], world: ApiWorld, msp: Visit, agents: list[str], queues: QueueEdge
) -> None:
    page = msp.page
    msp.go(f"{site(world)}/queues")
    agent(page, "Front door").get_by_role("button", name="Set the state of Front door at Support").click()
    page.get_by_role("menuitem", name="Log in").click()
    expect(page.get_by_text("Front door is available at Support")).to_be_visible()
    assert presence(world, "support", agents[4]) == "in"
    assert online
    agent(page, "Reception").get_by_role("button", name="Whisper: Reception").click()
    window = page.get_by_role("dialog", name="Whisper: Reception")
    expect(window.get_by_role("combobox", name="Whose phones ring")).to_have_value("Reception")
    window.get_by_role("button", name="Ring").click()
    expect(page.get_by_text("The phones of Reception ring")).to_be_visible()
    assert queues.attended == [{"agent": agents[0], "supervisor": agents[0], "action": "whisper"}]
    expect(agent(page, "Workshop").get_by_role("button", name="Listen: Workshop")).to_have_count(0)


def test_a_supervisor_listens_by_one_button_and_a_pause_has_a_reason(
    online: list[Command], world: ApiWorld, browser: Browser, url: str, agents: list[str], queues: QueueEdge
) -> None:
    for one in (agents[0], agents[2]):
        path = f"{site(world)}/queues/support/agents/{one}"
        assert world.admin.put(path, {"presence": "in"}).status == 204
    support, sales = queues.told.queues
    paused = tuple(
        one.model_copy(update={"doing": "talking", "queue_id": "support"}) if one.user_id == agents[2] else one
        for one in support.agents
    )
    queues.told = queues.told.model_copy(update={"queues": (support.model_copy(update={"agents": paused}), sales)})
    with visit(browser, url) as tab:
        page = tab.page
        tab.log_in("user@tandem.test", PASSWORD)
        own = page.get_by_role("region", name="My queues")
        expect(own).to_contain_text("Support")
        expect(own).to_contain_text("Available")
        own.get_by_role("button", name="Pause at Support, or log out").click()
        page.get_by_role("menuitem", name="Lunch").click()
        expect(own).to_contain_text("Paused: Lunch")
        assert presence(world, "support", agents[0]) == "paused"
        own.get_by_role("button", name="Go available at Support").click()
        expect(own).to_contain_text("Available")
        own.get_by_role("button", name="Pause at Support, or log out").click()
        page.get_by_role("menuitem", name="Another reason").click()
        page.get_by_role("dialog").get_by_label("Why").fill("Fire drill")
        page.get_by_role("dialog").get_by_role("button", name="Pause").click()
        expect(own).to_contain_text("Paused: Fire drill")
        own.get_by_role("link", name="See how they stand").click()
        expect(page.get_by_role("heading", name="My queues", level=1)).to_be_visible()
        expect(queue(page, "Sales")).to_have_count(0)
        agent(page, "Accounting").get_by_role("button", name="Listen: Accounting").click()
        expect(page.get_by_text("Your phones ring")).to_be_visible()
        assert queues.attended == [{"agent": agents[2], "supervisor": agents[0], "action": "listen"}]
        assert online
        page.get_by_role("link", name="Wallboard").click()
        expect(page.get_by_role("heading", name="Call queues")).to_be_visible()
        expect(page.get_by_role("navigation")).to_have_count(0)
        page.get_by_role("link", name="Leave").click()
        expect(page.get_by_role("heading", name="My queues", level=1)).to_be_visible()
        assert tab.wrong == []


def test_the_wall_shows_everything_large_and_dark_and_takes_the_whole_screen(
    online: list[Command], world: ApiWorld, msp: Visit
) -> None:
    page = msp.page
    msp.go(f"{site(world)}/queues")
    page.get_by_role("link", name="Wallboard").click()
    support = queue(page, "Support")
    expect(support).to_contain_text("Mill")
    expect(support.get_by_role("list", name="Agents of Support")).to_contain_text("Reception")
    assert page.locator("main").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(22, 25, 27)"
    page.get_by_role("button", name="Full screen").click()
    expect(page.get_by_role("button", name="Full screen")).to_have_count(0)
    assert page.evaluate("document.fullscreenElement !== null")
    assert online


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_pages_fit_a_phone(online: list[Command], world: ApiWorld, browser: Browser, url: str, dark: bool) -> None:
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/queues")
        expect(queue(tab.page, "Support")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.go(f"{site(world)}/wallboard")
        expect(queue(tab.page, "Support")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("user@tandem.test", PASSWORD)
        expect(tab.page.get_by_role("region", name="My queues")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.go("/my/queues")
        expect(queue(tab.page, "Support")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
    assert online
