"""What is said about a dial plan when it is saved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dialplan.compiled import matches
from contract.dialplan.review import covers, review
from contract.snapshot import DialPattern, DialPlan, InternalRule, OutsideRule, Rule
from tests.contract.dialplan.office import AT_WORK, CELL, FXO, GROUPS, HOURS, LOCATIONS, PRI, RULES, USERS, outside

ECHO = RULES[0]
INTERNAL = InternalRule(rule_id="internal")


def told(*rules: Rule) -> list[str]:
    return review(DialPlan(rules=rules, gateways=(PRI, FXO, CELL), schedules=(HOURS,)), USERS)


def test_a_sound_plan_has_no_problems() -> None:
    plan = DialPlan(rules=RULES, gateways=(PRI, FXO, CELL), schedules=(HOURS,), hunt_groups=GROUPS, locations=LOCATIONS)
    assert review(plan, USERS) == []


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            (outside("A", "custom", ("0", None)), outside("B", "custom", ("00", 3))),
            "B is never reached: its numbers go to A",
        ),
        (
            (outside("A", "custom", ("0", 4)), outside("B", "custom", ("00", 3))),
            "B is never reached: its numbers go to A",
        ),
        ((outside("A", "custom", ("", None)), ECHO), ""),
        ((outside("A", "custom", ("*99", None)), ECHO), "Echo is never reached: *99 goes to A"),
        ((outside("A", "custom", ("2", 2)), INTERNAL), "200 does not ring inside the site: A takes it before Internal"),
        (
            (INTERNAL, INTERNAL.model_copy(update={"rule_id": "two", "name": "Two"})),
            "Two is never reached: its numbers go to Internal",
        ),
        ((outside("A", "custom", ("0", None), gateways=()),), "A leads nowhere: it has no gateway that is switched on"),
    ],
)
def test_each_problem_is_said_with_the_names_of_the_rules(rules: tuple[Rule, ...], said: str) -> None:
    found = told(*rules)
    assert found[:1] == ([said] if said else [])


@pytest.mark.parametrize(
    "earlier",
    [
        outside("A", "custom", ("0", None), during=AT_WORK),
        outside("A", "custom", ("0", None)).model_copy(update={"enabled": False}),
        outside("A", "custom", ("00", 4)),
        outside("A", "custom", ("01", None)),
    ],
)
def test_a_rule_that_is_reached_sometimes_is_no_problem(earlier: OutsideRule) -> None:
    assert told(earlier, outside("B", "custom", ("00", 3))) == []


def test_an_extension_that_is_dialled_for_help_is_named() -> None:
    help_ = RULES[2].model_copy(update={"numbers": ("200",)})
    assert told(INTERNAL, help_) == ["200 does not ring inside the site: Emergency takes it"]


patterns = st.builds(
    DialPattern, prefix=st.sampled_from(["", "1", "12", "*", "+1"]), digits=st.none() | st.integers(0, 3)
)


@given(patterns, patterns, st.text("12*+", max_size=4))
def test_what_covers_a_pattern_matches_all_its_numbers(
    general: DialPattern, special: DialPattern, dialled: str
) -> None:
    if covers(general, special) and matches(special, dialled):
        assert matches(general, dialled)
