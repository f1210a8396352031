"""What the proxy refuses, answers itself or drops (RFC 3261 §8.2, §16.3), and its limits."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.sip.message import DropReason, Flow
from tests.edge_agent.sip.message.test_parse import INVITE
from tests.support.memory_site import EDGE, MemorySite, uri, with_limits
from tests.support.sip_site import DOMAIN


@pytest.mark.parametrize(
    ("method", "target", "arguments", "status", "reason"),
    [
        ("INVITE", uri("201"), {"hops": "0"}, 483, "Too Many Hops"),
        ("INVITE", uri("201"), {"hops": "x"}, 400, "Malformed Max-Forwards"),
        ("INVITE", uri("201"), {"headers": "Proxy-Require: foo\r\n"}, 420, "Bad Extension"),
        ("INVITE", uri("201"), {"headers": "Route: nonsense\r\n"}, 400, "Malformed URI in Route"),
        ("INVITE", uri("201"), {"cseq": "99999999999"}, 400, "Malformed CSeq"),
        ("INVITE", "mailto:a@b", {}, 416, "Unsupported URI Scheme"),
        ("INVITE", "tel:nobody", {}, 400, "Malformed Telephone Number"),
        ("INVITE", f"sips:201@{DOMAIN}", {}, 416, "Unsupported URI Scheme"),
        ("INVITE", "sip:201@bad_port:99999", {}, 400, "Malformed URI in To"),
        ("INVITE", "sip:201@bad_port:99999", {"to": f"<{uri('201')}>"}, 400, "Malformed URI: port"),
        ("INVITE", f"sip:{DOMAIN}", {}, 405, "Method Not Allowed"),
        ("OPTIONS", f"sip:{DOMAIN}", {}, 200, "OK"),
        ("OPTIONS", f"sip:{EDGE[0]}:{EDGE[1]}", {"hops": "0"}, 200, "OK"),
        ("OPTIONS", f"sip:{DOMAIN}", {"headers": "Require: foo\r\n"}, 420, "Bad Extension"),
        ("OPTIONS", uri("201"), {}, 407, "Proxy Authentication Required"),
        ("BYE", f"sip:{DOMAIN}", {"to": f"<{uri('201')}>;tag=x"}, 481, "Call/Transaction Does Not Exist"),
        ("CANCEL", uri("201"), {}, 481, "Call/Transaction Does Not Exist"),
        ("MESSAGE", "sip:someone@203.0.113.9", {}, 407, "Proxy Authentication Required"),
        ("FLY", uri("201"), {}, 407, "Proxy Authentication Required"),
    ],
)
def test_each_defect_is_answered_by_its_name(
    site: MemorySite, method: str, target: str, arguments: dict[str, str], status: int, reason: str
) -> None:
    phone = site.phone("200", registered=False)
    phone.request(method, target, **arguments)
    site.network.run()
    assert [(one.status, one.reason.decode()) for one in phone.responses] == [(status, reason)]


def test_what_we_support_is_said_in_answer_to_options(site: MemorySite) -> None:
    phone = site.phone("200", registered=False)
    phone.request("OPTIONS", f"sip:{DOMAIN}")
    site.network.run()
    assert b"INVITE" in (phone.responses[-1].get(b"allow") or b"")


def test_a_subscription_that_names_no_event_is_refused(site: MemorySite) -> None:
    phone = site.phone("200")
    phone.authenticated("SUBSCRIBE", uri("200"))
    assert phone.statuses[-1] == 489


def test_another_version_of_sip_is_answered_505(site: MemorySite) -> None:
    phone = site.phone("200", registered=False)
    data = INVITE.replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1).replace(b"192.0.2.1:5062", b"192.0.2.11:5060")
    site.network.send(data, phone.address, EDGE)
    site.network.run()
    assert phone.statuses == [505]
    assert site.endpoint.drops[DropReason.BAD_VERSION] == 1


def test_what_is_no_sip_is_dropped_and_counted(site: MemorySite) -> None:
    for data in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 70_000):
        site.endpoint.received(data, Flow("udp", "192.0.2.99", 5060), 0.0)
    assert site.endpoint.drops == {
        DropReason.NO_END_OF_HEADERS: 1,
        DropReason.NOT_SIP: 1,
        DropReason.TOO_LARGE: 1,
    }


def test_a_response_that_nobody_waits_for_is_dropped(site: MemorySite) -> None:
    stray = INVITE.replace(b"INVITE sip:201@demo.tandem.test SIP/2.0", b"SIP/2.0 200 OK")
    site.endpoint.received(stray, Flow("udp", "192.0.2.99", 5060), 0.0)
    assert site.endpoint.drops == {DropReason.UNKNOWN_RESPONSE: 1}


def test_an_ack_of_no_dialog_is_dropped(site: MemorySite) -> None:
    phone = site.phone("200", registered=False)
    phone.request("ACK", uri("201"), to=f"<{uri('201')}>;tag=x")
    site.network.run()
    assert phone.responses == []
    assert site.endpoint.drops == {DropReason.STRAY_ACK: 1}


def test_over_the_limit_of_transactions_calls_are_refused_503(site: MemorySite) -> None:
    phone = site.phone("200")
    site.configure(with_limits(site.config, transactions=0))
    phone.request("INVITE", uri("201"))
    site.network.run()
    assert phone.statuses == [503]


def test_a_request_goes_to_no_more_contacts_than_the_limit(site: MemorySite) -> None:
    caller, phones = site.phone("200"), [site.phone("201") for _ in range(4)]
    site.configure(with_limits(site.config, branches=3))
    caller.authenticated("INVITE", uri("201"))
    assert sum(len(phone.methods) for phone in phones) == 3


def test_over_the_limit_of_open_calls_the_oldest_is_closed(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201", 200)
    site.configure(with_limits(site.config, open_calls=2))
    for _ in range(3):
        caller.authenticated("INVITE", uri("201"))
    assert len(site.endpoint.calls) == 2
    assert site.record.interrupted


@given(at=st.integers(0, len(INVITE)), junk=st.binary(max_size=8), cut=st.integers(0, 12))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damaged_messages_never_meet_an_internal_error(site: MemorySite, at: int, junk: bytes, cut: int) -> None:
    site.endpoint.received(INVITE[:at] + junk + INVITE[at + cut :], Flow("udp", "192.0.2.99", 5060), 0.0)
    assert site.endpoint.drops[DropReason.INTERNAL_ERROR] == 0


def test_a_strict_routers_request_is_put_right(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    bye = caller.in_dialog("BYE", invite, answer)
    site.network.run()
    strict = bye.copy()
    own = strict.values(b"route")[0].strip(b"<>")
    strict.replace_at(strict.index(b"route"), b"<" + strict.uri + b">")
    strict.set_uri(own)
    strict.set(b"CSeq", b"900 BYE")
    strict.lines = [line.replace(b"z9hG4bKd", b"z9hG4bKstrict") for line in strict.lines]
    caller.send(strict)
    site.network.run()
    assert [one.uri for one in callee.requests if one.method == b"BYE"] == [callee.contact.encode()] * 2
