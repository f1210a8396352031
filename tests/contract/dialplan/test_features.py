"""Feature codes: what users change by dialling."""

import pytest
from pydantic import ValidationError

from contract.dialplan import Call, Change, CompiledPlan, Outcome, Reject, Ring, Service, SiteState, Step, decide
from contract.dialplan.review import review
from contract.snapshot import DialPlan, Feature, FeatureRule, InternalRule, ServiceRule, Snapshot
from tests.contract.dialplan.office import MORNING, USERS, forwards, office, outside

CODES: tuple[tuple[str, Feature], ...] = (
    ("*72", "forward_always"),
    ("*73", "forward_off"),
    ("*74", "forward_busy"),
    ("*75", "forward_no_answer"),
    ("*71", "forward_unregistered"),
    ("*60", "do_not_disturb_on"),
    ("*61", "do_not_disturb_off"),
)
RULES = (
    *(FeatureRule(rule_id=feature, name=feature, code=code, feature=feature) for code, feature in CODES),
    InternalRule(rule_id="internal"),
)
PLAN = office(rules=RULES)


def steps(
    dialled: str, caller: str | None = "u200", state: SiteState | None = None, plan: CompiledPlan = PLAN
) -> list[Step]:
    """Every step of a call whose changes are made and whose services answer as if they failed."""
    outcomes: list[Outcome] = []
    found: list[Step] = []
    while not found or not isinstance(found[-1], Reject):
        found.append(decide(plan, state or SiteState(), Call(caller, dialled), outcomes, MORNING).step)
        outcomes.append(Outcome(200 if isinstance(found[-1], Change) else 480))
    return found


@pytest.mark.parametrize(
    ("dialled", "values"),
    [
        ("*72201", (("forward_always", "201"),)),
        ("*72+41791112233", (("forward_always", "+41791112233"),)),
        ("*72", (("forward_always", False),)),
        ("*74201", (("forward_busy", "201"),)),
        ("*74", (("forward_busy", False),)),
        ("*75201", (("forward_no_answer", "201"),)),
        ("*71201", (("forward_unregistered", "201"),)),
        ("*60", (("do_not_disturb", True),)),
        ("*61", (("do_not_disturb", False),)),
        (
            "*73",
            (
                ("forward_always", False),
                ("forward_busy", False),
                ("forward_no_answer", False),
                ("forward_unregistered", False),
            ),
        ),
    ],
)
def test_a_code_changes_the_callers_own_calls_and_says_so(
    dialled: str, values: tuple[tuple[str, str | bool], ...]
) -> None:
    assert steps(dialled) == [Change("u200", values), Service("confirmed"), Reject(480, "")]


@pytest.mark.parametrize("dialled", ["*72200", "*72front", "*60201", "*737"])
def test_what_makes_no_sense_behind_a_code_changes_nothing(dialled: str) -> None:
    assert steps(dialled) == [Service("declined"), Reject(480, "")]


@pytest.mark.parametrize("caller", [None, "gone"])
def test_only_users_have_calls_to_change(caller: str | None) -> None:
    assert steps("*72201", caller) == [Reject(403, "Forbidden")]


def test_a_call_that_is_forwarded_to_a_code_changes_nothing() -> None:
    for caller in ("u200", "u203"):
        found = steps("203", caller, forwards(always="*60"))
        assert not [step for step in found if isinstance(step, Change | Ring)]
        assert found[-1] == Reject(403, "Forbidden")


def test_a_change_that_cannot_be_kept_is_declined() -> None:
    outcomes = (Outcome(405, reached=False),)
    assert decide(PLAN, SiteState(), Call("u200", "*60"), outcomes, MORNING).step == Service("declined")


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (("*7", "*72"), "*72 cannot be dialled: it begins with the feature code *7"),
        (("*72", "*72"), "'*72' is used more than once"),
        (("*9",), "*99 cannot be dialled: it begins with the feature code *9"),
    ],
)
def test_codes_that_clash_are_refused(codes: tuple[str, ...], said: str) -> None:
    rules = (
        ServiceRule(rule_id="echo", name="Echo", code="*99", service="echo_test"),
        *(
            FeatureRule(rule_id=f"rule-{place}", name="F", code=code, feature="forward_busy")
            for place, code in enumerate(codes)
        ),
    )
    content = office_snapshot().model_dump(mode="json")
    content["dial_plan"] = DialPlan(rules=rules).model_dump(mode="json")
    with pytest.raises(ValidationError) as refused:
        Snapshot.model_validate(content)
    assert said in str(refused.value)


def office_snapshot() -> Snapshot:
    return Snapshot.model_validate(
        {
            "version": 1,
            "site": {"site_id": "s", "tenant_id": "t", "name": "S", "domain": "demo.tandem.test", "realm": "r"},
        }
    )


def test_a_code_that_an_earlier_rule_takes_is_reported() -> None:
    told = review(DialPlan(rules=(outside("Some", "custom", ("*72", None)), RULES[0])), USERS)
    assert told[0] == "forward_always is never reached: *72 goes to Some"
