"""Calls that ring elsewhere are picked up: by code, by group, and by phones that ask for it with Replaces."""

from dataclasses import replace
from typing import Any

import pytest

from contract.dialplan import compile_plan
from contract.snapshot import (
    DialPlan,
    FeatureRule,
    HuntGroup,
    InternalRule,
    OutsideRule,
    PickupGroup,
    Site,
    Snapshot,
    User,
)
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message, parse
from edge_agent.sip.proxy.forking import ANSWERED_ELSEWHERE
from tests.edge_agent.sip.proxy.test_dial_plan import FIRST, GATEWAYS, OUT
from tests.edge_agent.sip.proxy.test_transfers import Talk
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, REALM, sip_config

REPLACES = "Supported: replaces, timer\r\n"
NUMBERS = ("200", "201", "202", "203")


def with_pickup(*rules: OutsideRule, **users: dict[str, Any]) -> SipConfig:
    """200 to 203, of whom 202 may pick up everybody's calls, and 203 those of 201; 300 is 201 and 202."""
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm=REALM),
        users=tuple(
            User(
                **{
                    "user_id": f"user-{name}",
                    "username": name,
                    "display_name": f"Desk {name}",
                    "permissions": ("CallPickup",) if name == "202" else (),
                    **users.get(f"u{name}", {}),
                }
            )
            for name in NUMBERS
        ),
        dial_plan=DialPlan(
            rules=(
                FeatureRule(rule_id="p", name="Pickup", code="*78", feature="pickup", permission="CallPickup"),
                FeatureRule(rule_id="g", name="Group pickup", code="*79", feature="group_pickup"),
                InternalRule(rule_id="internal"),
                *rules,
            ),
            gateways=GATEWAYS,
            hunt_groups=(HuntGroup(group_id="desk", name="Desk", extension="300", members=("user-201", "user-202")),),
            pickup_groups=(PickupGroup(group_id="g", name="G", members=("user-201", "user-203")),),
        ),
    )
    return replace(sip_config(), plan=compile_plan(snapshot))


@pytest.fixture
def office(site: MemorySite) -> MemorySite:
    site.configure(with_pickup())
    return site


def stories(site: MemorySite) -> list[list[str]]:
    """The codes of the reasons of each call, ended or not."""
    told = [call.reasons for call in site.log.records] + [call.reasons for call in site.log.open_calls.values()]
    return [[reason.partition(":")[0] for reason in reasons] for reasons in told]


def dial(phone: SipPhone, number: str, headers: str = "") -> Message:
    return phone.authenticated("INVITE", uri(number), headers=headers)


@pytest.mark.parametrize(("picker", "code"), [("202", "*78201"), ("203", "*79"), ("202", "*78300")])
def test_who_picks_up_gets_the_caller_and_the_call_is_one(office: MemorySite, picker: str, code: str) -> None:
    caller, callee = office.phone("200", 200), office.phone("201", 180)
    third = office.phone(picker)
    calling = dial(caller, "201", REPLACES)
    assert caller.statuses[-1] == 180
    early = caller.responses[-1]
    taking = dial(third, code)

    arrived = caller.ringing
    assert arrived.uri == caller.contact.encode()
    assert arrived.get(b"replaces") == (
        calling.call_id + b";to-tag=" + calling.from_tag + b";from-tag=" + early.to_tag + b";early-only"
    )
    assert third.statuses[-1] == 200
    cancel = next(one for one in callee.requests if one.method == b"CANCEL")
    assert cancel.get(b"reason") == ANSWERED_ELSEWHERE
    assert caller.statuses[-1] == 180, "the caller's own INVITE is his to give up"
    caller.cancel(calling)
    office.network.run()
    assert caller.statuses[-2:] == [200, 487]

    answer = third.responses[-1]
    third.in_dialog("ACK", taking, answer)
    third.in_dialog("BYE", taking, answer)
    office.network.run()
    assert caller.methods[-2:] == ["ACK", "BYE"]
    record = office.record
    assert (record.caller, record.callee, record.disposition) == ("200", "201", "answered")
    assert record.callee_user_id == f"user-{picker}"
    assert stories(office) == [["internal", "ring", "picked_up"]]
    assert len(office.endpoint.calls) == 0


def test_who_is_called_and_who_calls_hang_up_as_in_any_call(office: MemorySite) -> None:
    caller, third = office.phone("200", 200), office.phone("202")
    office.phone("201", 180)
    calling = dial(caller, "201", REPLACES)
    taking = dial(third, "*78201")
    caller.cancel(calling)
    third.in_dialog("ACK", taking, third.responses[-1])
    office.network.run()
    caller.in_dialog("BYE", caller.ringing, third.responses[-1], as_callee=True)
    office.network.run()
    assert third.methods == ["BYE"]
    assert office.record.disposition == "answered"


def refer(sender: SipPhone, invite: Message, answer: Message, target: str, *, as_callee: bool = False) -> int:
    """Ask the other end of a call to call somebody else; the status that comes back."""
    message = sender.in_dialog("INFO", invite, answer, as_callee=as_callee)
    sender.network.run()
    text = bytes(message).replace(b"INFO", b"REFER").replace(b"z9hG4bK", b"z9hG4bKr")
    sender.send(parse(text.replace(b"Max-Forwards", f"Refer-To: <{uri(target)}>\r\nMax-Forwards".encode(), 1)))
    sender.network.run()
    return sender.statuses[-1]


def test_a_transfer_of_a_picked_up_call_is_paid_by_who_asks_for_it(office: MemorySite) -> None:
    out = OUT.model_copy(update={"permissions": ("LocalDialing",)})
    office.configure(with_pickup(out, u202={"permissions": ("CallPickup", "LocalDialing")}))
    caller, third = office.phone("200", 200), office.phone("202", 200)
    office.phone("201", 180)
    calling = dial(caller, "201", REPLACES)
    taking = dial(third, "*78201")
    answer = third.responses[-1]
    caller.cancel(calling)
    third.in_dialog("ACK", taking, answer)
    office.network.run()
    assert refer(third, taking, answer, "0441234567") == 200
    assert refer(caller, caller.ringing, answer, "0441234567", as_callee=True) == 403


def test_a_caller_who_does_not_give_his_own_invite_up_is_told_its_end(office: MemorySite) -> None:
    caller, third = office.phone("200", 200), office.phone("202")
    office.phone("201", 180)
    dial(caller, "201", REPLACES)
    dial(third, "*78201")
    assert caller.statuses[-1] == 180
    office.network.run(6.0)
    assert caller.statuses[-1] == 487
    assert [call.callee_user_id for call in office.log.open_calls.values()] == ["user-202"]


def test_lamps_show_who_has_the_call_now(office: MemorySite) -> None:
    caller, third = office.phone("200", 200), office.phone("202")
    office.phone("201", 180)
    calling = dial(caller, "201", REPLACES)
    taking = dial(third, "*78201")
    caller.cancel(calling)
    office.network.run()
    parties = office.endpoint.calls.parties
    assert not list(parties.of_user("user-201"))
    (own,), (other,) = parties.of_user("user-202"), parties.of_user("user-200")
    assert (own.state, own.call_id, own.local_tag) == ("confirmed", taking.call_id, taking.from_tag)
    assert (other.state, other.call_id, other.remote_tag) == ("confirmed", taking.call_id, taking.from_tag)


def test_a_caller_whose_phone_knows_no_replaces_is_brought_to_the_phone_of_who_picks_up(office: MemorySite) -> None:
    gateway = SipPhone(office.network, FIRST, EDGE, "first", ())
    callee, third = office.phone("201", 180), office.phone("202", 200)
    office.phone("202", 180)
    gateway.request("INVITE", uri("201"))
    office.network.run()
    dial(third, "*78201")
    assert third.statuses[-1] == 480
    arrived = third.ringing
    assert arrived.get(b"answer-mode") == b"Auto"
    assert b"answer-after=0" in arrived.need(b"call-info")
    assert gateway.statuses[-1] == 200
    cancel = next(one for one in callee.requests if one.method == b"CANCEL")
    assert cancel.get(b"reason") == ANSWERED_ELSEWHERE
    assert [call.callee_user_id for call in office.log.open_calls.values()] == ["user-202"]
    assert stories(office) == [["inward", "internal", "ring", "pickup"]]


def test_the_longest_ringing_call_is_taken(office: MemorySite) -> None:
    first, second = office.phone("200", 200), office.phone("203", 200)
    office.phone("201", 180)
    dial(first, "201", REPLACES)
    office.network.run(1.0)
    dial(second, "201", REPLACES)
    dial(office.phone("202"), "*78201")
    assert "INVITE" in first.methods
    assert "INVITE" not in second.methods


@pytest.mark.parametrize(
    ("picker", "code", "status"),
    [("202", "*78201", 480), ("203", "*79", 480), ("203", "*78201", 403), ("200", "*79", 403)],
)
def test_without_anything_to_pick_up_or_permission_the_code_says_so(
    office: MemorySite, picker: str, code: str, status: int
) -> None:
    office.phone("201", 180)
    phone = office.phone(picker)
    dial(phone, code)
    assert phone.statuses[-1] == status


def test_an_answered_call_is_not_picked_up(office: MemorySite) -> None:
    caller, third = office.phone("200", 200), office.phone("202")
    office.phone("201", 180, 200)
    dial(caller, "201", REPLACES)
    dial(third, "*78201")
    assert third.statuses[-1] == 480
    assert "INVITE" not in caller.methods


def test_a_caller_who_refuses_goes_on_ringing_where_he_was(office: MemorySite) -> None:
    caller, callee, third = office.phone("200", 486), office.phone("201", 180), office.phone("202")
    dial(caller, "201", REPLACES)
    dial(third, "*78201")
    assert third.statuses[-1] == 486
    assert "CANCEL" not in callee.methods
    callee.answer(200)
    office.network.run()
    assert caller.statuses[-1] == 200


def test_the_called_phone_that_answers_meanwhile_has_the_call(office: MemorySite) -> None:
    caller, callee, third = office.phone("200"), office.phone("201", 180), office.phone("202")
    caller.answers = ()
    dial(caller, "201", REPLACES)
    dial(third, "*78201")
    callee.answer(200)
    office.network.run()
    caller.answer(486, caller.ringing)
    office.network.run()
    assert (caller.statuses[-1], third.statuses[-1]) == (200, 486)
    assert [call.callee_user_id for call in office.log.open_calls.values()] == ["user-201"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("picker", "status"), [("202", 200), ("203", 200), ("200", 403)])
def test_a_phone_that_watched_the_call_asks_for_it_by_replaces(
    office: MemorySite, picker: str, status: int, turned: bool
) -> None:
    """Whichever end of the dialog it names first: phones differ in that."""
    caller, callee = office.phone("200", 200), office.phone("201", 180)
    third = office.phone(picker)
    calling = dial(caller, "201", REPLACES)
    tags = [callee_tag(callee), calling.from_tag.decode()]
    if turned:
        tags.reverse()
    header = f"Replaces: {calling.call_id.decode()};to-tag={tags[0]};from-tag={tags[1]};early-only\r\n"
    dial(third, "201", header)
    assert third.statuses[-1] == status
    if status == 200:
        assert caller.ringing.all(b"replaces") == [
            calling.call_id
            + b";to-tag="
            + calling.from_tag
            + b";from-tag="
            + callee_tag(callee).encode()
            + b";early-only"
        ]


def callee_tag(phone: SipPhone) -> str:
    return f"to-{phone.username}-{phone.address[0]}"


def test_replaces_for_an_answered_call_is_the_phones_own_business(office: MemorySite) -> None:
    """An attended transfer: the phone that has the call takes the INVITE, or refuses it."""
    caller, callee, third = office.phone("200"), office.phone("201", 180, 200), office.phone("203")
    calling = dial(caller, "201", REPLACES)
    header = (
        f"Replaces: {calling.call_id.decode()};to-tag={callee_tag(callee)};from-tag={calling.from_tag.decode()}\r\n"
    )
    dial(third, "201", header)
    assert callee.ringing.get(b"replaces") == header.partition(": ")[2].strip().encode()


@pytest.mark.parametrize(
    "value", ["x", "x;to-tag=1", ";to-tag=;from-tag=", "x;to-tag=1;from-tag=2\r\nReplaces: y;to-tag=1;from-tag=2"]
)
def test_replaces_that_cannot_be_read_is_refused(office: MemorySite, value: str) -> None:
    office.phone("201", 180)
    phone = office.phone("202")
    dial(phone, "201", f"Replaces: {value}\r\n")
    assert phone.statuses[-1] == 400


def test_a_call_that_was_passed_on_is_picked_up_where_it_rings(office: MemorySite) -> None:
    first, second, third = office.phone("200"), office.phone("201", 200), office.phone("203", 180)
    picker = office.phone("202")
    talk = Talk(office, first, second)
    talk.refer(first, uri("203"))
    dial(second, "203", REPLACES)
    assert third.methods == ["INVITE"]
    dial(picker, "*78203")
    assert picker.statuses[-1] == 200
    assert third.methods[:2] == ["INVITE", "CANCEL"]
