"""Whom a queue calls back: users of the site, and lines that its own permissions allow; nothing else."""

import pytest

from contract.dialplan import Call, CompiledPlan, SiteState, call_back_number, decide
from contract.snapshot import CallBackOffer, CallQueue, FeatureRule, VoicemailRule
from contract.snapshot.dial_plan import SiteToSiteRule
from tests.contract.dialplan.office import MORNING, RULES, SERVICES, office, said

BARE = CallQueue(service_id="bare", name="Bare", extension="600", call_back=CallBackOffer())
LOCAL = BARE.model_copy(
    update={
        "service_id": "local",
        "extension": "601",
        "call_back": CallBackOffer(permissions=("LocalDialing", "Voicemail")),
    }
)
SILENT = BARE.model_copy(update={"service_id": "mute", "extension": "602", "call_back": None})
OFF = LOCAL.model_copy(update={"service_id": "off", "extension": "603", "enabled": False})
PLAN = office(
    voice_services=(*SERVICES, BARE, LOCAL, SILENT, OFF),
    rules=(
        *RULES,
        VoicemailRule(rule_id="mail", code="*97", prefix="*98"),
        FeatureRule(rule_id="fwd", name="Forward", code="*72", feature="forward_always"),
        SiteToSiteRule(rule_id="sites", name="Sites"),
    ),
)


def called(queue: str, dialled: str, plan: CompiledPlan = PLAN, state: SiteState | None = None) -> str:
    asked = Call(None, dialled, phones="call_back", service=queue)
    return said(decide(plan, state or SiteState(), asked, (), MORNING).step)


@pytest.mark.parametrize(
    ("queue", "dialled", "reached"),
    [
        ("bare", "201", "201"),
        ("bare", "front", "200"),
        ("bare", "202", "404"),
        ("bare", "01234567", "403"),
        ("local", "01234567", "pri:0441234567"),
        ("local", "00791234567", "403"),
        ("local", "00901234", "403"),
        ("local", "000123456789", "403"),
        ("local", "112", "403"),
        ("local", "0112", "403"),
        ("local", "300", "404"),
        ("local", "380", "404"),
        ("local", "601", "404"),
        ("local", "*97", "404"),
        ("local", "*98201", "404"),
        ("local", "*72201", "404"),
        ("local", "*99", "404"),
        ("local", "", "404"),
        ("mute", "01234567", "403"),
        ("off", "01234567", "403"),
        ("gone", "01234567", "403"),
    ],
)
def test_a_queue_calls_users_and_what_it_may_and_nothing_else(queue: str, dialled: str, reached: str) -> None:
    assert called(queue, dialled) == reached


def test_a_user_who_is_called_back_has_his_own_phones_ring_wherever_he_has_calls_sent() -> None:
    state = SiteState(do_not_disturb=frozenset({"u201"}))
    assert called("bare", "201", state=state) == "486"


@pytest.mark.parametrize(
    ("queue", "shown", "dialled"),
    [
        ("bare", "201", "201"),
        ("bare", "front", "front"),
        ("bare", "202", None),
        ("local", "1234567", "01234567"),
        ("local", "01234567", "01234567"),
        ("local", "+41791234567", None),
        ("local", "112", None),
        ("local", "300", None),
        ("bare", "1234567", None),
        ("mute", "01234567", None),
        ("local", "", None),
    ],
)
def test_whether_a_number_may_be_called_back_is_known_when_it_is_promised(
    queue: str, shown: str, dialled: str | None
) -> None:
    assert call_back_number(PLAN, queue, shown, MORNING) == dialled
