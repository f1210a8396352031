"""Transfers go by the permissions of who asks for them, whoever places the call then."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.snapshot import Attendant, AttendantMenu, FeatureRule, InternalRule, Trunk
from edge_agent.sip.answering import VOUCHER
from edge_agent.sip.message import NameAddr, parse
from edge_agent.sip.proxy.referrals import SECONDS, Referrals
from tests.edge_agent.sip.proxy.test_dial_plan import FIRST, OUT, with_plan
from tests.support.hand_clock import HandClock
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import KEY

RULES = (
    FeatureRule(rule_id="forward", name="Forward", code="*72", feature="forward_always"),
    InternalRule(rule_id="internal"),
    OUT.model_copy(update={"permissions": ("LocalDialing",)}),
)
MAY: dict[str, Any] = {"permissions": ("LocalDialing",)}
NUMBER = "0441234567"


@pytest.fixture
def office(site: MemorySite) -> MemorySite:
    """201 may call out, 200 and 202 may not."""
    site.configure(with_plan(rules=RULES, users={"201": MAY}))
    return site


def transferred(site: MemorySite, referrer: str, other: str, target: str, header: str = "") -> tuple[int, str]:
    """A call from 200 or 201 to the other, in which the first asks that the other calls `target`: the status of the
    REFER, and the Refer-To that arrived."""
    asking, asked = site.phone(referrer), site.phone(other, 200)
    invite = asking.authenticated("INVITE", uri(other))
    answer = asking.responses[-1]
    routes = "".join(f"Route: {one.decode()}\r\n" for one in answer.values(b"record-route")[::-1])
    to = NameAddr.parse(answer.values(b"contact")[0]).uri.text.decode()
    host, port = asking.host, asking.address[1]
    text = (
        f"REFER {to} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKrefer{referrer};rport\r\n{routes}"
        f"Max-Forwards: 70\r\nFrom: {answer.need(b'from').decode()}\r\nTo: {answer.need(b'to').decode()}\r\n"
        f"Call-ID: {invite.call_id.decode()}\r\nCSeq: 200 REFER\r\nContact: <{asking.contact}>\r\n"
        f"Refer-To: <{target}>\r\n{header}Content-Length: 0\r\n\r\n"
    )
    asking.send(parse(text.encode()))
    site.network.run()
    arrived = [one for one in asked.requests if one.method == b"REFER"]
    return asking.statuses[-1], arrived[0].need(b"refer-to").decode() if arrived else ""


def test_who_may_not_call_out_sends_nobody_out(office: MemorySite) -> None:
    assert transferred(office, "200", "201", uri(NUMBER)) == (403, "")
    (call,) = office.log.open_calls.values()
    assert call.reasons[-1] == f"transfer_refused: 200 may not pass the call on to {NUMBER} (Transfer Not Allowed)"


def test_who_may_call_out_vouches_for_who_is_sent_there(office: MemorySite) -> None:
    gateway = SipPhone(office.network, FIRST, EDGE, "first", (200,))
    status, refer_to = transferred(office, "201", "202", uri(NUMBER))
    assert status == 200
    voucher = refer_to.partition("X-Tandem-Referrer=")[2].rstrip(">")
    assert voucher
    sent = office.phone("202")
    sent.authenticated("INVITE", uri(NUMBER))
    assert sent.statuses[-1] == 403
    sent.authenticated("INVITE", uri(NUMBER), headers=f"X-Tandem-Referrer: {voucher}\r\n")
    assert sent.statuses[-1] == 200
    assert not gateway.ringing.has(VOUCHER)
    sent.authenticated("INVITE", uri("0449999999"), headers=f"X-Tandem-Referrer: {voucher}\r\n")
    assert sent.statuses[-1] == 403
    office.network.run(SECONDS + 1.0)
    again = office.phone("202")
    again.authenticated("INVITE", uri(NUMBER), headers=f"X-Tandem-Referrer: {voucher}\r\n")
    assert again.statuses[-1] == 403


def test_nobody_is_sent_to_a_code_that_changes_his_own_calls(office: MemorySite) -> None:
    assert transferred(office, "201", "202", uri("*720900123456")) == (403, "")
    assert office.wrote == []


@pytest.mark.parametrize(
    "target",
    [
        uri("202"),
        "sip:202@192.0.2.99:5060",
        f"{uri(NUMBER)}?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2",
        f"{uri(NUMBER)};method=BYE",
        "tel:+41441234567",
        "http://example.test/page",
    ],
)
def test_other_transfers_are_the_phones_own_business(office: MemorySite, target: str) -> None:
    status, refer_to = transferred(office, "200", "201", target)
    assert status == 200
    assert refer_to.startswith(f"<{target}")


def test_two_places_to_go_are_one_too_many(office: MemorySite) -> None:
    assert transferred(office, "201", "202", uri("200"), f"Refer-To: <{uri('203')}>\r\n") == (400, "")


def test_a_caller_from_outside_sends_nobody_out(office: MemorySite) -> None:
    gateway = SipPhone(office.network, FIRST, EDGE, "first", ())
    callee = office.phone("201", 200)
    invite = gateway.request("INVITE", uri("201"))
    office.network.run()
    answer = gateway.responses[-1]
    message = gateway.in_dialog("INFO", invite, answer)
    office.network.run()
    text = bytes(message).replace(b"INFO", b"REFER").replace(b"z9hG4bK", b"z9hG4bKr")
    refer_to = f"Refer-To: <{uri(NUMBER)}>\r\nMax-Forwards".encode()
    gateway.send(parse(text.replace(b"Max-Forwards", refer_to)))
    office.network.run()
    assert gateway.statuses[-1] == 403
    assert "REFER" not in callee.methods


@given(st.binary(max_size=60).filter(lambda data: b"\r" not in data and b"\n" not in data))
def test_no_voucher_but_our_own_counts(value: bytes) -> None:
    request = parse(
        b"INVITE sip:1@x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\n"
        b"Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
    )
    request.append(b"X-Tandem-Referrer", value)
    assert Referrals(KEY, HandClock()).referrer(request, "1") is None
    assert not request.has(VOUCHER)


# -- attendants

BARE = Attendant(
    service_id="bare",
    name="Bare",
    extension="400",
    menus=(AttendantMenu(menu_id="main", name="Main"),),
    first_menu="main",
)
GRANTED = BARE.model_copy(update={"service_id": "granted", "extension": "401", "permissions": ("LocalDialing",)})
MEDIA = ("192.0.2.2", 6000)


@pytest.fixture
def attended(site: MemorySite) -> tuple[MemorySite, SipPhone]:
    """Two attendants at the media process; 202 may not call out."""
    config = with_plan(rules=RULES, users={"201": MAY}, voice_services=(BARE, GRANTED))
    services = {"attendant": f"sip:attendant@{MEDIA[0]}:{MEDIA[1]}"}
    site.configure(replace(config, services=services, trusted=frozenset({MEDIA})))
    return site, SipPhone(site.network, MEDIA, EDGE, "attendant", (200,))


def sent_on(site: MemorySite, media: SipPhone, caller: SipPhone, target: str) -> tuple[int, str]:
    """The attendant that a caller talks to sends him to `target`: the status of its REFER, and what arrived."""
    invite, answer = media.ringing, caller.responses[-1]
    text = bytes(media.in_dialog("INFO", invite, answer, as_callee=True)).decode()
    site.network.run()
    refer = text.replace("INFO", "REFER").replace("z9hG4bK", "z9hG4bKr")
    media.send(parse(refer.replace("Max-Forwards", f"Refer-To: <{target}>\r\nMax-Forwards").encode()))
    site.network.run()
    arrived = [one for one in caller.requests if one.method == b"REFER"]
    return media.statuses[-1], arrived[-1].need(b"refer-to").decode() if arrived else ""


@pytest.mark.parametrize(
    ("attendant", "target", "status"),
    [("400", "201", 200), ("400", NUMBER, 403), ("401", NUMBER, 200), ("401", "*720900123456", 403)],
)
def test_an_attendant_sends_callers_only_where_its_own_permissions_lead(
    attended: tuple[MemorySite, SipPhone], attendant: str, target: str, status: int
) -> None:
    site, media = attended
    caller = site.phone("201", 200)
    caller.authenticated("INVITE", uri(attendant))
    assert caller.statuses[-1] == 200
    told = media.ringing.uri.decode().partition(";")[2]
    assert told == f"service={'bare' if attendant == '400' else 'granted'};user=user-201"
    got, refer_to = sent_on(site, media, caller, uri(target))
    assert got == status
    assert bool(refer_to) is (status == 200)


def test_who_may_not_call_out_does_so_where_a_granted_attendant_sent_him_and_nowhere_else(
    attended: tuple[MemorySite, SipPhone],
) -> None:
    site, media = attended
    gateway = SipPhone(site.network, FIRST, EDGE, "first", (200,))
    caller = site.phone("202", 200)
    caller.authenticated("INVITE", uri("401"))
    _, refer_to = sent_on(site, media, caller, uri(NUMBER))
    voucher = refer_to.partition("X-Tandem-Referrer=")[2].rstrip(">")
    assert voucher.startswith("service:granted.")
    again = site.phone("202")
    for number, status in ((NUMBER, 200), ("0449999999", 403)):
        again.authenticated("INVITE", uri(number), headers=f"X-Tandem-Referrer: {voucher}\r\n")
        assert again.statuses[-1] == status
    assert not gateway.ringing.has(VOUCHER)
    forged = voucher.replace("granted", "bare")
    again.authenticated("INVITE", uri(NUMBER), headers=f"X-Tandem-Referrer: {forged}\r\n")
    assert again.statuses[-1] == 403


def test_a_caller_from_outside_reaches_no_outside_line_by_an_attendant(attended: tuple[MemorySite, SipPhone]) -> None:
    site, media = attended
    gateway = SipPhone(site.network, FIRST, EDGE, "first", (200,))
    gateway.request("INVITE", uri("400"))
    site.network.run()
    assert gateway.statuses[-1] == 200
    assert b"user=" not in media.ringing.uri
    assert sent_on(site, media, gateway, uri(NUMBER)) == (403, "")
    status, refer_to = sent_on(site, media, gateway, uri("201"))
    assert status == 200
    # What he does by himself afterwards is not the attendant's.
    voucher = refer_to.partition("X-Tandem-Referrer=")[2].rstrip(">")
    gateway.request("INVITE", uri(NUMBER), headers=f"X-Tandem-Referrer: {voucher}\r\n")
    site.network.run()
    assert gateway.statuses[-1] == 403


def test_a_call_of_a_trunk_is_sent_on_with_the_permissions_of_the_attendant_and_no_others(site: MemorySite) -> None:
    trunk = Trunk(gateway_id="trunk", name="Trunk", host="voice.test", username="office")
    config = with_plan(rules=RULES, voice_services=(BARE, GRANTED), trunks=(trunk,))
    agent = SipPhone(site.network, ("127.0.0.1", 5070), EDGE, "trunks", (200,))
    media = SipPhone(site.network, MEDIA, EDGE, "attendant", (200,))
    services = {"attendant": f"sip:attendant@{MEDIA[0]}:{MEDIA[1]}"}
    trusted = frozenset({MEDIA, agent.address})
    site.configure(replace(config, services=services, trunks_at=agent.address, trusted=trusted))
    gateway = SipPhone(site.network, FIRST, EDGE, "first", (200,))
    agent.request("INVITE", uri("401"))
    site.network.run()
    assert agent.statuses[-1] == 200
    assert sent_on(site, media, agent, uri(NUMBER)) == (200, f"<{uri(NUMBER)}>")
    refer = [one for one in agent.requests if one.method == b"REFER"][-1]
    assert refer.need(b"p-served-user") == f"<{uri('401')}>".encode()
    # The user agent of trunks places the call that it was asked for.
    for served, status in (("401", 200), ("400", 403), ("", 403)):
        headers = f"P-Served-User: <{uri(served)}>\r\n" if served else ""
        agent.request("INVITE", uri(NUMBER), headers=headers)
        site.network.run()
        assert agent.statuses[-1] == status, served
    assert not gateway.ringing.has(b"p-served-user")


def test_a_voucher_in_a_transfer_is_read_for_its_number_only() -> None:
    referrals = Referrals(KEY, HandClock())
    target = NameAddr.parse(f"<{uri(NUMBER)}>".encode()).uri
    request = parse(f"REFER {uri('200')} SIP/2.0\r\nRefer-To: <{uri(NUMBER)}>\r\n\r\n".encode())
    referrals.vouch(request, target, "user-201")
    vouched = NameAddr.parse(request.need(b"refer-to")).uri
    assert referrals.passed_on(vouched) == "user-201"
    elsewhere = NameAddr.parse(request.need(b"refer-to").replace(NUMBER.encode(), b"0449999999")).uri
    assert referrals.passed_on(elsewhere) is None
    assert referrals.passed_on(target) is None
