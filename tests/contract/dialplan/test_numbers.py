"""Numbers as gateways write them."""

import pytest

from contract.dialplan import Call, Outcome, Reject, Ring, SiteState, decide
from contract.dialplan.numbers import arrived, written
from contract.snapshot import CallPattern, IncomingNumbers, InternalRule, InwardNumber, NumberFormat
from tests.contract.dialplan.office import MORNING, PRI, office, outside, said, way

SWISS = NumberFormat(style="national", country_code="41")
AMERICAN = NumberFormat(style="national", country_code="1", national_prefix="1", international_prefix="011")


@pytest.mark.parametrize(
    ("form", "number", "expected"),
    [
        (NumberFormat(), "+41441112233", "+41441112233"),
        (NumberFormat(style="digits"), "+41441112233", "41441112233"),
        (SWISS, "+41441112233", "0441112233"),
        (SWISS, "+4930123456", "004930123456"),
        (SWISS, "0441112233", "0441112233"),
        (SWISS, "112", "112"),
        (AMERICAN, "+12125550100", "12125550100"),
        (AMERICAN, "+41441112233", "01141441112233"),
        (NumberFormat(style="national"), "+41441112233", "0041441112233"),
    ],
)
def test_a_number_of_e164_is_written_as_the_gateway_wants_it(form: NumberFormat, number: str, expected: str) -> None:
    assert written(form, number) == expected


@pytest.mark.parametrize(
    ("form", "number", "expected"),
    [
        (IncomingNumbers(), "441112233", "441112233"),
        (IncomingNumbers(prefix="+41"), "441112233", "+41441112233"),
        (IncomingNumbers(strip="0", prefix="+41"), "0441112233", "+41441112233"),
        (IncomingNumbers(strip="0", prefix="+41"), "441112233", "+41441112233"),
    ],
)
def test_a_number_that_a_gateway_sent_becomes_one_of_the_plan(
    form: IncomingNumbers, number: str, expected: str
) -> None:
    assert arrived(form, number) == expected


def test_number_and_caller_id_leave_in_the_gateways_format() -> None:
    gateway = PRI.model_copy(update={"numbers": SWISS, "caller_id": "+41441112200", "prefix": "8"})
    rule = outside("All", "custom", ("0", None), call=CallPattern(prefix="+41", keep="variable"), gateways=("pri",))
    step = decide(office(gateways=(gateway,), rules=(rule,)), SiteState(), Call("u201", "0441112233"), (), MORNING).step
    assert isinstance(step, Ring)
    assert [(one.number, one.caller_id) for one in step.numbers] == [("80441112233", "0441112200")]


NUMBERS = (
    InwardNumber(number="+41441112233", destination="200"),
    InwardNumber(number="+41441112300", destination="300"),
    InwardNumber(number="+41441112244", destination="00791112233"),
)
INWARD = office(
    gateways=(PRI.model_copy(update={"incoming": IncomingNumbers(prefix="+41")}),),
    numbers=NUMBERS,
    rules=(
        InternalRule(rule_id="internal"),
        outside("Out", "custom", ("00", None), permissions=("Mobile",), gateways=("pri",)),
    ),
)


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("441112233", "200 480"),
        ("441112300", "200+201+203/30 480"),
        ("441112244", "pri:00791112233 480"),
        ("449998877", "404"),
        ("00791112233", "404"),
    ],
)
def test_a_call_by_a_gateway_reaches_what_its_number_stands_for(dialled: str, expected: str) -> None:
    steps: list[str] = []
    outcomes: list[Outcome] = []
    while True:
        step = decide(INWARD, SiteState(), Call(None, dialled, gateway_id="pri"), outcomes, MORNING).step
        steps.append(said(step))
        if isinstance(step, Reject):
            break
        outcomes.append(Outcome(480))
    assert " ".join(steps) == expected


def test_an_alias_is_reached_as_it_is() -> None:
    assert way("front", caller=None) == "200 480"
