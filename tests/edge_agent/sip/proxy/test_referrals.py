"""Transfers go by the permissions of who asks for them, whoever places the call then."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.snapshot import FeatureRule, InternalRule
from edge_agent.sip.message import NameAddr, parse
from edge_agent.sip.proxy.referrals import SECONDS, VOUCHER, Referrals
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
