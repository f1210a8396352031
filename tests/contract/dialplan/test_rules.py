"""Who dials what, and where it goes: tables over the office of `office.py`."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from contract.dialplan import Call, Reject, Ring, Service, SiteState, decide
from contract.snapshot import (
    Authorization,
    AuthorizationCode,
    DialPattern,
    Forwarding,
    InwardNumber,
    OutsideRule,
    Paging,
)
from tests.contract.dialplan.office import MORNING, OFFICE, RULES, forwards, office, way

EVERYBODY = ("u200", "u201", "u203", "u204", "u205", None)


@pytest.mark.parametrize("caller", EVERYBODY)
@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("200", "200 480"),
        ("front", "200 480"),
        ("201", "201 480"),
        ("202", "404"),
        ("203", "203 480"),
        ("300", "200+201+203/30 480"),
        ("301", "203/30 200/30 205 480"),
        ("304", "480"),
        ("305", "404"),
        ("380", "music 480"),
        ("waiting", "music 480"),
        ("382", "404"),
        ("999", "404"),
        ("", "404"),
        ("*98", "404"),
        ("112", "pri:112 cell:9112 480"),
        ("0112", "pri:112 cell:9112 480"),
        ("117", "pri:117 cell:9117 480"),
        ("0144", "pri:144 cell:9144 480"),
    ],
)
def test_what_is_inside_the_site_and_what_is_for_help_is_the_same_for_every_caller(
    caller: str | None, dialled: str, expected: str
) -> None:
    assert way(dialled, caller) == expected


@pytest.mark.parametrize(
    ("dialled", "allowed", "u200", "u201"),
    [
        ("*99", "echo_test 480", True, False),
        ("381", "music 480", True, False),
        ("01234567", "pri:0441234567 480", True, True),
        ("07654321", "pri:0447654321 480", True, True),
        ("00441234567", "pri:0441234567 480", True, True),
        ("00319876543", "pri:0319876543 480", True, True),
        ("00791234567", "cell:90791234567 480", True, False),
        ("00761234567", "cell:90761234567 480", True, False),
        ("00044201234", "pri:00044201234 480", True, False),
        ("000", "pri:000 480", True, False),
        ("+390612345", "pri:+390612345 480", True, False),
        ("00800123456", "pri:0800123456 480", True, False),
        ("0090", "403", False, False),
        ("009012345", "403", False, False),
    ],
)
def test_the_way_out_is_open_to_those_who_have_one_of_the_rules_permissions(
    dialled: str, allowed: str, u200: bool, u201: bool
) -> None:
    assert way(dialled, "u200") == (allowed if u200 else "403")
    assert way(dialled, "u201") == (allowed if u201 else "403")
    assert way(dialled, "u203") == "403"
    assert way(dialled, None) == "403"  # nobody from outside calls out at the site's cost


@pytest.mark.parametrize(
    ("prefix", "digits", "dialled", "fits"),
    [
        ("19", 3, "19123", True),
        ("19", 3, "1912", False),
        ("19", 3, "191234", False),
        ("19", 3, "18123", False),
        ("19", 3, "19a23", False),
        ("134", None, "134", True),
        ("134", None, "1345", True),
        ("134", None, "134567890123", True),
        ("134", None, "13", False),
        ("134", None, "134#5", False),
        ("134", 0, "134", True),
        ("134", 0, "1340", False),
        ("", None, "5", True),
        ("", 4, "5555", True),
        ("", 4, "555", False),
        ("", 4, "55*5", False),
        ("+41", None, "+41441234567", True),
        ("+41", None, "41441234567", False),
        ("*7", 3, "*7200", True),
        ("*7", 3, "7200", False),
        ("9", 2, "9²3", False),
        ("9", 2, "9٣٤", False),
    ],
)
@pytest.mark.parametrize("keep", ["all", "variable", "nothing"])
def test_a_pattern_is_a_beginning_and_a_count_of_digits(
    prefix: str, digits: int | None, dialled: str, fits: bool, keep: str
) -> None:
    rule = OutsideRule.model_validate(
        {
            "rule_id": "r",
            "name": "R",
            "patterns": [DialPattern(prefix=prefix, digits=digits)],
            "call": {"prefix": "8", "keep": keep},
            "gateways": ["pri"],
        }
    )
    kept = {"all": dialled, "variable": dialled[len(prefix) :], "nothing": ""}[keep]
    assert way(dialled, plan=office(rules=(rule,))) == (f"pri:8{kept} 480" if fits else "404")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((503, 486), "pri:0441234567 fxo:0441234567 486"),
        ((500, 503), "pri:0441234567 fxo:0441234567 503"),
        ((502, 404), "pri:0441234567 fxo:0441234567 404"),
        ((504, 480), "pri:0441234567 fxo:0441234567 480"),
        ((408, 480), "pri:0441234567 fxo:0441234567 480"),
        ((430, 480), "pri:0441234567 fxo:0441234567 480"),
        ((486,), "pri:0441234567 486"),
        ((404,), "pri:0441234567 404"),
        ((484,), "pri:0441234567 484"),
        ((480,), "pri:0441234567 480"),
        ((603,), "pri:0441234567 603"),
        ((600,), "pri:0441234567 600"),
    ],
)
def test_the_next_gateway_is_tried_when_the_way_failed_and_not_when_the_called_party_refused(
    answers: tuple[int, ...], expected: str
) -> None:
    assert way("01234567", answers=answers) == expected


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        (set(), "pri:0441234567 480"),
        ({"pri"}, "fxo:0441234567 480"),
        ({"pri", "fxo"}, "503"),
        ({"cell"}, "pri:0441234567 480"),
    ],
)
def test_a_gateway_that_is_down_is_passed_over(down: set[str], expected: str) -> None:
    assert way("01234567", state=SiteState(gateways_down=frozenset(down))) == expected


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ({"pri"}, "cell:9112 pri:112 480"),
        ({"cell"}, "pri:112 cell:9112 480"),
        ({"pri", "cell"}, "pri:112 cell:9112 480"),
    ],
)
def test_a_call_for_help_tries_every_gateway_those_that_seem_down_last(down: set[str], expected: str) -> None:
    assert way("112", state=SiteState(gateways_down=frozenset(down))) == expected


@pytest.mark.parametrize("answers", [(486,), (603,), (404,), (503,)])
def test_a_call_for_help_goes_on_to_the_next_gateway_whatever_the_first_one_says(answers: tuple[int, ...]) -> None:
    assert way("112", answers=answers).startswith("pri:112 cell:9112 ")


@pytest.mark.parametrize(
    ("location", "elin"),
    [("floor-2", "0441112202"), ("floor-1", "0441112201"), (None, "0441112201"), ("attic", "0441112201")],
)
def test_a_call_for_help_shows_the_number_of_the_phones_location(location: str | None, elin: str) -> None:
    step = decide(OFFICE, SiteState(), Call("u204", "112", location), (), MORNING).step
    assert isinstance(step, Ring)
    assert (step.numbers[0].caller_id, step.numbers[0].anonymous, step.numbers[0].emergency) == (elin, False, True)


def test_a_disabled_caller_may_call_for_help_and_nothing_else() -> None:
    assert way("112", "u202") == "pri:112 cell:9112 480"
    assert way("200", "u202") == "403"


def test_a_number_for_help_wins_over_every_rule_and_every_extension() -> None:
    first = OutsideRule(rule_id="all", name="All", patterns=(DialPattern(),), gateways=("fxo",))
    assert way("112", "u203", plan=office(rules=(first, *RULES))) == "pri:112 cell:9112 480"


@pytest.mark.parametrize(
    ("caller", "dialled", "caller_id", "anonymous"),
    [
        ("u200", "01234567", "0441112233", False),
        ("u201", "01234567", "0441112200", False),
        ("u204", "01234567", "0441112200", True),
        ("u200", "00791234567", "0441112233", True),
        ("u204", "00791234567", None, True),
    ],
)
def test_the_caller_id_is_the_users_or_the_gateways_and_may_be_hidden(
    caller: str, dialled: str, caller_id: str | None, anonymous: bool
) -> None:
    step = decide(OFFICE, SiteState(), Call(caller, dialled), (), MORNING).step
    assert isinstance(step, Ring)
    assert (step.numbers[0].caller_id, step.numbers[0].anonymous) == (caller_id, anonymous)


def test_a_gateway_may_show_its_own_number_for_everybody() -> None:
    step = decide(OFFICE, SiteState(gateways_down=frozenset({"pri"})), Call("u200", "01234567"), (), MORNING).step
    assert isinstance(step, Ring)
    assert step.numbers[0].caller_id == "0441112299"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-06-01T05:59", "pri:0791112233 480"),  # 07:59 in Zurich in summer
        ("2026-06-01T06:00", "404"),
        ("2026-06-01T09:59", "404"),
        ("2026-06-01T10:00", "pri:0791112233 480"),  # noon: lunch
        ("2026-06-01T11:00", "404"),
        ("2026-06-01T15:59", "404"),
        ("2026-06-01T16:00", "pri:0791112233 480"),
        ("2026-06-06T09:00", "pri:0791112233 480"),  # Saturday
        ("2026-06-07T09:00", "pri:0791112233 480"),  # Sunday
        ("2026-05-25T09:00", "pri:0791112233 480"),  # a holiday of that year
        ("2027-05-25T09:00", "404"),
        ("2025-08-01T09:00", "pri:0791112233 480"),  # a holiday of every year
        ("2031-08-01T09:00", "pri:0791112233 480"),
        ("2031-07-31T22:00", "pri:0791112233 480"),  # it is August in Zurich already
        ("2026-01-12T06:59", "pri:0791112233 480"),  # 07:59 in winter
        ("2026-01-12T07:00", "404"),
        ("2026-03-27T06:59", "pri:0791112233 480"),  # the last Friday of winter time
        ("2026-03-27T07:00", "404"),
        ("2026-03-30T05:59", "pri:0791112233 480"),  # the first Monday of summer time
        ("2026-03-30T06:00", "404"),
        ("2026-10-23T06:00", "404"),
        ("2026-10-26T06:59", "pri:0791112233 480"),
        ("2026-10-26T07:00", "404"),
    ],
)
def test_a_schedule_goes_by_the_wall_clock_of_the_site_through_summer_and_winter(at: str, expected: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert way("555", at=moment) == expected
    # The day line is open exactly when the night desk is not.
    assert way("01234567", at=moment) == ("404" if expected.startswith("pri") else "pri:0441234567 480")


@pytest.mark.parametrize(
    ("zone", "at", "open_"),
    [
        ("America/New_York", "2026-06-01T12:00", True),  # 08:00
        ("America/New_York", "2026-06-01T11:59", False),
        ("Australia/Sydney", "2026-05-31T22:00", True),  # Monday 08:00
        ("Australia/Sydney", "2026-05-31T21:59", False),
        ("Asia/Kathmandu", "2026-06-01T02:15", True),  # a quarter of an hour beside the hour
        ("Asia/Kathmandu", "2026-06-01T02:14", False),
        ("UTC", "2026-06-01T08:00", True),
        ("UTC", "2026-06-01T07:59", False),
    ],
)
def test_each_site_has_its_own_time_zone(zone: str, at: str, open_: bool) -> None:
    plan = office(time_zone=zone)
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert way("01234567", at=moment, plan=plan).startswith("pri") is open_


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_first_rule_that_matches_decides(order: tuple[int, int]) -> None:
    rules = (
        OutsideRule(rule_id="a", name="A", patterns=(DialPattern(prefix="5", digits=3),), gateways=("pri",)),
        OutsideRule(rule_id="b", name="B", patterns=(DialPattern(prefix="55", digits=2),), gateways=("fxo",)),
    )
    assert (
        way("5512", plan=office(rules=tuple(rules[one] for one in order))) == ("pri:5512 480", "fxo:5512 480")[order[0]]
    )


def test_a_rule_that_is_switched_off_matches_nothing() -> None:
    off = tuple(rule.model_copy(update={"enabled": False}) for rule in RULES)
    assert [way(dialled, plan=office(rules=off)) for dialled in ("200", "*99", "01234567", "112")] == ["404"] * 4


def test_every_refusal_says_why() -> None:
    for dialled, code in (("0090", "permission_missing"), ("999", "no_rule"), ("202", "callee_disabled")):
        decision = decide(OFFICE, forwards(), Call("u200", dialled), (), MORNING)
        assert isinstance(decision.step, Reject)
        assert decision.reasons[-1].code == code


def test_a_service_is_told_which_of_its_kind_was_called() -> None:
    decision = decide(OFFICE, SiteState(), Call("u201", "380"), (), MORNING)
    assert decision.step == Service("music", (("service", "music"), ("user", "u201")))
    assert decision.reasons[-1].text == "Internal: the number belongs to Music"


def test_a_number_from_outside_reaches_a_service_whatever_permission_that_asks_for() -> None:
    numbers = (InwardNumber(number="0441112240", destination="381"),)
    plan = office(numbers=numbers)
    inward = Call(None, "0441112240", gateway_id="pri", number="0790001122")
    assert decide(plan, SiteState(), inward, (), MORNING).step == Service("music", (("service", "private"),))
    unasked = Call(None, "381", gateway_id="pri", number="0790001122")
    assert decide(plan, SiteState(), unasked, (), MORNING).step == Reject(403, "Forbidden")


@pytest.mark.parametrize(("dialled", "orbit"), [("390", ""), ("392", "392")])
def test_call_park_is_told_which_orbit_was_dialled_and_who_parks(dialled: str, orbit: str) -> None:
    decision = decide(OFFICE, SiteState(), Call("u201", dialled), (), MORNING)
    assert decision.step == Service("park", (("service", "park"), ("orbit", orbit), ("user", "u201")))


def test_nobody_from_outside_parks_or_takes_up_a_call() -> None:
    inward = Call(None, "391", gateway_id="pri", number="0790001122")
    assert decide(OFFICE, SiteState(), inward, (), MORNING).step == Reject(403, "Forbidden")


def test_a_service_of_the_site_rings_a_users_phones_and_nothing_else() -> None:
    state = SiteState(
        forwarding={"u201": Forwarding(always="200")},
        do_not_disturb=frozenset({"u203"}),
        no_intercom=frozenset({"u205"}),
    )

    def rung(number: str, how: Literal["ring", "page", "urgent"], *, engaged: bool = False) -> object:
        step = decide(OFFICE, state, Call(None, number, phones=how, engaged=engaged), (), MORNING).step
        return step.status if isinstance(step, Reject) else step

    assert rung("201", "ring") == Ring(("u201",))
    assert rung("201", "page") == Ring(("u201",), answered_at_once=True)
    assert [rung(one, "page") for one in ("203", "205", "300")] == [486, 403, 404]
    assert rung("201", "page", engaged=True) == 486
    for number in ("203", "205"):
        assert rung(number, "urgent", engaged=True) == Ring((f"u{number}",), answered_at_once=True)


@pytest.mark.parametrize("caller", ["u201", None])
def test_only_users_of_the_site_page(caller: str | None) -> None:
    group = Paging(service_id="page", name="Page", extension="395", members=("u200",))
    plan = replace(OFFICE, services={"395": group})
    step = decide(plan, SiteState(), Call(caller, "395"), (), MORNING).step
    told = Service("paging", (("service", "page"), ("user", "u201")))
    assert step == (told if caller else Reject(403, "Forbidden"))


def test_who_proved_an_authorization_code_calls_with_the_services_permissions_and_its_name_is_told() -> None:
    codes = (
        AuthorizationCode(code_id="anna", name="Anna"),
        AuthorizationCode(code_id="off", name="Off", enabled=False),
    )
    gate = Authorization(service_id="far", name="Far", extension="396", permissions=("Mobile",), codes=codes)
    plan = office(voice_services=(gate,))
    proved = decide(plan, SiteState(), Call(None, "00791234567", service="far:anna"), (), MORNING)
    assert isinstance(proved.step, Ring)
    assert proved.step.numbers[0].gateway_id == "cell"
    assert proved.reasons[0].text == "Far, code of Anna sends the caller on to 00791234567"
    for wrong in ("far:off", "far:gone", "gone:anna"):
        step = decide(plan, SiteState(), Call(None, "00791234567", service=wrong), (), MORNING).step
        assert step == Reject(403, "Forbidden")
