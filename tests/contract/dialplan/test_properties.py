"""What holds for every dial plan, drawn by Hypothesis from a small world in which things overlap."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.dialplan import Call, Outcome, Reject, Ring, SiteState, compile_plan, decide
from contract.dialplan.simulate import MAX_STEPS, simulate, unanswered
from contract.snapshot import (
    CallPattern,
    DialPattern,
    DialPlan,
    EmergencyRule,
    FindMe,
    Forwarding,
    HuntGroup,
    InternalRule,
    OutsideRule,
    Rule,
    Site,
    Snapshot,
)
from tests.contract.dialplan.office import CELL, FXO, HOURS, MORNING, PRI, user

NUMBERS = ("200", "201", "202", "203", "300", "301", "0123", "112", "555", "nobody")
IDS = ("u200", "u201", "u202", "u203")
STATUSES = (302, 403, 404, 408, 430, 480, 486, 500, 503, 600, 603)

numbers = st.sampled_from(NUMBERS)
maybe = st.none() | numbers
forwardings = st.builds(
    Forwarding,
    always=st.none() | st.none() | numbers,
    busy=maybe,
    no_answer=maybe,
    unregistered=maybe,
    find_me=st.lists(
        st.builds(FindMe, destination=numbers, order=st.sampled_from(["at_the_same_time", "if_no_response"])),
        max_size=2,
    ).map(tuple),
)
states = st.builds(
    SiteState,
    do_not_disturb=st.frozensets(st.sampled_from(IDS)),
    forwarding=st.dictionaries(st.sampled_from(IDS), forwardings),
    rotation=st.dictionaries(st.sampled_from(["g0", "g1"]), st.integers(0, 9)),
    last_call_ended=st.dictionaries(st.sampled_from(IDS), st.floats(0, 9)),
    gateways_down=st.frozensets(st.sampled_from(["pri", "fxo", "cell"])),
    no_second_call=st.frozensets(st.sampled_from(IDS)),
    no_anonymous=st.frozensets(st.sampled_from(IDS)),
    blocked=st.dictionaries(st.sampled_from(IDS), st.frozensets(st.sampled_from(["200", "201", "202", "203"]))),
)
calls = st.builds(Call, caller=st.sampled_from([*IDS, None, "gone"]), dialled=numbers | st.text(max_size=5))


@st.composite
def plans(draw: st.DrawFn) -> Snapshot:
    """A site with four users, two hunt groups and any rules."""
    patterns = st.builds(
        DialPattern, prefix=st.sampled_from(["", "0", "5", "55", "+"]), digits=st.none() | st.integers(0, 4)
    )
    rules: list[Rule] = [
        InternalRule(rule_id="internal"),
        EmergencyRule(rule_id="help", numbers=("112",), gateways=("pri",)),
    ]
    for number in range(draw(st.integers(0, 4))):
        content: dict[str, Any] = {
            "rule_id": f"r{number}",
            "name": f"Rule {number}",
            "enabled": draw(st.booleans()),
            "patterns": tuple(draw(st.lists(patterns, min_size=1, max_size=3))),
            "call": CallPattern(keep=draw(st.sampled_from(["all", "variable", "nothing"]))),
            "gateways": tuple(draw(st.permutations(["pri", "fxo", "cell"]))[: draw(st.integers(0, 3))]),
            "permissions": draw(st.sampled_from([(), ("LocalDialing",)])),
        }
        rules.append(OutsideRule(**content))
    members = st.lists(st.sampled_from(IDS), unique=True, max_size=4).map(tuple)
    groups = tuple(
        HuntGroup(
            group_id=f"g{number}",
            name=f"Group {number}",
            extension=f"30{number}",
            strategy=draw(st.sampled_from(["parallel", "serial", "round_robin", "longest_idle"])),
            members=draw(members),
            follow_forwarding=draw(st.booleans()),
            fallback=draw(maybe),
        )
        for number in range(2)
    )
    people = tuple(
        user(
            number,
            enabled=draw(st.booleans()),
            permissions=draw(st.sampled_from([(), ("LocalDialing",)])),
            forwarding=draw(forwardings),
        )
        for number in ("200", "201", "202", "203")
    )
    return Snapshot(
        version=1,
        site=Site(site_id="s", tenant_id="t", name="S", domain="demo.tandem.test", realm="r"),
        users=people,
        dial_plan=DialPlan(
            rules=tuple(draw(st.permutations(rules))), gateways=(PRI, FXO, CELL), schedules=(HOURS,), hunt_groups=groups
        ),
    )


@given(plans(), states, calls, st.lists(st.builds(Outcome, st.sampled_from(STATUSES), st.booleans()), max_size=60))
@settings(max_examples=300)
def test_every_call_ends_after_finitely_many_steps_whatever_their_outcomes(
    snapshot: Snapshot, state: SiteState, call: Call, outcomes: list[Outcome]
) -> None:
    plan, left = compile_plan(snapshot), iter(outcomes)
    walked = simulate(plan, state, call, MORNING, lambda _: next(left, Outcome(480)))
    assert len(walked.decisions) < MAX_STEPS
    assert isinstance(walked.decisions[-1].step, Reject)
    assert all(decision.reasons for decision in walked.decisions)


@given(plans(), states, st.sampled_from([*IDS, None, "gone"]))
def test_a_call_for_help_is_never_blocked(snapshot: Snapshot, state: SiteState, caller: str | None) -> None:
    step = decide(compile_plan(snapshot), state, Call(caller, "112"), (), MORNING).step
    assert isinstance(step, Ring)
    assert [(one.gateway_id, one.number, one.emergency) for one in step.numbers] == [("pri", "112", True)]


@given(plans(), states, numbers)
def test_a_caller_from_outside_reaches_nobody_outside_at_his_own_wish(
    snapshot: Snapshot, state: SiteState, dialled: str
) -> None:
    plan = compile_plan(snapshot)
    if dialled in plan.dialled or dialled in plan.groups or dialled == "112":
        return
    assert isinstance(decide(plan, state, Call(None, dialled), (), MORNING).step, Reject)


@given(plans(), states, calls)
def test_nobody_is_rung_who_is_disabled_or_twice_in_one_step(snapshot: Snapshot, state: SiteState, call: Call) -> None:
    plan = compile_plan(snapshot)
    for decision in simulate(plan, state, call, MORNING, unanswered(frozenset(IDS))).decisions:
        if isinstance(decision.step, Ring):
            assert len(set(decision.step.user_ids)) == len(decision.step.user_ids)
            assert all(plan.users[user_id].enabled for user_id in decision.step.user_ids)
            assert not state.do_not_disturb.intersection(decision.step.user_ids)
