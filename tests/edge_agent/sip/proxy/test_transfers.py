"""Transfers between phones of the site: one call for people, and one record with its story, however it goes."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import Message
from edge_agent.sip.presence.events import SWEEP_SECONDS
from edge_agent.sip.proxy.transfers import SECONDS, replaced_dialog
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone


class Talk:
    """A call that was answered, and its two phones."""

    def __init__(
        self, site: MemorySite, caller: SipPhone, callee: SipPhone, number: str = "", headers: str = ""
    ) -> None:
        self.site, self.caller, self.callee = site, caller, callee
        self.invite = caller.authenticated("INVITE", number or uri(callee.username), headers=headers)
        self.answer = caller.responses[-1]
        self.ringing = callee.ringing
        assert self.answer.status == 200
        self.say("ACK", caller)

    def say(self, method: str, who: SipPhone, headers: str = "") -> Message:
        """One of the two sends a request within the call."""
        called = who is self.callee
        message = who.in_dialog(method, self.ringing if called else self.invite, self.answer, called, headers=headers)
        self.site.network.run()
        return message

    def refer(self, who: SipPhone, target: str) -> None:
        """One of the two sends the other somewhere."""
        self.say("REFER", who, f"Refer-To: <{target}>\r\n")
        assert who.responses[-1].status == 200, who.responses[-1].status

    def replaces(self, of: SipPhone) -> str:
        """The Replaces by which this phone lets another take the call over."""
        tags = self.answer.to_tag.decode(), self.answer.from_tag.decode()
        to_tag, from_tag = tags if of is self.callee else tags[::-1]
        return f"{self.invite.call_id.decode()};to-tag={to_tag};from-tag={from_tag}"


class House:
    """201 called 202, who answered."""

    def __init__(self, site: MemorySite) -> None:
        self.site = site
        self.first, self.second, self.third = (site.phone(number, 200) for number in ("201", "202", "203"))
        self.talk = Talk(site, self.first, self.second)

    def sweep(self, seconds: float) -> None:
        """So long nothing happens."""
        self.site.network.run(seconds + SWEEP_SECONDS)

    def story(self) -> list[str]:
        """The only record's, from the answer on and without moments."""
        told = [reason.partition(" (")[0] for reason in self.site.record.reasons]
        return told[next((at for at, one in enumerate(told) if one.startswith("answered:")), len(told)) :]


@pytest.fixture
def house(site: MemorySite) -> House:
    return House(site)


def test_a_phone_that_is_sent_to_another_goes_on_in_one_record(house: House) -> None:
    house.talk.refer(house.second, uri("203"))
    passed = Talk(house.site, house.first, house.third)
    house.talk.say("BYE", house.second)
    assert house.site.log.records == []
    passed.say("BYE", house.third)
    record = house.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("201", "202", "user-203")
    assert (record.sip_call_id, record.disposition) == (house.talk.invite.call_id.decode(), "answered")
    told = house.story()
    assert told[:2] == ["answered: 202 took the call", "transferred: 202 passed the call on to 203"]
    assert told[-1] == "hung_up: 203 ended the call"
    assert record.answered_at is not None
    moment = record.answered_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert f"answered: 202 took the call ({moment})" in record.reasons
    assert house.site.log.open_calls == {}


def test_who_sends_a_phone_away_may_leave_before_it_calls(house: House) -> None:
    house.talk.refer(house.second, uri("203"))
    house.talk.say("BYE", house.second)
    assert (house.site.log.records, len(house.site.log.open_calls)) == ([], 1)
    passed = Talk(house.site, house.first, house.third)
    passed.say("BYE", house.first)
    assert house.story()[-1] == "hung_up: 201 ended the call"
    assert house.site.record.callee_user_id == "user-203"
    assert house.site.log.open_calls == {}


def test_who_called_may_pass_the_call_on_too(house: House) -> None:
    house.talk.refer(house.first, uri("203"))
    house.talk.say("BYE", house.first)
    Talk(house.site, house.second, house.third).say("BYE", house.second)
    record = house.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("201", "202", "user-203")
    assert "transferred: 201 passed the call on to 203" in house.story()


def test_a_call_that_nobody_takes_goes_back_and_is_one_record(house: House) -> None:
    house.third.answers = (486,)
    house.talk.refer(house.second, uri("203"))
    house.first.authenticated("INVITE", uri("203"))
    assert house.first.responses[-1].status == 486
    house.talk.say("BYE", house.second)
    record = house.site.record
    assert (record.callee_user_id, record.disposition) == ("user-202", "answered")
    assert any(one.startswith("transfer_failed: 202 did not reach 203") for one in record.reasons)
    assert house.site.log.open_calls == {}


def test_a_phone_that_was_sent_and_places_no_call_costs_no_record(house: House) -> None:
    house.talk.refer(house.second, uri("203"))
    house.talk.say("BYE", house.second)
    ended = house.site.network.clock.now()
    house.sweep(SECONDS)
    record = house.site.record
    assert record.ended_at <= ended
    assert record.reasons[-1].startswith("transfer_unseen: 202")
    # What it calls later is a call of its own.
    Talk(house.site, house.first, house.third).say("BYE", house.first)
    assert len(house.site.log.records) == 2
    assert house.site.log.open_calls == {}


def test_a_transfer_that_the_phone_refuses_changes_nothing(house: House) -> None:
    house.first.other_status = 603
    house.talk.say("REFER", house.second, f"Refer-To: <{uri('203')}>\r\n")
    house.talk.say("BYE", house.second)
    assert house.site.record.callee_user_id == "user-202"
    assert not any(one.startswith("transfer") for one in house.site.record.reasons)


def test_after_a_refused_transfer_a_call_to_there_is_another_one(house: House) -> None:
    house.first.other_status = 603
    house.talk.say("REFER", house.second, f"Refer-To: <{uri('203')}>\r\n")
    other = Talk(house.site, house.first, house.third)
    other.say("BYE", house.first)
    house.talk.say("BYE", house.second)
    assert [one.callee_user_id for one in house.site.log.records] == ["user-203", "user-202"]


def test_an_answer_past_a_phone_by_the_callers_own_route_is_not_its_users(site: MemorySite) -> None:
    caller, passed, own = site.phone("201"), site.phone("202"), site.phone("201", 200)
    caller.authenticated("INVITE", passed.contact, headers=f"Route: <{own.contact};lr>\r\n")
    assert caller.responses[-1].status == 200
    assert own.methods[:1] == ["INVITE"]
    (call,) = site.log.open_calls.values()
    assert call.callee_user_id is None


def test_another_call_of_who_was_sent_is_not_taken_for_it(house: House) -> None:
    house.talk.refer(house.second, uri("203"))
    other = Talk(house.site, house.first, house.site.phone("200", 200))
    other.say("BYE", house.first)
    assert house.site.record.callee == "200"


def test_a_call_is_passed_on_twice_by_who_has_it(house: House) -> None:
    house.talk.refer(house.second, uri("203"))
    passed = Talk(house.site, house.first, house.third)
    house.talk.say("BYE", house.second)
    passed.refer(house.third, uri("200"))
    again = Talk(house.site, house.first, house.site.phone("200", 200))
    passed.say("BYE", house.third)
    again.say("BYE", again.callee)
    told = [one for one in house.story() if one.startswith(("answered", "transferred"))]
    assert told == [
        "answered: 202 took the call",
        "transferred: 202 passed the call on to 203",
        "transferred: 203 passed the call on to 200",
    ]
    assert house.site.record.callee_user_id == "user-200"


# -- asking first


def asked(house: House) -> Talk:
    """202 asks 203."""
    return Talk(house.site, house.second, house.third)


def by_contact(phone: SipPhone, replaces: str) -> str:
    """Whom a REFER of an attended transfer names: the phone itself."""
    return f"{phone.contact}?Replaces={quote(replaces, safe='')}"


@pytest.mark.parametrize("named", ["by its contact", "by its user"])
def test_a_call_that_is_passed_on_after_asking_is_one_record_with_that_of_asking(house: House, named: str) -> None:
    asking = asked(house)
    replaces = asking.replaces(house.third)
    target = house.third.contact if named == "by its contact" else uri("203")
    house.talk.refer(house.second, f"{target}?Replaces={quote(replaces, safe='')}")
    passed = Talk(house.site, house.first, house.third, target, f"Replaces: {replaces}\r\n")
    assert house.third.ringing.has(b"replaces")
    asking.say("BYE", house.third)
    house.talk.say("BYE", house.second)
    assert house.site.log.records == []
    assert len(house.site.log.open_calls) == 1
    passed.say("BYE", house.first)
    record = house.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("201", "202", "user-203")
    told = house.story()
    assert told[:3] == [
        "answered: 202 took the call",
        "consulted: 202 asked 203 first",
        "transferred: 202 passed the call on to 203",
    ]
    assert told[-1] == "hung_up: 201 ended the call"
    assert house.site.log.open_calls == {}


def test_who_was_asked_may_be_the_one_who_is_sent(house: House) -> None:
    """RFC 5589 §7: REFER goes to the one of the two that knows it, which may be in the newer call."""
    asking = asked(house)
    replaces = house.talk.replaces(house.first)
    asking.refer(house.second, by_contact(house.first, replaces))
    house.first.answers = (200,)
    passed = Talk(house.site, house.third, house.first, house.first.contact, f"Replaces: {replaces}\r\n")
    house.talk.say("BYE", house.first)
    asking.say("BYE", house.second)
    passed.say("BYE", house.third)
    record = house.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("201", "202", "user-203")
    assert "consulted: 202 asked 203 first" in house.story()
    assert house.story()[-1] == "hung_up: 203 ended the call"
    assert house.site.log.open_calls == {}


def test_where_the_call_that_was_to_be_taken_over_is_gone_both_have_their_record(house: House) -> None:
    asking = asked(house)
    replaces = asking.replaces(house.third)
    house.talk.refer(house.second, by_contact(house.third, replaces))
    house.third.answers = (481,)
    house.first.authenticated("INVITE", house.third.contact, headers=f"Replaces: {replaces}\r\n")
    asking.say("BYE", house.third)
    house.talk.say("BYE", house.second)
    assert {(one.caller, one.callee) for one in house.site.log.records} == {("201", "202"), ("202", "203")}
    assert len(house.site.log.records) == 2
    assert house.site.log.open_calls == {}


def test_an_answer_that_comes_after_the_end_of_what_it_replaces_makes_it_one_record_all_the_same(house: House) -> None:
    asking = asked(house)
    replaces = asking.replaces(house.third)
    house.talk.refer(house.second, by_contact(house.third, replaces))
    house.third.answers = ()
    invite = house.first.authenticated("INVITE", house.third.contact, headers=f"Replaces: {replaces}\r\n")
    house.talk.say("BYE", house.second)
    asking.say("BYE", house.third)
    assert (house.site.log.records, len(house.site.log.open_calls)) == ([], 2)
    house.third.answer(200)
    house.site.network.run()
    assert len(house.site.log.open_calls) == 1
    house.first.in_dialog("BYE", invite, house.first.responses[-1])
    house.site.network.run()
    assert "consulted: 202 asked 203 first" in house.story()
    assert house.site.log.open_calls == {}


def test_a_transfer_that_leads_nowhere_leaves_two_records(house: House) -> None:
    asking = asked(house)
    house.talk.refer(house.second, by_contact(house.third, asking.replaces(house.third)))
    asking.say("BYE", house.third)
    house.talk.say("BYE", house.second)
    assert house.site.log.records == []
    house.sweep(SECONDS)
    assert {(one.caller, one.callee) for one in house.site.log.records} == {("201", "202"), ("202", "203")}
    assert house.site.log.open_calls == {}


def test_calls_of_before_a_restart_have_a_record_each_and_what_they_lead_to_has_one(house: House) -> None:
    """The records of the two calls were closed from the disk when the edge started again."""
    asking = asked(house)
    replaces = asking.replaces(house.third)
    house.site.log.open_calls.clear()
    house.site.endpoint = house.site.started()
    house.talk.refer(house.second, by_contact(house.third, replaces))
    passed = Talk(house.site, house.first, house.third, house.third.contact, f"Replaces: {replaces}\r\n")
    passed.say("BYE", house.first)
    record = house.site.record
    assert (record.caller, record.callee, record.callee_user_id) == ("201", "203", "user-203")


def test_of_too_many_transfers_that_wait_the_oldest_is_given_up(house: House) -> None:
    house.site.endpoint.calls.transfers.most = 1
    other = Talk(house.site, house.third, house.site.phone("200", 200))
    house.talk.refer(house.second, uri("203"))
    other.refer(other.callee, uri("202"))
    house.talk.say("BYE", house.second)
    assert house.site.record.callee == "202"
    other.say("BYE", other.callee)
    assert len(house.site.log.records) == 1


@given(st.binary(max_size=80))
def test_a_replaces_names_a_dialog_or_none(value: bytes) -> None:
    found = replaced_dialog(value)
    assert found is None or (all(found) and found[1] <= found[2])


@given(st.text("abc;=-% totagfrm", max_size=60))
def test_the_order_of_tags_does_not_matter(rest: str) -> None:
    value = f"call;to-tag=b;from-tag=a;{rest}".encode()
    found = replaced_dialog(value)
    assert found in (None, (b"call", b"a", b"b"))
    assert replaced_dialog(b"call;from-tag=b;to-tag=a") == (b"call", b"a", b"b")
