"""The dial plan says where a call goes, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dialplan import Call, Decision, Outcome, Reject, Ring, Service, SiteState, compile_plan, decide
from contract.snapshot import DialPlan, Snapshot
from tests.support.example_site import ECHO, INTERNAL, NOON, RECEPTION, WORKSHOP, small_site, snapshots

FREE = SiteState()


def asked(
    snapshot: Snapshot,
    dialled: str,
    caller: str | None = "user-200",
    state: SiteState = FREE,
    outcomes: tuple[int, ...] = (),
) -> Decision:
    return decide(compile_plan(snapshot), state, Call(caller, dialled), [Outcome(status) for status in outcomes], NOON)


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


@pytest.mark.parametrize("dialled", ["201", "workshop"])
def test_an_extension_or_user_name_rings_its_user(dialled: str) -> None:
    decision = asked(small_site(), dialled)
    assert decision.step == Ring(("user-201",))
    assert codes(decision) == ["internal", "ring"]


def test_an_alias_rings_its_user() -> None:
    assert asked(small_site(), "front", caller="user-201").step == Ring(("user-200",))


def test_a_number_that_no_rule_knows_is_not_found_and_the_reason_names_it() -> None:
    decision = asked(small_site(), "555")
    assert decision.step == Reject(404, "Not Found")
    assert "555" in decision.reasons[0].text


def test_a_feature_code_leads_to_its_service() -> None:
    assert asked(small_site(), "*99").step == Service("echo_test")


@pytest.mark.parametrize(
    ("caller", "code"), [("user-200", "service"), ("user-201", "permission_missing"), (None, "permission_missing")]
)
def test_a_service_with_a_permission_is_for_those_who_have_it(caller: str | None, code: str) -> None:
    guarded = DialPlan(rules=(INTERNAL, ECHO.model_copy(update={"permission": "EchoTest"})))
    assert codes(asked(small_site(dial_plan=guarded), "*99", caller))[-1] == code


def test_a_disabled_caller_is_forbidden() -> None:
    disabled = small_site(users=(RECEPTION.model_copy(update={"enabled": False}), WORKSHOP))
    assert asked(disabled, "201").step == Reject(403, "Forbidden")


def test_a_disabled_user_is_not_found() -> None:
    disabled = small_site(users=(RECEPTION, WORKSHOP.model_copy(update={"enabled": False})))
    assert asked(disabled, "201").step == Reject(404, "Not Found")


def test_do_not_disturb_is_answered_busy() -> None:
    decision = asked(small_site(), "201", state=SiteState(do_not_disturb=frozenset({"user-201"})))
    assert decision.step == Reject(486, "Busy Here")
    assert "do_not_disturb" in codes(decision)


def test_a_disabled_rule_matches_nothing() -> None:
    off = DialPlan(rules=(INTERNAL.model_copy(update={"enabled": False}), ECHO))
    assert asked(small_site(dial_plan=off), "201").step == Reject(404, "Not Found")


@pytest.mark.parametrize("dialled", ["201", "*99"])
def test_when_nothing_is_left_the_last_outcome_stands(dialled: str) -> None:
    decision = asked(small_site(), dialled, outcomes=(480,))
    assert decision.step == Reject(480, "")
    assert codes(decision)[-1] == "exhausted"


@given(snapshots(), st.text(max_size=6), st.sampled_from([None, "u0", "u1", "nobody"]))
def test_every_call_gets_a_step_with_a_reason(snapshot: Snapshot, dialled: str, caller: str | None) -> None:
    assert asked(snapshot, dialled, caller).reasons
