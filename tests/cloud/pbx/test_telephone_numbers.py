"""Numbers by the numbering plans of all countries, and how else they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.pbx.telephone_numbers import COUNTRIES, doubtful, e164, shown, with_writings, writings
from contract.dialplan import Call, Ring, SiteState, compile_plan, decide
from contract.snapshot import DialPlan, EmergencyLocation, Gateway, InternalRule, InwardNumber, Site, Snapshot
from tests.contract.dialplan.office import MORNING, user


@pytest.mark.parametrize(
    ("number", "country", "whole", "written", "ways"),
    [
        ("044 111 22 33", "CH", "+41441112233", "044 111 22 33", ("41441112233", "0041441112233", "0441112233")),
        ("(212) 555-1234", "US", "+12125551234", "(212) 555-1234", ("12125551234", "01112125551234", "2125551234")),
        ("020 7946 0018", "GB", "+442079460018", "020 7946 0018", ("00442079460018", "02079460018", "2079460018")),
        ("06 12 34 56 78", "FR", "+33612345678", "06 12 34 56 78", ("0033612345678", "0612345678")),
        ("030 123456", "DE", "+4930123456", "030 123456", ("004930123456", "030123456")),
        ("(02) 9123 4567", "AU", "+61291234567", "(02) 9123 4567", ("001161291234567", "0291234567")),
        ("+390612345678", "CH", "+390612345678", "+39 06 1234 5678", ("390612345678", "00390612345678")),
        ("+41441112233", None, "+41441112233", "+41 44 111 22 33", ("0041441112233", "0441112233")),
    ],
)
def test_a_number_is_known_in_every_writing_of_its_country(
    number: str, country: str | None, whole: str, written: str, ways: tuple[str, ...]
) -> None:
    assert e164(number, country) == whole
    assert shown(number, country) == written
    assert set(ways) <= set(writings(number, country))


@pytest.mark.parametrize(
    ("number", "country"), [("100", "CH"), ("0441112233", None), ("+41", None), ("call me", "CH"), ("0" * 40, "DE")]
)
def test_what_no_numbering_plan_has_is_no_number(number: str, country: str | None) -> None:
    assert e164(number, country) is None
    assert shown(number, country) == number
    assert writings(number, country) == ()


@given(st.text(max_size=40), st.sampled_from(sorted(COUNTRIES)))
def test_every_writing_is_dialled_digits_and_leads_back(number: str, country: str) -> None:
    whole = e164(number, country)
    for way in writings(number, country):
        assert way.removeprefix("+").isdigit()
        assert way != number
    if whole is not None:
        assert e164(whole, None) == whole


def plan(*numbers: InwardNumber) -> DialPlan:
    return DialPlan(
        rules=(InternalRule(rule_id="internal"),),
        gateways=(Gateway(gateway_id="pri", name="PRI", host="192.0.2.10"),),
        numbers=numbers,
    )


@pytest.mark.parametrize("sent", ["+41441112240", "0041441112240", "41441112240", "0441112240", "441112240"])
def test_a_call_reaches_its_number_in_whatever_way_the_provider_writes_it(sent: str) -> None:
    whole = with_writings(plan(InwardNumber(number="044 111 22 40".replace(" ", ""), destination="200")), "CH")
    site = Site(site_id="s", tenant_id="t", name="Office", domain="demo.tandem.test", realm="r")
    compiled = compile_plan(Snapshot(version=1, site=site, users=(user("200"),), dial_plan=whole))
    step = decide(compiled, SiteState(), Call(None, sent, gateway_id="pri"), (), MORNING).step
    assert isinstance(step, Ring)
    assert step.user_ids == ("u200",)


def test_a_number_that_is_configured_itself_goes_before_another_writing_of_one() -> None:
    whole = with_writings(
        plan(
            InwardNumber(number="+41441112240", destination="200"),
            InwardNumber(number="0441112240", destination="201"),
        ),
        "CH",
    )
    site = Site(site_id="s", tenant_id="t", name="Office", domain="demo.tandem.test", realm="r")
    compiled = compile_plan(Snapshot(version=1, site=site, users=(user("200"), user("201")), dial_plan=whole))
    assert compiled.numbers["0441112240"].destination == "201"
    assert compiled.numbers["0041441112240"].destination == "200"


def test_who_saves_a_plan_is_told_of_numbers_that_are_none() -> None:
    doubted = plan(
        InwardNumber(number="044111", destination="200"), InwardNumber(number="+41441112240", destination="1")
    )
    places = (EmergencyLocation(location_id="l", name="Floor 1", caller_id="12345", address="Main Street 1"),)
    doubted = doubted.model_copy(update={"locations": places})
    someone = user("200", caller_id="+99912")
    assert doubtful(doubted, [someone], "CH") == [
        "044111 is called by a gateway, but is no telephone number of CH",
        "12345 is the caller ID of Floor 1, but is no telephone number of CH",
        "+99912 is the caller ID of 200, but is no telephone number",
    ]
    assert doubtful(doubted, [someone], None) == ["+99912 is the caller ID of 200, but is no telephone number"]
