"""Where a call goes that is not simply answered, with the cloud reached and cut, with real phones that hear each other.

Forwarding, do not disturb, hunt groups, find-me/follow-me, call waiting, transfers, call-back at several phones.
"""

from typing import Final

import pytest

from cloud.local.baresip import Baresip, PhoneError
from tests.support.feature_office import FeatureOffice
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import DOMAIN
from tests.support.phones.talking import connect, hang_up, hear

TONES: Final = (440, 600, 700, 800)
WITHIN: Final = 30.0

pytestmark = [pytest.mark.peer("baresip"), pytest.mark.timeout(240)]


def baresips(office: FeatureOffice, *numbers: str) -> list[Baresip]:
    """A phone for each number, with a tone of its own."""
    return [office.baresip(number, tone_hz=tone) for number, tone in zip(numbers, TONES, strict=False)]


def talk_and_end(office: FeatureOffice, caller: Baresip, callee: Baresip) -> None:
    """`callee`, whose phone rings, takes the call; both hear each other; the caller ends it."""
    callee.command("accept")
    caller.wait_for("CALL_ESTABLISHED", within=WITHIN)
    callee.wait_for("CALL_ESTABLISHED", within=WITHIN)
    office.hear_each_other(caller, callee)
    caller.hang_up()
    callee.wait_for("CALL_CLOSED", within=WITHIN)
    caller.wait_for("CALL_CLOSED", within=WITHIN)


def rings(phone: Baresip) -> None:
    phone.wait_for("CALL_INCOMING", within=WITHIN)


def was_not_rung(phone: Baresip) -> bool:
    return not [one for one in phone.take_events() if one["type"] == "CALL_INCOMING"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("*72", "forward_always"),
        ("*74", "forward_busy"),
        ("*75", "forward_no_answer"),
        ("*71", "forward_unregistered"),
    ],
)
def test_a_call_goes_on_to_whom_a_code_said_and_both_hear_each_other(
    office: FeatureOffice, code: str, why: str
) -> None:
    caller, third, away = baresips(office, office.desks.caller, office.desks.third, office.desks.away)
    office.dial(away, f"{code}{office.desks.third}")
    if why == "forward_unregistered":
        away.__exit__()
    caller.dial(f"sip:{office.desks.away}@{DOMAIN}")
    if why in {"forward_busy", "forward_no_answer"}:
        rings(away)
    if why == "forward_busy":
        away.hang_up()
    rings(third)
    if why == "forward_always":
        assert was_not_rung(away)
    talk_and_end(office, caller, third)
    (record,) = (one for one in office.records(2) if one.callee == office.desks.away)
    assert (record.callee_user_id, record.disposition) == (f"user-{office.desks.third}", "answered")
    assert why in [reason.partition(":")[0] for reason in record.reasons]


def test_who_is_not_to_be_disturbed_is_busy_until_he_says_otherwise(office: FeatureOffice) -> None:
    caller, callee = baresips(office, office.desks.caller, office.desks.callee)
    office.dial(callee, "*60")
    assert "486" in office.refused(caller, office.desks.callee)
    assert was_not_rung(callee)
    office.dial(callee, "*61")
    caller.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    rings(callee)
    talk_and_end(office, caller, callee)


def test_all_members_of_a_parallel_group_ring_and_one_has_the_call(office: FeatureOffice) -> None:
    caller, first, second, third = baresips(office, *office.desks[:4])
    caller.dial(f"sip:{office.desks.group('parallel')}@{DOMAIN}")
    for phone in (first, second, third):
        rings(phone)
    second.command("accept")
    for phone in (first, third):
        phone.wait_for("CALL_CLOSED", within=WITHIN)
    caller.wait_for("CALL_ESTABLISHED", within=WITHIN)
    office.hear_each_other(caller, second)
    caller.hang_up()
    second.wait_for("CALL_CLOSED", within=WITHIN)


def test_members_of_a_serial_group_ring_one_after_the_other(office: FeatureOffice) -> None:
    caller, first, second, third = baresips(office, *office.desks[:4])
    caller.dial(f"sip:{office.desks.group('serial')}@{DOMAIN}")
    rings(first)
    first.wait_for("CALL_CLOSED", within=WITHIN)
    rings(second)
    assert was_not_rung(third)
    talk_and_end(office, caller, second)


def test_a_round_robin_group_begins_with_the_next_member_each_time(office: FeatureOffice) -> None:
    caller, *members = baresips(office, *office.desks[:4])
    for turn in (0, 1):
        caller.dial(f"sip:{office.desks.group('round_robin')}@{DOMAIN}")
        rings(members[turn])
        assert all(was_not_rung(phone) for phone in members if phone is not members[turn])
        talk_and_end(office, caller, members[turn])


def test_a_longest_idle_group_begins_with_who_had_no_call_for_the_longest_time(office: FeatureOffice) -> None:
    caller, first, second, third = baresips(office, *office.desks[:4])
    group = f"sip:{office.desks.group('longest_idle')}@{DOMAIN}"
    for number, phone in ((group, first), (f"sip:{office.desks.third}@{DOMAIN}", second), (group, third)):
        caller.dial(number)
        rings(phone)
        assert all(was_not_rung(other) for other in (first, second, third) if other is not phone)
        talk_and_end(office, caller, phone)


def test_who_is_sought_is_rung_at_two_places_at_once_and_then_at_the_third(office: FeatureOffice) -> None:
    caller, own, together, after = baresips(
        office, office.desks.caller, office.desks.sought, office.desks.third, office.desks.other
    )
    caller.dial(f"sip:{office.desks.sought}@{DOMAIN}")
    rings(own)
    rings(together)
    assert was_not_rung(after)
    rings(after)
    talk_and_end(office, caller, after)


def test_a_second_call_waits_at_who_talks_and_is_taken(office: FeatureOffice) -> None:
    callee, caller, other = baresips(office, office.desks.callee, office.desks.caller, office.desks.other)
    caller.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    callee.accept(WITHIN)
    caller.wait_for("CALL_ESTABLISHED", within=WITHIN)
    office.hear_each_other(caller, callee)
    other.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    callee.accept(WITHIN)
    other.wait_for("CALL_ESTABLISHED", within=WITHIN)
    office.hear_each_other(other, callee)


@pytest.mark.peer("pjsua2")
def test_a_phone_brings_two_others_together_who_hear_each_other(office: FeatureOffice) -> None:
    between, one, other = (office.phone(number, PjsuaPhone) for number in office.desks[:3])
    connect(one, between)
    hear(one, between)
    between.hold()
    one.wait_for(Seen.HELD)
    connect(between, other)
    hear(between, other)
    for phone in (one, other):
        phone.forget()
    between.join()
    between.closed(WITHIN)
    between.closed(WITHIN)
    hear(one, other)
    hang_up(one, other)
    (record,) = office.records(1)
    second, first, third = office.desks[:3]
    assert (record.caller, record.callee, record.callee_user_id) == (first, second, f"user-{third}")
    story = ("answered:", "consulted:", "transferred:", "hung_up:")
    assert [one.partition(" (")[0] for one in record.reasons if one.startswith(story)] == [
        f"answered: {second} took the call",
        f"consulted: {second} asked {third} first",
        f"transferred: {second} passed the call on to {third}",
        f"hung_up: {first} ended the call",
    ]


@pytest.mark.peer("pjsua2")
def test_a_phone_that_is_sent_to_another_is_one_record(office: FeatureOffice) -> None:
    first, second, third = office.desks[:3]
    caller, between, other = (office.phone(number, PjsuaPhone) for number in (first, second, third))
    connect(caller, between)
    hear(caller, between)
    between.transfer(third)
    other.wait_for(Seen.INCOMING, WITHIN)
    other.answer()
    between.closed(WITHIN)
    hear(caller, other)
    hang_up(caller, other)
    (record,) = office.records(1)
    assert (record.caller, record.callee, record.callee_user_id) == (first, second, f"user-{third}")
    told = [reason.partition(" (")[0] for reason in record.reasons]
    assert f"transferred: {second} passed the call on to {third}" in told
    assert told[-1] == f"hung_up: {first} ended the call"


def test_a_call_back_rings_all_phones_of_who_was_busy_and_one_has_it(office: FeatureOffice) -> None:
    caller, desk, other = baresips(office, office.desks.caller, office.desks.callee, office.desks.third)
    shop = office.baresip(office.desks.callee, "-shop", TONES[3])
    other.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    desk.accept(WITHIN)
    shop.wait_for("CALL_CLOSED", within=WITHIN)
    office.dial(caller, f"*58{office.desks.callee}")
    with pytest.raises(PhoneError):
        caller.wait_for("CALL_INCOMING", within=4)
    other.hang_up()
    desk.wait_for("CALL_CLOSED", within=WITHIN)
    caller.accept(WITHIN)
    rings(desk)
    rings(shop)
    shop.command("accept")
    desk.wait_for("CALL_CLOSED", within=WITHIN)
    caller.wait_for("CALL_ESTABLISHED", within=WITHIN)
    office.hear_each_other(caller, shop)
