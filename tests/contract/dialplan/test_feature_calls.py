"""Calls placed by a feature code: speed dials, call return, caller ID, intercom, pickup; and whom users do not want."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dialplan import (
    Call,
    Change,
    CompiledPlan,
    Outcome,
    Pickup,
    Reject,
    Ring,
    Service,
    SiteState,
    Step,
    decide,
)
from contract.dialplan.callers import Names, is_among, plain
from contract.dialplan.feature_calls import INTERCOM_SECONDS
from contract.dialplan.simulate import simulate, unanswered
from contract.dialplan.site_state import site_state
from contract.dialplan.steps import Diversion
from contract.snapshot import (
    CallQueue,
    EmergencyRule,
    Feature,
    FeatureRule,
    FindMe,
    Forwarding,
    HuntGroup,
    InternalRule,
    PhonebookEntry,
    PickupGroup,
    QueueAgent,
    Screening,
    SpeedDial,
    VoicemailRule,
)
from contract.sync.state import Stamp, StateRecord
from tests.contract.dialplan.office import ALL, GROUPS, MORNING, OFFICE, forwards, office, outside, user

CODES: tuple[tuple[str, Feature, str | None], ...] = (
    ("*0", "speed_dial", None),
    ("*13", "queue_log_in", None),
    ("*14", "queue_log_out", None),
    ("*15", "queue_pause", None),
    ("*16", "queue_listen", None),
    ("*18", "queue_barge", None),
    ("*4", "park_retrieve", None),
    ("*57", "call_back_off", None),
    ("*58", "call_back", None),
    ("*50", "set_speed_dial", None),
    ("*51", "anonymous_rejection_on", None),
    ("*54", "call_waiting_off", None),
    ("*56", "intercom_off", None),
    ("*62", "block_number", None),
    ("*63", "unblock_number", None),
    ("*64", "block_last_caller", None),
    ("*65", "show_caller_id", None),
    ("*67", "hide_caller_id", None),
    ("*69", "call_return", None),
    ("*72", "forward_always", None),
    ("*76", "intercom", "Intercom"),
    ("*78", "pickup", "CallPickup"),
    ("*79", "group_pickup", None),
)
OUT = outside("Out", "custom", ("0", None), ("+", None), permissions=("LocalDialing",), gateways=("pri",))
PLAN_PARTS: dict[str, Any] = {
    "rules": (
        *(FeatureRule(rule_id=f, name=f, code=code, feature=f, permission=may) for code, f, may in CODES),
        VoicemailRule(rule_id="vm", code="101", prefix="8"),
        EmergencyRule(rule_id="help", numbers=("112",), prefix="0", gateways=("pri",)),
        InternalRule(rule_id="internal"),
        OUT,
    ),
    "users": (
        user("200", permissions=(*ALL, "Intercom", "CallPickup"), aliases=("front",)),
        user("201"),
        user("202", enabled=False),
        user("203"),
        user("204", permissions=ALL, anonymous=True),
        user("205"),
    ),
    "speed_dials": (SpeedDial(slot="1", destination="201"), SpeedDial(slot="9", destination="0791112233")),
    "pickup_groups": (
        PickupGroup(group_id="p", name="Front", members=("u200", "u201", "u203")),
        PickupGroup(group_id="q", name="Back", members=("u200", "u205")),
    ),
}
PLAN = office(**PLAN_PARTS)


def first(
    dialled: str, caller: str | None = "u200", state: SiteState | None = None, plan: CompiledPlan = PLAN, **call: Any
) -> Step:
    """The first step of a call."""
    return decide(plan, state or SiteState(), Call(caller, dialled, **call), (), MORNING).step


def codes(dialled: str, caller: str | None = "u200", state: SiteState | None = None, **call: Any) -> list[str]:
    """The codes of all reasons of a call that nobody answers."""
    made = Call(caller, dialled, **call)
    walked = simulate(PLAN, state or SiteState(), made, MORNING, unanswered(frozenset()))
    return [reason.code for decision in walked.decisions for reason in decision.reasons]


# -- speed dials


def test_a_speed_dial_is_the_users_own_before_the_sites() -> None:
    own = SiteState(speed_dials={"u200": {"1": SpeedDial(slot="1", destination="203")}})
    assert first("*01") == Ring(("u201",))
    assert first("*01", state=own) == Ring(("u203",))
    assert first("*01", "u205", own) == Ring(("u201",))
    assert codes("*07") == ["feature", "speed_dial_empty"]


def test_a_speed_dial_gives_no_permission() -> None:
    found = first("*09", "u205")
    assert found == Reject(403, "Forbidden")
    called = first("*09")
    assert isinstance(called, Ring)
    assert called.numbers[0].number == "0791112233"


def test_a_speed_dial_that_leads_to_itself_ends() -> None:
    state = SiteState(speed_dials={"u200": {"5": SpeedDial(slot="5", destination="*05")}})
    assert first("*05", state=state) == Reject(482, "Loop Detected")


@pytest.mark.parametrize(
    ("dialled", "value"),
    [
        ("*507*201", '{"slot":"7","destination":"201","name":""}'),
        ("*5007*+41791112233", '{"slot":"07","destination":"+41791112233","name":""}'),
        ("*507", False),
    ],
)
def test_a_speed_dial_is_kept_and_emptied_by_its_code(dialled: str, value: str | bool) -> None:
    found = first(dialled)
    slot = "07" if "*5007" in dialled else "7"
    assert found == Change("u200", ((f"speed_dial/{slot}", value),))


@pytest.mark.parametrize("dialled", ["*50", "*50123*201", "*507*", "*50*201"])
def test_what_is_no_speed_dial_is_declined(dialled: str) -> None:
    assert first(dialled) == Service("declined")


# -- caller ID, call return


def test_a_caller_hides_for_one_call_inside_and_outside() -> None:
    assert first("*67201") == Ring(("u201",), hidden=True)
    called = first("*670791112233")
    assert isinstance(called, Ring)
    assert called.numbers[0].anonymous
    assert codes("*67") == ["feature", "incomplete"]


def test_who_usually_hides_shows_himself_for_one_call() -> None:
    usual, shown = first("0791112233", "u204"), first("*650791112233", "u204")
    assert isinstance(usual, Ring)
    assert usual.numbers[0].anonymous
    assert isinstance(shown, Ring)
    assert not shown.numbers[0].anonymous


def test_a_gateway_that_blocks_the_caller_id_is_not_talked_out_of_it() -> None:
    plan = office(
        **{**PLAN_PARTS, "rules": (*PLAN_PARTS["rules"][:-1], OUT.model_copy(update={"gateways": ("cell",)}))}
    )
    called = first("*650791112233", plan=plan)
    assert isinstance(called, Ring)
    assert called.numbers[0].anonymous


def test_help_is_called_behind_any_code_that_calls() -> None:
    state = SiteState(speed_dials={"u200": {"5": SpeedDial(slot="5", destination="112")}})
    for dialled in ("*67112", "*65112", "*670112", "*05"):
        step = first(dialled, state=state)
        assert isinstance(step, Ring)
        assert step.numbers[0].emergency
        assert not step.numbers[0].anonymous


@pytest.mark.parametrize(
    ("last", "called"),
    [("201", "u201"), ("front", None), ("+41791112233", "+41791112233"), ("441112233", "0441112233")],
)
def test_the_last_caller_is_called_as_the_site_dials(last: str, called: str | None) -> None:
    step = first("*69", state=SiteState(last_caller={"u200": last}))
    assert isinstance(step, Ring)
    if called is not None:
        assert (*step.user_ids, *(one.number for one in step.numbers)) == (called,)


@pytest.mark.parametrize("last", ["", "anonymous", "*72201", "201;x", "+", "*09"])
def test_a_last_caller_who_shows_no_number_is_not_dialled(last: str) -> None:
    """Above all: what somebody outside calls himself works no feature code of the one who calls back."""
    assert codes("*69", state=SiteState(last_caller={"u200": last})) == ["feature", "no_last_caller"]


# -- hot desks


def test_a_phone_is_lent_to_who_may_log_in_elsewhere() -> None:
    guest = user("205", permissions=("HotDesking",))
    rules = (FeatureRule(rule_id="in", name="In", code="*11", feature="hot_desk"), InternalRule(rule_id="internal"))
    plan = office(rules=rules, users=(user("200"), user("201"), guest), hunt_groups=())
    told = (("line", "l-200"), ("host", "u200"), ("hours", "12"))
    asked: dict[str, Any] = {"plan": plan, "line_id": "l-200", "host": "u200"}
    assert first("*11205", **asked) == Service("hot_desk", (*told, ("user", "u205")))
    assert first("*11", **asked) == Service("hot_desk", told)
    assert first("*11201", **asked) == Reject(403, "Forbidden")
    assert first("*11205", plan=plan) == Reject(403, "Forbidden")


# -- who is not wanted


@pytest.mark.parametrize("number", ["+41791112233", "0791112233", "0041791112233", "791112233"])
def test_a_blocked_number_is_known_however_it_is_written(number: str) -> None:
    state = SiteState(blocked={"u201": frozenset({plain("+41791112233")})})
    assert first("201", None, state, gateway_id="pri", number=number) == Reject(603, "Decline")
    assert first("201", None, state, gateway_id="pri", number="0791112234") == Ring(("u201",))


def test_short_numbers_are_told_apart() -> None:
    assert is_among("201", {"201"})
    assert not is_among("1201", {"201"})
    assert not is_among("", {""})


def test_a_colleague_is_blocked_by_any_of_his_names() -> None:
    for name in ("200", "front"):
        state = SiteState(blocked={"u201": frozenset({name})})
        assert first("201", state=state) == Reject(603, "Decline")


def test_a_group_and_a_find_me_place_leave_out_who_does_not_want_the_caller() -> None:
    state = SiteState(blocked={"u201": frozenset({"200"})})
    step = first("300", state=state)
    assert isinstance(step, Ring)
    assert "u201" not in step.user_ids
    places = Forwarding(find_me=(FindMe(destination="201", order="at_the_same_time"),))
    step = first("203", state=replace(state, forwarding={"u203": places}))
    assert isinstance(step, Ring)
    assert step.user_ids == ("u203",)


def test_who_is_not_named_is_rejected_by_who_wants_so() -> None:
    state = SiteState(no_anonymous=frozenset({"u201"}))
    assert first("201", None, state, gateway_id="pri", anonymous=True) == Reject(433, "Anonymity Disallowed")
    assert first("201", None, state, gateway_id="pri", number="079") == Ring(("u201",))
    assert first("203", None, state, gateway_id="pri", anonymous=True) == Ring(("u203",))
    assert first("*67201", state=state) == Reject(433, "Anonymity Disallowed")


def test_the_site_screens_what_gateways_bring() -> None:
    screening = Screening(reject_anonymous=True, blocked=("+41791112233",))
    plan = office(**PLAN_PARTS, screening=screening)
    assert first("201", None, plan=plan, gateway_id="pri", anonymous=True) == Reject(433, "Anonymity Disallowed")
    assert first("201", None, plan=plan, gateway_id="pri", number="0791112233") == Reject(603, "Decline")
    assert first("201", plan=plan, anonymous=True) == Ring(("u201",))
    step = first("112", None, plan=plan, gateway_id="pri", anonymous=True)
    assert isinstance(step, Ring)
    assert step.numbers[0].emergency


@pytest.mark.parametrize(
    ("dialled", "values"),
    [
        ("*62+41791112233", (("blocked/41791112233", True),)),
        ("*63+41791112233", (("blocked/41791112233", False),)),
        ("*64", (("blocked/791112233", True),)),
        ("*51", (("no_anonymous", True),)),
        ("*54", (("no_second_call", True),)),
        ("*56", (("no_intercom", True),)),
    ],
)
def test_whom_a_user_wants_is_set_by_codes(dialled: str, values: tuple[tuple[str, str | bool], ...]) -> None:
    assert first(dialled, state=SiteState(last_caller={"u200": "0791112233"})) == Change("u200", values)


@pytest.mark.parametrize("dialled", ["*62", "*620", "*64", "*511"])
def test_nobody_in_particular_is_not_blocked(dialled: str) -> None:
    assert first(dialled) == Service("declined")


def test_a_second_call_is_busy_for_who_wants_none() -> None:
    state = SiteState(no_second_call=frozenset({"u201"}), in_call=frozenset({"u201", "u203"}))
    assert first("201", state=state) == Reject(486, "Busy Here")
    assert first("203", state=state) == Ring(("u203",))
    onward = replace(state, forwarding={"u201": Forwarding(busy="205")})
    assert first("201", state=onward) == Ring(("u205",), diversions=(Diversion("201", "user-busy"),))


def test_a_number_is_named_by_all_of_it_or_by_its_end_where_that_leaves_no_doubt() -> None:
    def entry(name: str, *numbers: str) -> PhonebookEntry:
        return PhonebookEntry(entry_id=name, name=name, numbers=numbers)

    names = Names(
        [
            entry("plumber", "+41791112233", "0441112233"),
            entry("short", "2233"),
            entry("one", "+41794445566"),
            entry("two", "+49794445566"),
            entry("first", "0800123456"),
            entry("second", "0800123456"),
        ]
    )
    known = {"0791112233": "plumber", "0041791112233": "plumber", "2233": "short", "12233": "", "": "", "0": ""}
    known |= {"0794445566": "", "+41794445566": "one", "0800123456": ""}
    assert {number: names.of(number) for number in known} == known


# -- intercom


def test_an_intercom_call_is_answered_by_the_phone_itself_and_goes_nowhere_else() -> None:
    assert first("*76201") == Ring(("u201",), (), INTERCOM_SECONDS, answered_at_once=True)
    assert codes("*76201", state=forwards("201", no_answer="205")) == ["feature", "intercom", "exhausted"]


@pytest.mark.parametrize(
    ("dialled", "caller", "state", "why"),
    [
        ("*76201", "u205", SiteState(), "permission_missing"),
        ("*76201", "u200", SiteState(no_intercom=frozenset({"u201"})), "intercom_off"),
        ("*76201", "u200", SiteState(do_not_disturb=frozenset({"u201"})), "unwanted"),
        ("*76202", "u200", SiteState(), "no_user"),
        ("*76200", "u200", SiteState(), "no_user"),
        ("*76300", "u200", SiteState(), "no_user"),
        ("*760791112233", "u200", SiteState(), "no_user"),
    ],
)
def test_nobody_is_listened_to_against_his_will(dialled: str, caller: str, state: SiteState, why: str) -> None:
    assert codes(dialled, caller, state) == ["feature", why]


# -- pickup


def test_what_rings_at_a_user_or_a_group_is_picked_up() -> None:
    assert first("*78201") == Pickup(("u201",))
    assert first("*78300") == Pickup(("u201", "u203"))
    assert first("*79") == Pickup(("u201", "u203", "u205"))
    assert first("*79", "u201") == Pickup(("u200", "u203"))


@pytest.mark.parametrize(
    ("dialled", "caller", "why"),
    [
        ("*78201", "u205", "permission_missing"),
        ("*78", "u200", "no_user"),
        ("*78999", "u200", "no_user"),
        ("*79", "u204", "no_pickup_group"),
        ("*791", "u200", "no_pickup_group"),
    ],
)
def test_a_pickup_is_refused_with_its_reason(dialled: str, caller: str, why: str) -> None:
    assert codes(dialled, caller) == ["feature", why]


def test_features_are_nobodys_but_the_callers_own() -> None:
    for feature in ("*0", "*62", "*67201", "*69", "*76201", "*78201", "*79"):
        assert first(feature, None, gateway_id="pri") == Reject(403, "Forbidden")
        assert first("203", state=forwards("203", always=feature)) == Reject(403, "Forbidden")


# -- voicemail

MAILBOXES = office(
    **{
        **PLAN_PARTS,
        "users": tuple(
            one.model_copy(update={"permissions": (*one.permissions, "Voicemail")}) if one.extension != "205" else one
            for one in PLAN_PARTS["users"]
        ),
    },
    hunt_groups=(
        HuntGroup(
            group_id="desk", name="Desk", extension="500", members=("u201",), strategy="serial", follow_forwarding=True
        ),
    ),
)


def arguments(dialled: str, caller: str | None = "u200", state: SiteState | None = None) -> dict[str, str]:
    """What the voicemail is told."""
    step = first(dialled, caller, state, MAILBOXES)
    assert isinstance(step, Service)
    assert step.name == "voicemail"
    return dict(step.arguments)


def test_the_voicemail_is_told_whose_mailbox_is_meant_and_why() -> None:
    assert arguments("101") == {"action": "retrieve", "mailbox": "200"}
    assert arguments("8201") == {"action": "deposit", "mailbox": "201"}
    assert arguments("8front") == {"action": "deposit", "mailbox": "200"}
    forwarded = forwards("203", always="101")
    assert arguments("203", "u200", forwarded) == {"action": "deposit", "mailbox": "203", "cause": "302"}
    assert arguments("203", None, forwarded) == {"action": "deposit", "mailbox": "203", "cause": "302"}


def unanswered_call(dialled: str, status: int = 408, *, reached: bool = True, **state: Any) -> Service | Reject | Ring:
    """Where a call goes on to that nobody answered."""
    made = Call("u204", dialled)
    ringing = decide(MAILBOXES, SiteState(**state), made, (), MORNING)
    assert isinstance(ringing.step, Ring)
    found = decide(MAILBOXES, SiteState(**state), made, (Outcome(status, reached=reached),), MORNING).step
    assert isinstance(found, Service | Reject | Ring)
    return found


@pytest.mark.parametrize(
    ("status", "reached", "cause", "reason"),
    [(408, True, "408", "no-answer"), (486, True, "486", "user-busy"), (480, False, "503", "unavailable")],
)
def test_calls_that_a_user_does_not_take_and_sends_nowhere_come_to_the_mailbox(
    status: int, reached: bool, cause: str, reason: str
) -> None:
    step = unanswered_call("201", status, reached=reached)
    assert isinstance(step, Service)
    assert dict(step.arguments) == {"action": "deposit", "mailbox": "201", "cause": cause}
    assert [(one.name, one.reason) for one in step.diversions] == [("201", reason)]
    # The phone rings for as long as the user wants, and not for as long as the caller waits.
    assert decide(MAILBOXES, SiteState(), Call("u204", "201"), (), MORNING).step == Ring(("u201",), seconds=20)
    assert arguments("201", "u204", SiteState(do_not_disturb=frozenset({"u201"})))["cause"] == "486"


def test_a_mailbox_takes_no_call_that_was_declined_sent_elsewhere_or_meant_for_a_group() -> None:
    assert isinstance(unanswered_call("201", 603), Reject)
    assert isinstance(unanswered_call("500"), Reject)
    elsewhere: dict[str, Any] = {"forwarding": {"u201": Forwarding(no_answer="205")}}
    assert unanswered_call("201", **elsewhere) == Ring(
        ("u205",), diversions=(Diversion("201", "no-answer"),), seconds=None
    )


def test_where_the_voicemail_is_not_there_the_caller_hears_what_became_of_the_ringing() -> None:
    made = Call("u204", "201")
    outcomes = (Outcome(486, reached=True), Outcome(503, reached=False))
    assert decide(MAILBOXES, SiteState(), made, outcomes, MORNING).step == Reject(486, "Busy Here")


def test_who_has_no_mailbox_has_none_and_other_numbers_are_not_taken() -> None:
    assert codes("8205") == ["no_mailbox"]
    assert codes("101", "u205") == ["no_mailbox"]
    assert codes("101", None) == ["no_mailbox"]
    assert codes("8999") == ["no_rule"]


# -- the way of a call that was sent on


def test_a_call_that_is_sent_on_tells_every_stage_of_its_way() -> None:
    state = SiteState(
        forwarding={"u201": Forwarding(always="203"), "u203": Forwarding(busy="0791112233")},
        do_not_disturb=frozenset({"u203"}),
    )
    plan = office(**{**PLAN_PARTS, "users": (*PLAN_PARTS["users"][:3], user("203", permissions=ALL), user("205"))})
    step = first("201", state=state, plan=plan)
    assert isinstance(step, Ring)
    assert step.diversions == (Diversion("201", "unconditional"), Diversion("203", "do-not-disturb"))


def test_a_serial_group_that_follows_forwards_tells_of_none_that_is_over() -> None:
    group = GROUPS[6].model_copy(update={"members": ("u203", "u201")})
    plan = office(**PLAN_PARTS, hunt_groups=(group,))
    state = forwards("203", always="205")
    steps = [decide(plan, state, Call("u200", "306"), [Outcome(480)] * count, MORNING).step for count in range(2)]
    assert steps == [Ring(("u205",), diversions=(Diversion("203", "unconditional"),)), Ring(("u201",))]


# -- every feature ends


@given(
    st.sampled_from([code for code, _, _ in CODES]),
    st.text("0123456789*+", max_size=6),
    st.sampled_from(["u200", "u201", "u205", None]),
    st.sampled_from(["", "201", "*69", "*05", "+41791112233"]),
)
def test_whatever_is_dialled_behind_a_code_the_call_ends(code: str, behind: str, caller: str | None, last: str) -> None:
    dials = {"u200": {"5": SpeedDial(slot="5", destination="*05"), "6": SpeedDial(slot="6", destination="*67*69")}}
    state = SiteState(speed_dials=dials, last_caller={"u200": last})
    walked = simulate(PLAN, state, Call(caller, code + behind), MORNING, unanswered(frozenset({"u201"})))
    assert isinstance(walked.decisions[-1].step, Reject)


UNTIL = str(int(MORNING.timestamp()) + 30 * 60)


def call_back_change(dialled: str, state: SiteState) -> Step:
    """The first step of what 200 dials."""
    return decide(PLAN, state, Call("u200", dialled), (), MORNING).step


def test_who_was_not_reached_is_waited_for_by_a_code_and_by_name() -> None:
    wanted = Change("u200", (("call_back/u201", UNTIL),))
    assert call_back_change("*58", SiteState(last_unreached={"u200": "u201"})) == wanted
    assert call_back_change("*58201", SiteState()) == wanted


@pytest.mark.parametrize("dialled", ["*58", "*58200", "*58202", "*58999", "*57", "*57201"])
def test_nobody_waits_for_himself_or_for_nobody(dialled: str) -> None:
    assert call_back_change(dialled, SiteState()) == Service("declined")


def test_a_user_waits_for_five_at_most_and_for_one_of_them_again() -> None:
    later = MORNING.timestamp() + 60
    full = SiteState(call_backs={"u200": {f"x{number}": later for number in range(4)} | {"u201": later}})
    assert call_back_change("*58203", full) == Service("declined")
    assert call_back_change("*58201", full) == Change("u200", (("call_back/u201", UNTIL),))
    over = SiteState(call_backs={"u200": {f"x{number}": later - 61 for number in range(5)}})
    assert call_back_change("*58203", over) == Change("u200", (("call_back/u203", UNTIL),))


def test_call_backs_are_cancelled_one_by_one_or_all() -> None:
    later = MORNING.timestamp() + 60
    state = SiteState(call_backs={"u200": {"u201": later, "u203": later}})
    assert call_back_change("*57203", state) == Change("u200", (("call_back/u203", False),))
    assert call_back_change("*57", state) == Change("u200", (("call_back/u201", False), ("call_back/u203", False)))


def test_whoever_waits_in_an_orbit_is_taken_up_by_the_code() -> None:
    plan = replace(PLAN, services=OFFICE.services)
    step = decide(plan, SiteState(), Call("u201", "*4392"), (), MORNING).step
    told = (("service", "park"), ("orbit", "392"), ("action", "retrieve"), ("user", "u201"))
    assert step == Service("park", told)
    for wrong in ("*4", "*4390", "*4200"):
        assert decide(plan, SiteState(), Call("u201", wrong), (), MORNING).step == Reject(404, "Not Found")


# -- call queues

AGENTS = (QueueAgent(user_id="u201"), QueueAgent(user_id="u203"))
QUEUED = office(
    **PLAN_PARTS,
    voice_services=(
        CallQueue(service_id="one", name="One", extension="395", agents=AGENTS, supervisors=("u200",)),
        CallQueue(service_id="two", name="Two", extension="396", agents=AGENTS[:1], begin_logged_in=True),
        CallQueue(service_id="off", name="Off", extension="397", agents=AGENTS, enabled=False),
    ),
)


@pytest.mark.parametrize(
    ("dialled", "values"),
    [
        ("*13", {"queue_agent/one": "in", "queue_agent/two": "in"}),
        ("*13395", {"queue_agent/one": "in"}),
        ("*14396", {"queue_agent/two": "out"}),
        ("*15", {"queue_agent/two": "paused"}),
        ("*15395", {}),
        ("*13397", {}),
        ("*13999", {}),
    ],
)
def test_an_agent_logs_in_out_and_pauses_at_all_queues_or_at_one(dialled: str, values: dict[str, str]) -> None:
    step = first(dialled, "u201", plan=QUEUED)
    assert step == (Change("u201", tuple(values.items())) if values else Service("declined"))


def test_who_logged_in_may_pause_and_who_is_no_agent_changes_nothing() -> None:
    state = SiteState(queue_agents={"u203": {"one": "in"}})
    assert first("*15", "u203", state, QUEUED) == Change("u203", (("queue_agent/one", "paused"),))
    assert first("*15", "u203", plan=QUEUED) == Service("declined")
    assert first("*13", "u205", plan=QUEUED) == Service("declined")


def test_a_supervisor_attends_the_calls_of_the_agents_of_his_queues_and_nobody_else_does() -> None:
    told = (("service", "one"), ("action", "listen"), ("agent", "u203"))
    assert first("*16203", plan=QUEUED) == Service("queue", told)
    assert first("*18203", plan=QUEUED) == Service("queue", (told[0], ("action", "barge"), told[2]))
    for dialled, caller in (("*16203", "u201"), ("*16205", "u200"), ("*16", "u200"), ("*16300", "u200")):
        assert first(dialled, caller, plan=QUEUED) == Reject(403, "Forbidden")


def test_how_agents_stand_is_read_from_the_sites_state() -> None:
    values = {"queue_agent/one/u201": "paused", "queue_agent/two/u201": "away", "queue_agent/one/nobody": "in"}
    stamp = Stamp(wall_ms=1, counter=0, node="n")
    records = [StateRecord(key=key, value=value, stamp=stamp) for key, value in values.items()]
    assert site_state(records, QUEUED.users).queue_agents == {"u201": {"one": "paused"}}
