"""Real phones of others call through a real edge: every scenario with every phone over every transport it has.

One edge and one of each phone for all tests here, which run column by column of the matrix. The restart of the edge
comes last, and after it the renewals, for which every phone has had its time by then.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.phones.fleet import ROWS, Fleet, Row, pairs, partner_of, rows
from tests.support.phones.jssip import JssipPhone
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.talking import connect, hang_up, hang_up_heard, hear, is_same_at_both_ends, number, talk

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The edge and the phones of all tests."""
    with ExitStack() as stack:
        yield Fleet(tmp_path_factory.mktemp("fleet"), stack)


@rows("register")
def test_a_phone_registers(fleet: Fleet, row: Row) -> None:
    assert fleet.phone(row).registrations >= 1


@rows("calls")
def test_a_phone_calls_and_both_hear_each_other_directly(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    connect(phone, partner)
    is_same_at_both_ends(phone, partner)
    hang_up_heard(phone, partner)


@rows("is called")
def test_a_phone_is_called_and_both_hear_each_other_directly(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    connect(partner, phone)
    is_same_at_both_ends(partner, phone)
    hang_up_heard(partner, phone)


@rows("cancel")
def test_a_call_is_taken_back_by_and_from_a_phone(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    for caller, callee in ((phone, partner), (partner, phone)):
        caller.call(number(callee))
        callee.wait_for(Seen.INCOMING)
        caller.wait_for(Seen.RINGING)
        hang_up(caller, callee)


@rows("busy")
def test_a_phone_hears_busy_and_says_busy(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    for caller, callee in ((phone, partner), (partner, phone)):
        caller.call(number(callee))
        callee.wait_for(Seen.INCOMING)
        caller.wait_for(Seen.RINGING)
        callee.decline()
        assert caller.closed() == callee.busy_status
        callee.closed()


@rows("no answer")
def test_a_phone_that_nobody_answers_ends_the_callers_call(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    partner.call(number(phone))
    phone.wait_for(Seen.INCOMING)
    partner.wait_for(Seen.RINGING)
    phone.let_it_ring()
    assert partner.closed() == phone.no_answer_status
    phone.closed()


@rows("hold")
def test_a_phone_holds_and_is_held(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    connect(phone, partner)
    hear(phone, partner)
    for who, other in ((phone, partner), (partner, phone)):
        who.hold()
        other.wait_for(Seen.HELD)
        talk()
        who.resume()
        other.wait_for(Seen.RESUMED)
        talk()
    hang_up(partner, phone)


@rows("blind transfer")
def test_a_phone_sends_its_caller_to_a_third_and_leaves_the_call(fleet: Fleet, row: Row) -> None:
    kind = partner_of(row)
    phone, partner, third = fleet.phone(row), fleet.helper("partner", kind), fleet.helper("third", kind)
    connect(partner, phone)
    hear(partner, phone)
    phone.transfer(number(third))
    third.wait_for(Seen.INCOMING)
    third.answer()
    third.wait_for(Seen.ANSWERED)
    partner.wait_for(Seen.ANSWERED)
    phone.closed()
    partner.closed()
    hang_up_heard(third, partner)


@rows("is transferred")
def test_a_phone_is_sent_to_a_third_and_leaves_the_one_that_sent_it(fleet: Fleet, row: Row) -> None:
    kind = partner_of(row)
    phone, partner, third = fleet.phone(row), fleet.helper("partner", kind), fleet.helper("third", kind)
    connect(phone, partner)
    hear(phone, partner)
    partner.transfer(number(third))
    third.wait_for(Seen.INCOMING)
    third.answer()
    third.wait_for(Seen.ANSWERED)
    phone.wait_for(Seen.ANSWERED)
    partner.closed()
    phone.closed()
    hang_up_heard(third, phone)


@rows("attended transfer")
@pytest.mark.peer("pjsua2")
def test_a_phone_brings_two_others_together_and_both_its_calls_end(fleet: Fleet, row: Row) -> None:
    kind = JssipPhone if row.kind is JssipPhone else PjsuaPhone
    phone, partner, third = fleet.phone(row), fleet.helper("partner", kind), fleet.helper("third", kind)
    connect(partner, phone)
    hear(partner, phone)
    phone.hold()
    partner.wait_for(Seen.HELD)
    connect(phone, third)
    hear(third, phone)
    phone.join()
    for one in (partner, third):
        one.wait_for(Seen.ANSWERED)
    # Two legs ended at the phone, and one at each of the others: what is left is the call between those.
    phone.closed()
    phone.closed()
    partner.closed()
    third.closed()
    hang_up_heard(third, partner)


@rows("fork")
def test_two_phones_of_a_user_ring_and_the_one_that_is_quicker_talks(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    with ExitStack() as stack:
        second = fleet.second(row, stack)
        for quicker, other in ((phone, second), (second, phone)):
            for one in (phone, second, partner):
                one.forget()
            partner.call(number(phone))
            phone.wait_for(Seen.INCOMING)
            second.wait_for(Seen.INCOMING)
            quicker.answer()
            quicker.wait_for(Seen.ANSWERED)
            partner.wait_for(Seen.ANSWERED)
            other.closed()
            hang_up_heard(partner, quicker)


@pairs(
    tuple(
        row
        for row in ROWS
        if row.name in {"baresip, udp", "pjsua, tls", "linphone, tcp", "baresip behind Kamailio, tls"}
    )
)
def test_phones_of_different_makers_and_transports_hear_each_other(
    fleet: Fleet, caller_row: Row, callee_row: Row
) -> None:
    caller, callee = fleet.phone(caller_row), fleet.phone(callee_row)
    connect(caller, callee)
    is_same_at_both_ends(caller, callee)
    hang_up_heard(callee, caller)


@rows("restart")
def test_a_phone_is_called_again_after_the_edge_was_killed(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    fleet.restart()
    for one in (phone, partner):
        # A binding over UDP is kept; a stream went with the edge, and the phone has to come back by itself.
        if one.account.transport != "udp":
            fleet.is_back(one)
    connect(partner, phone)
    hang_up(partner, phone)


@rows("renews")
def test_a_phone_renews_its_registration_by_itself(fleet: Fleet, row: Row) -> None:
    phone = fleet.phone(row)
    fleet.restart()
    fleet.is_back(phone)
