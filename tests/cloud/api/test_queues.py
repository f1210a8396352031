"""Call queues over the API: how they stand, their agents' log-ins, supervisors, and the history of their callers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from cloud.models import EventRow, Registration, WebhookDelivery
from cloud.pbx.inbox import keep_events
from cloud.pbx.ingest import ingest_events
from cloud.pbx.state import site_records, write_state
from contract.snapshot import CallQueue, QueueAgent
from contract.sync.events import EventBody
from contract.sync.messages import Command, Event
from contract.sync.queue_events import QueueCallEnded, QueueOffer
from contract.sync.queues import LiveAgent, LiveCaller, LiveQueue, LiveQueues, QueueAttendAnswer
from tests.support.answering_edge import answering_edge
from tests.support.api_world import ApiWorld, Client
from tests.support.customers import TOKENS, EdgeAtSite, enrolled_edge

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def edge(world: ApiWorld) -> EdgeAtSite:
    return enrolled_edge(world.databases.api, world.ours, world.clock.now())


@pytest.fixture
def colleague(world: ApiWorld) -> str:
    body = {"site_id": str(world.ours.site_id), "username": "277", "extension": "277", "display_name": "Workshop"}
    made = world.admin.post("/users", body)
    assert made.status == 201, made.body
    return str(made.json["id"])


@pytest.fixture
def site(world: ApiWorld, colleague: str) -> str:
    """The address of a site with a queue of which the telephone user is an agent, one that he supervises, and one
    that he has nothing to do with; the colleague is an agent of all three."""
    path = f"/sites/{world.ours.site_id}"
    both = (QueueAgent(user_id=str(world.user_id)), QueueAgent(user_id=colleague))
    queues = (
        CallQueue(service_id="sales", name="Sales", extension="601", agents=both),
        CallQueue(
            service_id="support", name="Support", extension="602", agents=both[1:], supervisors=(str(world.user_id),)
        ),
        CallQueue(service_id="board", name="Board", extension="603", agents=both[1:], supervisors=(colleague,)),
        CallQueue(service_id="closed", name="Closed", extension="604", agents=both, enabled=False),
    )
    save(world, *queues)
    return path


def save(world: ApiWorld, *queues: CallQueue) -> None:
    path = f"/sites/{world.ours.site_id}/dial-plan"
    plan = world.admin.get(path).json["document"]
    plan["voice_services"] = [one.model_dump(mode="json") for one in queues]
    answer = world.admin.put(path, {"document": plan})
    assert answer.status == 200, answer.body


@contextmanager
def online(world: ApiWorld, edge: EdgeAtSite, *answers: Any) -> Iterator[list[Command]]:
    """The edge is connected and answers so, in turn."""
    results = iter([(True, one.model_dump_json()) for one in answers])
    with answering_edge(world.databases, edge.known, world.clock, lambda _: next(results, None)) as asked:
        yield asked


def stands(world: ApiWorld, *queue_ids: str) -> LiveQueues:
    """One caller waits at each of these queues."""
    caller = LiveCaller(call_id="c-1", number="+4930123456", name="Ann", came_at=NOON)
    agent = LiveAgent(user_id=str(world.user_id), presence="in", doing="talking", since=NOON, queue_id="sales")
    queues = tuple(
        LiveQueue(queue_id=one, name=one, extension="601", callers=(caller,), agents=(agent,), answered=3, in_time=2)
        for one in queue_ids
    )
    return LiveQueues(at=NOON, queues=queues)


# -- how queues stand


def test_how_queues_stand_is_asked_of_the_edge_and_agents_have_names(
    world: ApiWorld, site: str, edge: EdgeAtSite, colleague: str
) -> None:
    with online(world, edge, stands(world, "support", "sales", "unheard-of")) as asked:
        answer = world.admin.get(f"{site}/queues")
    assert answer.status == 200, answer.body
    assert [one["queue_id"] for one in answer.json["items"]] == ["sales", "support"]
    assert answer.json["items"][0]["callers"][0]["name"] == "Ann"
    assert {one["user_id"]: one["name"] for one in answer.json["people"]}[colleague] == "Workshop"
    assert [(one.name, one.arguments) for one in asked] == [("queues", {})]


def test_queues_come_in_pages_by_name(world: ApiWorld, site: str, edge: EdgeAtSite) -> None:
    every = stands(world, "board", "sales", "support")
    seen, cursor = [], ""
    with online(world, edge, *[every] * 3):
        for _ in range(3):
            page = world.admin.get(f"{site}/queues?limit=1{cursor}").json
            seen += [one["queue_id"] for one in page["items"]]
            assert [one["queue_id"] for one in page["supervisors"]] == seen[-1:]
            cursor = f"&cursor={page['next']}"
    assert (seen, page["next"]) == (["board", "sales", "support"], None)
    for wrong in ("x", "WyJhIl0", "bnVsbA"):
        answer = world.admin.get(f"{site}/queues?cursor={wrong}")
        assert (answer.status, answer.fields) == (422, {"cursor"})


def test_whose_phone_is_registered_and_whose_phones_can_be_rung_to_listen_is_told(
    world: ApiWorld, site: str, edge: EdgeAtSite, colleague: str
) -> None:
    now = world.clock.now()
    with world.databases.worker.session(world.ours.scope) as session:
        for user_id, ends in ((world.user_id, now + timedelta(hours=1)), (UUID(colleague), now - timedelta(hours=1))):
            session.add(binding(edge, user_id, now, ends))
    with online(world, edge, stands(world, "sales", "support")):
        told = world.admin.get(f"{site}/queues").json
    assert {one["user_id"]: one["registered"] for one in told["people"]} == {str(world.user_id): True, colleague: False}
    assert {one["queue_id"]: one["user_ids"] for one in told["supervisors"]} == {
        "board": [colleague],
        "sales": [],
        "support": [str(world.user_id)],
    }


def binding(edge: EdgeAtSite, user_id: UUID, now: datetime, ends: datetime) -> Registration:
    return Registration(
        id=TOKENS.id(),
        tenant_id=edge.known.tenant_id,
        site_id=edge.known.site_id,
        edge_id=edge.known.edge_id,
        user_id=user_id,
        line_id=TOKENS.id(),
        device_id=None,
        contact=f"sip:{user_id}@192.0.2.9",
        user_agent="Phone",
        source="192.0.2.9:5060",
        transport="udp",
        expires_at=ends,
        registered_at=now,
        refreshed_at=now,
    )


def test_a_user_sees_the_queues_that_he_is_an_agent_or_supervisor_of_and_no_others(
    world: ApiWorld, site: str, edge: EdgeAtSite
) -> None:
    with online(world, edge, stands(world, "sales", "support", "board"), stands(world, "sales")):
        answer = world.user.get(f"{site}/queues")
        assert [one["queue_id"] for one in answer.json["items"]] == ["sales", "support"]
        assert world.user.get(f"{site}/queues/sales").json["queue"]["answered"] == 3
        assert world.user.get(f"{site}/queues/board").status == 404


def test_a_queue_that_is_not_at_the_edge_yet_or_not_at_all_is_not_found(
    world: ApiWorld, site: str, edge: EdgeAtSite
) -> None:
    with online(world, edge, stands(world, "sales")):
        assert world.admin.get(f"{site}/queues/board").status == 404
        for unknown in ("nothing", "closed"):
            assert world.admin.get(f"{site}/queues/{unknown}").status == 404


def test_while_the_edge_is_away_it_is_said_so_and_so_when_it_is_too_old(
    world: ApiWorld, site: str, edge: EdgeAtSite
) -> None:
    for path in ("/queues", "/queues/sales"):
        answer = world.admin.get(site + path)
        assert (answer.status, answer.json["type"].rpartition(":")[2]) == (503, "edge-offline")
    with answering_edge(world.databases, edge.known, world.clock, lambda _: (False, "no such order")):
        answer = world.admin.get(f"{site}/queues")
    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (502, "edge-cannot-answer")


# -- agents


def presence(world: ApiWorld, queue_id: str, user_id: object) -> Any:
    with world.databases.api.session(world.ours.scope) as session:
        key = f"queue_agent/{queue_id}/{user_id}"
        return next((one.value for one in site_records(session, world.ours.site_id) if one.key == key), None)


def test_a_user_logs_himself_in_pauses_and_logs_out_and_it_is_on_record(world: ApiWorld, site: str) -> None:
    path = f"{site}/queues/sales/agents/{world.user_id}"
    refused = world.user.put(path, {"presence": "paused"})
    assert (refused.status, "log in first" in refused.body.decode()) == (409, True)
    for wanted in ("in", "paused", "in", "out"):
        assert world.user.put(path, {"presence": wanted}).status == 204
        assert presence(world, "sales", world.user_id) == wanted
        mine = {one["queue_id"]: one for one in world.user.get("/my/queues").json["items"]}
        assert mine["sales"]["presence"] == wanted
        world.clock.advance(1)
    audit = world.admin.get("/audit?resource=site").json["items"]
    changed = [one["changes"]["presence"] for one in audit if one["action"] == "queue.agent_changed"]
    assert changed == [["in", "out"], ["paused", "in"], ["in", "paused"], ["out", "in"]]


def test_a_pause_has_a_reason_until_it_ends_and_one_that_is_left_says_nothing_of_the_next(
    world: ApiWorld, site: str, edge: EdgeAtSite
) -> None:
    path = f"{site}/queues/sales/agents/{world.user_id}"

    def own() -> tuple[str, str]:
        (sales,) = [one for one in world.user.get("/my/queues").json["items"] if one["queue_id"] == "sales"]
        return sales["presence"], sales["reason"]

    assert world.user.put(path, {"presence": "in", "reason": "Lunch"}).status == 422
    assert world.user.put(path, {"presence": "paused", "reason": "a" * 61}).status == 422
    assert world.user.put(path, {"presence": "paused", "reason": "a\nb"}).status == 422
    assert world.user.put(path, {"presence": "in"}).status == 204
    for reason in ("Lunch", "Training"):
        assert world.user.put(path, {"presence": "paused", "reason": reason}).status == 204
        assert own() == ("paused", reason)
    with online(world, edge, stands(world, "sales")):
        told = world.admin.get(f"{site}/queues/sales").json
    assert told["pauses"] == [{"queue_id": "sales", "user_id": str(world.user_id), "reason": "Training"}]
    assert world.user.put(path, {"presence": "paused"}).status == 204, "the reason is taken back"
    assert own() == ("paused", "")
    assert world.user.put(path, {"presence": "paused", "reason": "Lunch"}).status == 204
    with world.databases.api.session(world.ours.scope) as session:
        # By a feature code at the phone, where nobody says why.
        key = f"queue_agent/sales/{world.user_id}"
        for presence_ in ("in", "paused"):
            write_state(session, world.ours.site_id, key, presence_, world.clock.now())
    assert own() == ("paused", "")
    audit = world.admin.get("/audit?resource=site").json["items"]
    reasons = [one["changes"].get("reason") for one in audit if one["action"] == "queue.agent_changed"]
    assert reasons == [[None, "Lunch"], None, [None, "Training"], [None, "Lunch"], None]


def test_who_may_change_how_an_agent_stands(world: ApiWorld, site: str, colleague: str) -> None:
    body = {"presence": "in"}
    assert world.user.put(f"{site}/queues/support/agents/{colleague}", body).status == 204, "he supervises it"
    assert world.user.put(f"{site}/queues/sales/agents/{colleague}", body).status == 403, "an agent is no supervisor"
    assert world.user.put(f"{site}/queues/board/agents/{colleague}", body).status == 404, "none of his"
    assert world.admin.put(f"{site}/queues/board/agents/{colleague}", body).status == 204
    assert world.stranger.put(f"{site}/queues/board/agents/{colleague}", body).status == 404
    assert world.admin.put(f"{site}/queues/support/agents/{world.user_id}", body).status == 404, "no agent of it"
    assert world.admin.put(f"{site}/queues/board/agents/{colleague}", {"presence": "away"}).status == 422


def test_the_own_queues_are_listed_with_what_one_is_there(world: ApiWorld, site: str) -> None:
    items = world.user.get("/my/queues").json["items"]
    assert [(one["queue_id"], one["presence"], one["supervises"]) for one in items] == [
        ("sales", "out", False),
        ("support", None, True),
    ]
    assert world.admin.get("/my/queues").json["items"] == [], "who is no user has none"
    assert site.endswith(items[0]["site_id"])


# -- supervisors


def test_a_supervisor_has_his_own_phones_rung_and_it_is_on_record(
    world: ApiWorld, site: str, edge: EdgeAtSite, colleague: str
) -> None:
    path = f"{site}/queues/support/agents/{colleague}/attend"
    with online(world, edge, QueueAttendAnswer(), QueueAttendAnswer()) as asked:
        assert world.user.post(path, {"action": "whisper"}).status == 204
        admin = world.admin.post(path, {"action": "listen", "supervisor_id": str(world.user_id)})
        assert admin.status == 204, admin.body
    assert [(one.name, one.arguments) for one in asked] == [
        ("queue_attend", {"agent": colleague, "supervisor": str(world.user_id), "action": how})
        for how in ("whisper", "listen")
    ]
    assert world.admin.get("/audit").body.decode().count("queue.attended") == 2


def test_nobody_listens_who_is_no_supervisor_of_the_queue(
    world: ApiWorld, site: str, edge: EdgeAtSite, colleague: str
) -> None:
    with online(world, edge) as asked:
        sales = f"{site}/queues/sales/agents/{colleague}/attend"
        assert world.user.post(sales, {"action": "listen"}).status == 403
        support = f"{site}/queues/support/agents/{colleague}/attend"
        assert world.user.post(support, {"action": "listen", "supervisor_id": colleague}).status == 403
        for wanted in (None, colleague):
            answer = world.admin.post(support, {"action": "listen", "supervisor_id": wanted})
            assert (answer.status, answer.fields) == (422, {"supervisor_id"})
        assert world.user.post(support, {"action": "record"}).status == 422
        assert (
            world.user.post(f"{site}/queues/support/agents/{world.user_id}/attend", {"action": "barge"}).status == 409
        )
    assert asked == []


@pytest.mark.parametrize(("refused", "problem"), [("no_call", "no-call-to-attend"), ("no_phone", "no-phone-to-ring")])
def test_why_a_supervisor_is_not_rung_is_said(
    world: ApiWorld, site: str, edge: EdgeAtSite, colleague: str, refused: Any, problem: str
) -> None:
    with online(world, edge, QueueAttendAnswer(refused=refused)):
        answer = world.user.post(f"{site}/queues/support/agents/{colleague}/attend", {"action": "listen"})
    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (409, problem)


# -- history


class Told:
    """Callers as the edge tells of them."""

    def __init__(self, world: ApiWorld, edge: EdgeAtSite) -> None:
        self._world, self._edge = world, edge
        self._count = 0

    def __call__(self, queue_id: str, outcome: Any, waited: float, agent: str | None = None, **more: Any) -> None:
        """One more caller, who came at noon unless it is said otherwise; talk is a minute, wrap-up ten seconds."""
        self._count += 1
        came = more.pop("came_at", NOON)
        left = came + timedelta(seconds=waited)
        what = QueueCallEnded(
            call_id=more.pop("call_id", f"c-{self._count}"),
            queue_id=queue_id,
            queue_name=queue_id.title(),
            caller="+4930123456",
            came_at=came,
            answered_at=left if agent else None,
            ended_at=left + timedelta(seconds=60) if agent else left,
            outcome=outcome,
            agent_id=agent,
            wrap_up_seconds=10 if agent else 0,
            **more,
        )
        body = EventBody(at=what.ended_at, what=what)
        event = Event(epoch="e1", sequence=self._count, body=body)
        now = self._world.clock.now()
        with self._world.databases.hub.session(self._edge.known.scope) as session:
            keep_events(session, TOKENS, self._edge.known, [event], now)
        with self._world.databases.worker.session(self._edge.known.scope) as session:
            assert ingest_events(session, TOKENS, self._edge.known.edge_id, now) == 1
            row = session.scalars(select(EventRow).where(EventRow.sequence == self._count)).one()
            assert row.problem is None


@pytest.fixture
def told(world: ApiWorld, edge: EdgeAtSite) -> Told:
    return Told(world, edge)


DAY = "after=2026-01-01T00:00:00Z&before=2026-01-02T00:00:00Z"


def test_callers_are_listed_with_their_story_the_latest_first_and_filtered(
    world: ApiWorld, site: str, told: Told, colleague: str
) -> None:
    offers = (QueueOffer(user_id=str(world.user_id), at=NOON, seconds=20, result="no_answer"),)
    told("sales", "answered", 30, colleague, offers=offers)
    told("support", "abandoned", 5, came_at=NOON + timedelta(hours=1))
    told("sales", "full", 0, came_at=NOON + timedelta(hours=2), sent_to="300")

    def listed(query: str, client: Client = world.admin) -> list[str]:
        answer = client.get(f"{site}/queue-calls?{query}")
        assert answer.status == 200, answer.body
        return [one["call_id"] for one in answer.json["items"]]

    assert listed("") == ["c-3", "c-2", "c-1"]
    assert listed("queue_id=sales") == ["c-3", "c-1"]
    assert listed(f"agent_id={colleague}") == ["c-1"]
    assert listed("outcome=abandoned") == ["c-2"]
    assert listed("after=2026-01-01T13:00:00Z&before=2026-01-01T14:00:00Z") == ["c-2"]
    assert listed("", world.user) == ["c-2"], "of the queue that he supervises"
    assert listed("queue_id=sales", world.user) == []
    assert world.stranger.get(f"{site}/queue-calls").status == 404
    page = world.admin.get(f"{site}/queue-calls?limit=2").json
    (first,) = world.admin.get(f"{site}/queue-calls?limit=2&cursor={page['next']}").json["items"]
    assert (first["call_id"], first["offers"][0]["result"], first["agent_id"]) == ("c-1", "no_answer", colleague)
    assert world.admin.get(f"{site}/queue-calls?outcome=lost").status == 422


def test_the_same_caller_told_twice_counts_once_and_webhooks_tell_how_it_ended(
    world: ApiWorld, site: str, told: Told, colleague: str
) -> None:
    assert world.admin.post("/webhook-endpoints", {"url": "https://hooks.tandem.test/q"}).status == 201
    told("sales", "answered", 3, colleague, call_id="same")
    told("sales", "answered", 3, colleague, call_id="same")
    told("sales", "abandoned", 3)
    told("sales", "too_long", 900, sent_to="300")
    told("sales", "called_back", 60, colleague)
    assert len(world.admin.get(f"{site}/queue-calls").json["items"]) == 4
    with world.databases.worker.session(world.ours.scope) as session:
        sent = session.scalars(select(WebhookDelivery.event_type).order_by(WebhookDelivery.id)).all()
    assert [one for one in sent if one.startswith("queue.")] == [
        "queue.answered",
        "queue.abandoned",
        "queue.overflowed",
        "queue.called_back",
    ]


def totals(client: Client, site: str, query: str) -> dict[str, dict[str, Any]]:
    answer = client.get(f"{site}/queue-totals?{DAY}&{query}")
    assert answer.status == 200, answer.body
    return {one["key"]: one for one in answer.json["items"]}


def test_callers_are_added_up_by_queue_agent_and_hour(world: ApiWorld, site: str, told: Told, colleague: str) -> None:
    me = str(world.user_id)
    missed = (
        QueueOffer(user_id=me, at=NOON, seconds=20, result="no_answer"),
        QueueOffer(user_id=colleague, at=NOON, seconds=5, result="answered"),
    )
    told("sales", "answered", 10, colleague)
    told("sales", "answered", 30, colleague, offers=missed)
    told("sales", "abandoned", 50, came_at=NOON + timedelta(hours=1))
    told("sales", "closed", 100, sent_to="300")
    told("support", "abandoned", 7)
    by_queue = totals(world.admin, site, "by=queue")
    sales = by_queue["sales"]
    assert (sales["name"], sales["calls"], sales["answered"], sales["abandoned"], sales["overflowed"]) == (
        ("Sales", 4, 2, 1, 1)
    )
    assert (sales["in_time"], sales["average_wait_seconds"], sales["longest_wait_seconds"]) == (1, 20, 50)
    assert sales["service_level"] == pytest.approx(1 / 3)
    assert (sales["average_talk_seconds"], sales["talk_seconds"], sales["wrap_up_seconds"]) == (60, 120, 20)
    assert by_queue["support"]["average_wait_seconds"] is None
    assert totals(world.admin, site, "by=queue&level_seconds=30")["sales"]["in_time"] == 2
    agents = totals(world.admin, site, "by=agent")
    assert (agents[colleague]["answered"], agents[colleague]["missed"]) == (2, 0)
    assert (agents[me]["answered"], agents[me]["missed"]) == (0, 1)
    hours = totals(world.admin, site, "by=hour&queue_id=sales")
    assert {key: one["calls"] for key, one in hours.items()} == {"2026-01-01T12:00:00Z": 3, "2026-01-01T13:00:00Z": 1}
    assert set(totals(world.user, site, "by=queue")) == {"support"}, "of the queue that he supervises"
    whole = world.admin.get(f"{site}/queue-totals?{DAY}&by=agent").json
    assert {one["name"] for one in whole["people"]} >= {"Workshop"}
    assert whole["told_until"] == "2026-01-01T13:00:50Z"


@pytest.mark.parametrize(
    "period",
    [
        "after=2026-01-02T00:00:00Z&before=2026-01-01T00:00:00Z",
        "after=2026-01-01T00:00:00Z&before=2026-06-01T00:00:00Z",
        "after=2026-01-01T00:00:00&before=2026-01-02T00:00:00Z",
    ],
)
def test_a_time_that_cannot_be_added_up_is_refused(world: ApiWorld, site: str, period: str) -> None:
    assert world.admin.get(f"{site}/queue-totals?{period}").status == 422


def test_an_agent_whose_id_is_none_of_ours_is_a_problem_of_that_event_alone(
    world: ApiWorld, site: str, edge: EdgeAtSite
) -> None:
    what = QueueCallEnded(
        call_id="x", queue_id="q", queue_name="Q", caller="1", came_at=NOON, ended_at=NOON, outcome="answered",
        agent_id="not-a-uuid",
    )  # fmt: skip
    with world.databases.hub.session(edge.known.scope) as session:
        keep_events(
            session, TOKENS, edge.known, [Event(epoch="e1", sequence=1, body=EventBody(at=NOON, what=what))], NOON
        )
    with world.databases.worker.session(edge.known.scope) as session:
        ingest_events(session, TOKENS, edge.known.edge_id, NOON)
        assert "none of ours" in str(session.scalars(select(EventRow.problem)).one())
    assert world.admin.get(f"{site}/queue-calls").json["items"] == []


def test_ids_of_users_who_are_gone_are_shown_without_a_name(world: ApiWorld, site: str, told: Told) -> None:
    told("sales", "answered", 1, str(UUID(int=7)))
    page = world.admin.get(f"{site}/queue-calls").json
    assert page["items"][0]["agent_id"] == str(UUID(int=7))
    assert page["people"] == []
