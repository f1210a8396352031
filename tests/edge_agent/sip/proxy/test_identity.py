"""Who calls, as far as the edge vouches for it (RFC 3325), and who may not be told (RFC 3323)."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import Message
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN

PAI = b"p-asserted-identity"
OURS = b'"Desk 200" <sip:200@demo.tandem.test>'
FORGED = 'P-Asserted-Identity: "Boss" <sip:1@demo.tandem.test>\r\n'


def called(site: MemorySite, headers: str = "", dialled: str = "201") -> Message:
    """The INVITE of user 200 as the phone of 201 got it."""
    callee = site.phone("201", 200)
    site.phone("200").authenticated("INVITE", uri(dialled), headers=headers)
    return callee.ringing


def service(site: MemorySite, *answers: int) -> SipPhone:
    """A trusted service of the site, known by its address."""
    made = SipPhone(site.network, ("192.0.2.200", 7000), EDGE, "echo", answers)
    services = {"echo_test": "sip:echo@192.0.2.200:7000"}
    site.configure(replace(site.config, services=services, trusted=frozenset({made.address})))
    return made


def test_the_authenticated_user_is_asserted(site: MemorySite) -> None:
    """RFC 3325 §5."""
    assert called(site).all(PAI) == [OURS]


def test_what_a_phone_asserts_is_removed(site: MemorySite) -> None:
    """RFC 3325 §5: only our word goes on."""
    assert called(site, FORGED + FORGED).all(PAI) == [OURS]


@pytest.mark.parametrize(
    ("preferred", "asserted"),
    [
        (f'"Boss" <sip:desk200@{DOMAIN};x=1>', b'"Desk 200" <sip:desk200@demo.tandem.test>'),
        (f"<sip:201@{DOMAIN}>", OURS),
        ("<sip:200@elsewhere.test>", OURS),
        ("<tel:+123>", OURS),
    ],
)
def test_a_user_may_prefer_one_of_his_own_identities_only(site: MemorySite, preferred: str, asserted: bytes) -> None:
    """RFC 3325 §5, §9.2."""
    got = called(site, f"P-Preferred-Identity: {preferred}\r\n")
    assert got.all(PAI) == [asserted]
    assert got.get(b"p-preferred-identity") is None


def test_a_caller_who_asks_for_privacy_is_not_named_to_a_phone(site: MemorySite) -> None:
    """RFC 3325 §7."""
    got = called(site, "Privacy: id\r\n")
    assert got.all(PAI) == []
    assert got.get(b"privacy") == b"id"


@pytest.mark.parametrize("value", ["user", "header", "User;header", "session;user"])
def test_a_caller_who_asks_for_more_privacy_than_a_proxy_gives_is_not_named_either(
    site: MemorySite, value: str
) -> None:
    """RFC 3323 §4.2: what was not hidden elsewhere is at least not added here."""
    got = called(site, f"Privacy: {value}\r\n")
    assert got.get(b"p-asserted-identity") is None
    assert got.get(b"privacy") == value.encode()


def test_a_trusted_service_is_told_also_who_wants_privacy(site: MemorySite) -> None:
    """RFC 3325 §7: within the trust domain the identity stays."""
    echo = service(site, 200)
    site.phone("200").authenticated("INVITE", uri("*99"), headers="Privacy: id\r\n")
    assert echo.ringing.all(PAI) == [OURS]


@pytest.mark.parametrize(("value", "status"), [("none", 200), ("id;critical", 200), ("header;critical", 500)])
def test_a_critical_privacy_that_cannot_be_given_is_refused(site: MemorySite, value: str, status: int) -> None:
    """RFC 3323 §5."""
    site.phone("201", 200)
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"), headers=f"Privacy: {value}\r\n")
    assert caller.statuses[-1] == status


def test_the_word_of_a_trusted_peer_counts_by_its_address(site: MemorySite) -> None:
    """RFC 3325 §5, §6."""
    echo, callee = service(site), site.phone("201", 200)
    echo.request("INVITE", uri("201"), headers=FORGED)
    site.network.run()
    assert callee.ringing.all(PAI) == [b'"Boss" <sip:1@demo.tandem.test>']
    other_port = SipPhone(site.network, ("192.0.2.200", 7001), EDGE, "echo")
    other_port.request("INVITE", uri("201"), headers=FORGED)
    site.network.run()
    assert other_port.statuses == [407]


def test_an_identity_does_not_leave_the_site(site: MemorySite) -> None:
    """RFC 3325 §5: removed towards whom we do not trust."""
    outside = SipPhone(site.network, ("203.0.113.9", 5060), EDGE, "999", (200,))
    site.configure(replace(site.config, foreign_hosts=frozenset({"203.0.113.9"})))
    site.phone("200").authenticated("INVITE", "sip:friend@203.0.113.9")
    assert outside.ringing.all(PAI) == []


def test_what_a_phone_asserts_within_a_dialog_or_in_an_answer_is_removed(site: MemorySite) -> None:
    """RFC 3325 §5, §6."""
    caller, callee = site.phone("200", 200), site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    callee.answer(200, headers=((b"P-Asserted-Identity", b"<sip:1@demo.tandem.test>"),))
    site.network.run()
    assert caller.responses[-1].status == 200
    assert caller.responses[-1].all(PAI) == []
    info = caller.in_dialog("INFO", invite, caller.responses[-1]).copy()
    info.append(b"P-Asserted-Identity", b"<sip:1@demo.tandem.test>")
    info.lines = [line.replace(b"z9hG4bKd", b"z9hG4bKpai") for line in info.lines]
    caller.send(info)
    site.network.run()
    assert [one.all(PAI) for one in callee.requests if one.method == b"INFO"] == [[], []]


def test_an_anonymous_caller_is_let_in_by_his_credentials(site: MemorySite) -> None:
    """RFC 3323 §4.1.1.3."""
    callee, caller = site.phone("201", 200), site.phone("200")
    caller.authenticated(
        "INVITE", uri("201"), headers="Privacy: id\r\n", from_='"Anonymous" <sip:anonymous@anonymous.invalid>'
    )
    assert caller.statuses[-1] == 200
    assert b"200@" not in bytes(callee.ringing).split(b"Contact:")[0].split(b"From:")[1]
