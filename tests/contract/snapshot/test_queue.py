"""Call queues in a snapshot: what cannot be is refused and why."""

from typing import Any

import pytest
from pydantic import ValidationError

from contract.dialplan.review import review
from contract.queue_state import agent_key, presences
from contract.snapshot import CallBackOffer, CallQueue, DialPlan, InternalRule, QueueAgent, Snapshot
from contract.sync.state import Stamp, StateRecord
from tests.support.example_site import small_site

SITE = small_site()
USER = SITE.users[0]
QUEUE = CallQueue(
    service_id="q", name="Support", extension="600", agents=(QueueAgent(user_id=USER.user_id),), overflow_to="300"
)


def site(*services: Any) -> Snapshot:
    plan = DialPlan(rules=(InternalRule(rule_id="rule-1"),), voice_services=services)
    return Snapshot.model_validate({**dict(SITE), "dial_plan": plan})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"agents": (QueueAgent(user_id="nobody"),)}, "queue Support has the unknown agent nobody"),
        ({"supervisors": ("nobody",)}, "queue Support has the unknown supervisor nobody"),
        ({"call_back": CallBackOffer(permissions=("Moon",))}, "queue Support calls back with the unknown permission"),
        ({"extension": USER.username}, f"{USER.username!r} is used more than once: by user {USER.username}, queue "),
    ],
)
def test_queues_that_name_what_is_not_there_are_refused_and_why(changes: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        site(QUEUE.model_copy(update=changes))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"agents": [{"user_id": "a"}, {"user_id": "a"}]}, "Support has the agent a twice"),
        ({"announce_seconds": 5}, "0 for never, or 15 to 600"),
        ({"overflow_to": "600"}, "overflow_to of Support is the queue itself"),
        ({"overflow_to": None, "leave_key": "0"}, "say where that is"),
        ({"most_waiting": 101}, "less than or equal to 100"),
        ({"agents": [{"user_id": "a", "skill": 11}]}, "less than or equal to 10"),
        ({"leave_key": "1", "call_back": {}}, "Support has 1 as leave_key and for call_back: take two keys"),
        ({"call_back": {"key": "#"}}, "should match pattern"),
        ({"call_back": {"attempts": 11}}, "less than or equal to 10"),
    ],
)
def test_a_queue_has_bounds(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CallQueue.model_validate({**QUEUE.model_dump(), **wrong})


def test_nobody_is_an_agent_of_more_queues_than_one_log_in_changes() -> None:
    many = [QUEUE.model_copy(update={"service_id": f"q{n}", "extension": f"6{n:02}"}) for n in range(17)]
    site(*many[:16])
    with pytest.raises(ValidationError, match="is an agent of 17 queues, at most 16 are allowed"):
        site(*many)


def test_whoever_makes_a_queue_that_nobody_answers_is_told() -> None:
    plan = DialPlan(voice_services=(QUEUE.model_copy(update={"agents": ()}),))
    assert any("Support has no agents" in one for one in review(plan, SITE.users))


def test_who_said_nothing_that_makes_sense_stands_as_the_queue_begins() -> None:
    assert presences(QUEUE, {}) == {USER.user_id: "out"}
    begun = QUEUE.model_copy(update={"begin_logged_in": True})
    assert presences(begun, {}) == {USER.user_id: "in"}
    key = agent_key("q", USER.user_id)
    for value, stands in (("paused", "paused"), ("out", "out"), ("away", "in"), (True, "in"), (None, "in")):
        record = StateRecord(key=key, value=value, stamp=Stamp(wall_ms=1, counter=0, node="e"))
        assert presences(begun, {key: record}) == {USER.user_id: stands}
