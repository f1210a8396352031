"""Where an attendant sends callers: with its own permissions, whoever calls."""

from datetime import UTC, datetime

import pytest

from contract.dialplan import Call, Outcome, Reject, Ring, Service, SiteState, decide
from contract.dialplan.compiled import CompiledPlan
from contract.snapshot import Attendant, AttendantMenu, FeatureRule, VoicemailRule
from tests.contract.dialplan.office import MORNING, RULES, office, said

MENU = AttendantMenu(menu_id="main", name="Main")
BARE = Attendant(service_id="bare", name="Bare", extension="390", menus=(MENU,), first_menu="main")
GRANTED = BARE.model_copy(
    update={"service_id": "granted", "extension": "391", "permissions": ("LocalDialing", "Voicemail")}
)
OFF = BARE.model_copy(update={"service_id": "off", "extension": "392", "enabled": False})
PLAN = office(
    voice_services=(BARE, GRANTED, OFF),
    rules=(
        *RULES,
        VoicemailRule(rule_id="mail", code="*97", prefix="*98"),
        FeatureRule(rule_id="fwd", name="Forward", code="*72", feature="forward_always"),
    ),
)


def sent(service: str, dialled: str, caller: str | None = None, plan: CompiledPlan = PLAN) -> str:
    return said(decide(plan, SiteState(), Call(caller, dialled, service=service), (), MORNING).step)


@pytest.mark.parametrize("caller", [None, "u200", "u201"])
@pytest.mark.parametrize(
    ("service", "dialled", "reached"),
    [
        ("bare", "201", "201"),
        ("bare", "300", "200+201+203/30"),
        ("bare", "390", "attendant"),
        ("bare", "01234567", "403"),
        ("bare", "00791234567", "403"),
        ("granted", "01234567", "pri:0441234567"),
        ("granted", "00791234567", "403"),
        ("granted", "*72201", "403"),
        ("granted", "*97", "404"),
        ("bare", "*98201", "404"),
        ("bare", "*99", "403"),
        ("off", "201", "403"),
        ("gone", "201", "403"),
        ("bare", "112", "pri:112"),
    ],
)
def test_an_attendant_dials_by_its_own_permissions_whoever_called_it(
    caller: str | None, service: str, dialled: str, reached: str
) -> None:
    assert sent(service, dialled, caller) == reached


def test_why_is_told() -> None:
    decision = decide(PLAN, SiteState(), Call(None, "01234567", service="bare"), (), MORNING)
    assert decision.step == Reject(403, "Forbidden")
    assert decision.reasons[0].text == "Bare sends the caller on to 01234567"
    assert "390 lacks the permission" in decision.reasons[-1].text


def test_an_attendant_is_told_which_user_calls_and_of_nobody_else() -> None:
    moment = datetime(2026, 11, 26, 10, tzinfo=UTC)
    inside = decide(PLAN, SiteState(), Call("u201", "390"), (), moment).step
    assert inside == Service("attendant", (("service", "bare"), ("user", "u201")))
    outside = decide(PLAN, SiteState(), Call(None, "390", gateway_id="pri", number="u201"), (), moment).step
    assert outside == Service("attendant", (("service", "bare"),))


def test_a_user_who_is_not_reached_by_an_attendant_is_left_as_always() -> None:
    decision = decide(PLAN, SiteState(), Call(None, "201", service="bare"), (Outcome(486),), MORNING)
    assert isinstance(decision.step, Reject | Service | Ring)
    assert said(decision.step) == "486"
