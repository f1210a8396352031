"""Feature codes at the proxy: who is shown, which phones answer by themselves, who called last, how calls came."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dialplan import Diversion, SiteState
from contract.dialplan.callers import Names
from contract.snapshot import Feature, FeatureRule, Forwarding, InternalRule, PhonebookEntry, VoicemailRule
from edge_agent.sip.answering import remove_wishes
from edge_agent.sip.message import BadMessage, Message, parse
from edge_agent.sip.proxy.diversion import Diverted
from tests.edge_agent.sip.proxy.test_dial_plan import FIRST, OUT, invites, with_plan
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

CODES: tuple[tuple[str, Feature], ...] = (
    ("*62", "block_number"),
    ("*64", "block_last_caller"),
    ("*65", "show_caller_id"),
    ("*67", "hide_caller_id"),
    ("*69", "call_return"),
    ("*76", "intercom"),
)
RULES = (
    *(FeatureRule(rule_id=feature, name=feature, code=code, feature=feature) for code, feature in CODES),
    VoicemailRule(rule_id="voicemail", code="*97", prefix="*98"),
    InternalRule(rule_id="internal"),
    OUT,
)
ANONYMOUS = b'"Anonymous" <sip:anonymous@anonymous.invalid>'


def configure(site: MemorySite, **changes: Any) -> None:
    site.configure(with_plan(**{"rules": RULES, **changes}))


def dial(site: MemorySite, caller: str, number: str, headers: str = "", **other: str) -> SipPhone:
    phone = site.phone(caller)
    phone.authenticated("INVITE", uri(number), headers=headers, **other)
    return phone


# -- caller ID


def test_a_caller_who_hides_is_not_shown_by_a_phone_and_sees_himself_in_the_answers(site: MemorySite) -> None:
    configure(site)
    callee = site.phone("201", 180, 200)
    caller = dial(site, "200", "*67201")
    (invite,) = invites(callee)
    assert invite.need(b"from").startswith(ANONYMOUS)
    assert not invite.has(b"p-asserted-identity")
    assert invite.get(b"privacy") == b"id"
    assert {one.address(b"from").uri.user for one in caller.responses} == {b"200"}


def test_requests_within_a_call_whose_caller_hides_pass_both_ways(site: MemorySite) -> None:
    configure(site)
    callee, caller = site.phone("201", 180, 200), site.phone("200")
    invite = caller.authenticated("INVITE", uri("*67201"))
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    site.network.run()
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert caller.methods == ["BYE"]
    assert site.record.disposition == "answered"


def test_a_hidden_caller_leaves_the_site_hidden(site: MemorySite) -> None:
    configure(site)
    gateway = SipPhone(site.network, FIRST, EDGE, "first", (200,))
    dial(site, "200", "*670441234567")
    assert gateway.ringing.get(b"privacy") == b"id"
    assert gateway.ringing.need(b"from").startswith(ANONYMOUS)


# -- the last caller


def last_of(site: MemorySite, user: str) -> str | None:
    return site.endpoint._local.last_callers.by_user.get(f"user-{user}")


def test_the_last_caller_is_called_back_also_after_a_restart(site: MemorySite) -> None:
    configure(site)
    site.phone("201", 486)
    dial(site, "200", "201")
    assert last_of(site, "201") == "200"
    site.network.run(30.0)
    site.config = with_plan(rules=RULES)
    site.endpoint = site.started()
    dial(site, "201", "*69")
    assert last_of(site, "201") == "200"
    assert [call.callee_user_id for call in site.log.open_calls.values()] == ["user-200"]


def test_a_number_beyond_the_site_is_called_back_by_its_gateway(site: MemorySite) -> None:
    configure(site)
    gateway = SipPhone(site.network, FIRST, EDGE, "first", (200,))
    site.phone("201", 486)
    gateway.request("INVITE", uri("201"), from_=f"<{uri('0441234567')}>")
    site.network.run()
    dial(site, "201", "*69")
    assert gateway.ringing.uri == b"sip:+41441234567@192.0.2.101"


@pytest.mark.parametrize("number", ["*67201", "201"])
def test_who_hides_is_nobodys_last_caller(site: MemorySite, number: str) -> None:
    configure(site)
    site.phone("201", 486)
    dial(site, "200", number, "Privacy: id\r\n")
    assert last_of(site, "201") is None


def test_nobody_is_remembered_where_no_rule_asks_for_it(site: MemorySite) -> None:
    site.configure(with_plan())
    site.phone("201", 486)
    dial(site, "200", "201")
    assert last_of(site, "201") is None


def test_the_last_caller_is_blocked_by_a_code(site: MemorySite) -> None:
    configure(site)
    site.phone("201", 486)
    dial(site, "200", "201")
    dial(site, "201", "*64")
    assert site.wrote == [{"blocked/200/user-201": True}]


# -- who is not wanted


@pytest.mark.parametrize(
    ("asserted", "from_", "status"),
    [
        ("", "<sip:0791112233@x>", 603),
        ("P-Asserted-Identity: <sip:+41791112233@x>\r\n", "<sip:anonymous@anonymous.invalid>", 603),
        ("P-Asserted-Identity: <tel:+41791112233>\r\n", "<sip:0800@x>", 603),
        ("", "<sip:0791112234@x>", 180),
        ("", "<sip:anonymous@anonymous.invalid>", 433),
        ("Privacy: id\r\n", "<sip:0791112234@x>", 433),
        ("P-Asserted-Identity: nonsense\r\n", "<sip:0791112234@x>", 180),
    ],
)
def test_a_caller_from_outside_is_known_by_what_he_shows(
    site: MemorySite, asserted: str, from_: str, status: int
) -> None:
    state = SiteState(blocked={"user-201": frozenset({"41791112233"})}, no_anonymous=frozenset({"user-201"}))
    configure(site, state=state)
    gateway = SipPhone(site.network, FIRST, EDGE, "first", ())
    site.phone("201", 180)
    gateway.request("INVITE", uri("201"), headers=asserted, from_=from_)
    site.network.run()
    assert gateway.statuses[-1] == status


def test_who_is_in_a_call_and_wants_no_second_one_is_busy(site: MemorySite) -> None:
    configure(site, state=SiteState(no_second_call=frozenset({"user-201", "user-202"})))
    callee = site.phone("201", 180, 200)
    dial(site, "200", "201")
    second = dial(site, "203", "201")
    assert second.statuses[-1] == 486
    assert len(invites(callee)) == 1
    site.phone("202", 180, 200)
    assert dial(site, "203", "202").statuses[-1] == 200


# -- intercom


def test_an_intercom_call_asks_the_phone_to_answer_in_the_way_of_every_maker(site: MemorySite) -> None:
    configure(site)
    callee = site.phone("201", 200)
    dial(site, "200", "*76201")
    (invite,) = invites(callee)
    assert invite.get(b"answer-mode") == b"Auto"
    assert invite.all(b"call-info") == [b"<sip:intercom.invalid>;answer-after=0"]
    assert invite.all(b"alert-info") == [b"<http://intercom.invalid>;info=alert-autoanswer;delay=0"]


WISHES = (
    "Answer-Mode: Auto;require\r\n"
    "Priv-Answer-Mode: Auto\r\n"
    "Call-Info: <sip:x>;answer-after=0\r\n"
    "Call-Info: <http://x/photo.jpg>;purpose=icon\r\n"
    "Alert-Info: <http://x>;info=alert-autoanswer\r\n"
    "Alert-Info: <http://x>;info=external\r\n"
)


@pytest.mark.parametrize("by_gateway", [False, True])
def test_nobody_makes_a_phone_answer_by_a_header_of_his_own(site: MemorySite, by_gateway: bool) -> None:
    configure(site)
    callee = site.phone("201", 180)
    if by_gateway:
        SipPhone(site.network, FIRST, EDGE, "first", ()).request("INVITE", uri("201"), headers=WISHES)
        site.network.run()
    else:
        dial(site, "200", "201", WISHES)
    (invite,) = invites(callee)
    assert not invite.has(b"answer-mode")
    assert not invite.has(b"priv-answer-mode")
    assert invite.all(b"call-info") == [b"<http://x/photo.jpg>;purpose=icon"]
    assert invite.all(b"alert-info") == [b"<http://x>;info=external"]


@given(st.text(max_size=60).map(lambda text: text.replace("\r", "").replace("\n", "")))
def test_no_wish_survives_whatever_it_is_mixed_with(text: str) -> None:
    data = (
        f"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCall-Info: {text};Answer-After=0\r\n"
        "From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
    )
    try:
        request = parse(data.encode())
    except BadMessage:
        return
    remove_wishes(request)
    assert b"answer-after" not in bytes(request).lower()


# -- calls that were sent on


def test_who_is_reached_by_a_forward_learns_the_calls_way(site: MemorySite) -> None:
    forwarding = {"user-201": Forwarding(always="202"), "user-202": Forwarding(busy="203")}
    configure(site, state=SiteState(forwarding=forwarding))
    site.phone("202", 486)
    callee = site.phone("203", 180)
    dial(site, "200", "201")
    (invite,) = invites(callee)
    assert invite.all(b"diversion") == [
        b"<sip:202@demo.tandem.test>;reason=user-busy;counter=1",
        b"<sip:201@demo.tandem.test>;reason=unconditional;counter=1",
    ]
    assert invite.all(b"history-info") == [
        b"<sip:201@demo.tandem.test?Reason=SIP%3Bcause%3D302>;index=1",
        b"<sip:202@demo.tandem.test?Reason=SIP%3Bcause%3D486>;index=1.1;mp=1",
        b"<sip:203@demo.tandem.test>;index=1.1.1;mp=1.1",
    ]


def test_a_call_that_goes_straight_tells_of_no_way(site: MemorySite) -> None:
    configure(site)
    callee = site.phone("201", 180)
    dial(site, "200", "201")
    (invite,) = invites(callee)
    assert not invite.has(b"diversion")
    assert not invite.has(b"history-info")


def test_a_way_that_others_began_is_continued() -> None:
    data = (
        "INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\n"
        "Diversion: <sip:z@y>;reason=no-answer\r\nHistory-Info: <sip:w@y>;index=1, <sip:z@y>;index=1.2;rc=1\r\n"
        "Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
    )
    request = parse(data.encode())
    Diverted((Diversion("201", "no-answer"),), b"y", b"sip:202@y").write(request)
    assert request.values(b"diversion") == [b"<sip:201@y>;reason=no-answer;counter=1", b"<sip:z@y>;reason=no-answer"]
    assert request.values(b"history-info")[2:] == [
        b"<sip:201@y?Reason=SIP%3Bcause%3D408>;index=1.2.1;mp=1.2",
        b"<sip:202@y>;index=1.2.1.1;mp=1.2.1",
    ]


# -- names from the phonebook


def called(site: MemorySite, from_: str, asserted: str = "", **changes: Any) -> Message:
    """What 201 gets of a call that the first gateway brings, where the phonebook has the plumber."""
    entry = PhonebookEntry(entry_id="e", name='The "Plumber"', numbers=("+41791112233",))
    config = with_plan(**{"rules": RULES, **changes})
    site.configure(replace(config, plan=replace(config.plan, names=Names([entry]))))
    callee = site.phone("201", 180)
    gateway = SipPhone(site.network, FIRST, EDGE, "first", ())
    gateway.request("INVITE", uri("201"), headers=asserted, from_=from_)
    site.network.run()
    assert {one.need(b"from").partition(b";")[0] for one in gateway.responses} == {from_.encode()}
    return callee.ringing


def test_who_is_in_the_phonebook_is_shown_by_name_and_hears_nothing_of_it(site: MemorySite) -> None:
    invite = called(site, "<sip:0791112233@provider.test>", "P-Asserted-Identity: <sip:+41791112233@x>\r\n")
    assert invite.need(b"from").startswith(b'"The \\"Plumber\\"" <sip:0791112233@provider.test>;tag=')
    assert invite.all(b"p-asserted-identity") == [b'"The \\"Plumber\\"" <sip:+41791112233@x>']
    assert invite.address(b"from").name == 'The "Plumber"'


@pytest.mark.parametrize("from_", ["<sip:0791112234@x>", '"Name" <sip:anonymous@anonymous.invalid>', "<sip:2233@x>"])
def test_who_is_not_in_the_phonebook_stays_as_he_is(site: MemorySite, from_: str) -> None:
    assert called(site, from_).need(b"from").partition(b";")[0] == from_.encode()


def test_a_name_from_the_phonebook_stays_inside(site: MemorySite) -> None:
    forwarding = {"user-202": Forwarding(always="0441234567")}
    entry = PhonebookEntry(entry_id="e", name="Plumber", numbers=("0791112233",))
    config = with_plan(rules=(InternalRule(rule_id="i"), OUT), state=SiteState(forwarding=forwarding))
    site.configure(replace(config, plan=replace(config.plan, names=Names([entry]))))
    second = SipPhone(site.network, ("192.0.2.102", 5080), EDGE, "second", ())
    first = SipPhone(site.network, FIRST, EDGE, "first", (180,))
    second.request("INVITE", uri("202"), from_="<sip:0791112233@x>")
    site.network.run()
    assert b"Plumber" not in first.ringing.need(b"from")


# -- voicemail


def test_the_voicemail_is_told_by_its_uri_whose_mailbox_is_meant(site: MemorySite) -> None:
    user = {"permissions": ("Voicemail",)}
    configure(site, users={"201": user}, state=SiteState(forwarding={"user-201": Forwarding(busy="*97")}))
    service = SipPhone(site.network, ("127.0.0.1", 5070), EDGE, "voicemail", (200,))
    site.configure(replace(site.endpoint._config, services={"voicemail": "sip:vm@127.0.0.1:5070"}))
    dial(site, "200", "*98201")
    assert service.ringing.uri == b"sip:vm@127.0.0.1:5070;action=deposit;mailbox=201"
    site.phone("201", 486)
    dial(site, "200", "201")
    assert service.ringing.uri == b"sip:vm@127.0.0.1:5070;action=deposit;mailbox=201;cause=486"
    assert service.ringing.get(b"diversion") == b"<sip:201@demo.tandem.test>;reason=user-busy;counter=1"
    dial(site, "201", "*97")
    assert service.ringing.uri == b"sip:vm@127.0.0.1:5070;action=retrieve;mailbox=201"


def test_a_mailbox_without_a_voicemail_is_not_there(site: MemorySite) -> None:
    configure(site, users={"201": {"permissions": ("Voicemail",)}})
    assert dial(site, "200", "*98201").statuses[-1] in (500, 503)
