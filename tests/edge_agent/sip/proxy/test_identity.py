"""Who calls, as far as the edge vouches for it (RFC 3325), and who may not be told (RFC 3323)."""

from dataclasses import replace

import pytest

from contract.snapshot import FromPolicy, TrustedPeer
from edge_agent.sip.message import Message
from edge_agent.sip.transport.peer import Anchors, VerifiedPeer
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


@pytest.mark.parametrize("value", ["none", "session", "critical", "none;critical"])
def test_privacy_that_does_not_concern_the_name_leaves_it_asserted(site: MemorySite, value: str) -> None:
    """RFC 3325 §7: with `none` it must stay; RFC 3323 §4.2: `session` is about media, which a proxy does not touch."""
    got = called(site, f"Privacy: {value}\r\n")
    assert got.all(PAI) == [OURS]
    assert got.get(b"privacy") == value.encode()


def test_a_caller_who_needs_a_privacy_service_in_the_way_is_told_that_there_is_none(site: MemorySite) -> None:
    """RFC 3323 §4.4 and RFC 3261 §16.3 step 5: `Proxy-Require: privacy`."""
    site.phone("201", 200)
    caller = site.phone("200")
    caller.request("INVITE", uri("201"), headers="Privacy: header\r\nProxy-Require: privacy\r\n")
    site.network.run()
    assert caller.statuses[-1] == 420
    assert caller.responses[-1].get(b"unsupported") == b"privacy"


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("none", 200),
        ("none;critical", 200),
        ("id;critical", 200),
        ("header;critical", 500),
        ("user;critical", 500),
        ("session;critical", 500),
        ("critical, session", 500),
        ("session", 200),
        ("history;critical", 500),
    ],
)
def test_a_critical_privacy_that_cannot_be_given_is_refused(site: MemorySite, value: str, status: int) -> None:
    """RFC 3323 §5."""
    site.phone("201", 200)
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"), headers=f"Privacy: {value}\r\n")
    assert caller.statuses[-1] == status


def test_a_from_that_is_not_the_users_is_refused_with_what_would_be_right(site: MemorySite) -> None:
    """RFC 3261 §26.2 and RFC 4474 §5 step 2, without a signature: the site is strict unless it says otherwise."""
    site.phone("201", 200)
    caller = site.phone("200")
    for claimed in (f"<sip:201@{DOMAIN}>", "<sip:200@elsewhere.test>", f"<sip:nobody@{DOMAIN}>"):
        caller.authenticated("INVITE", uri("201"), from_=claimed)
        assert caller.statuses[-1] == 403
        assert caller.responses[-1].reason == b"From Is Not Allowed, sip:200@demo.tandem.test Is"
    caller.authenticated("INVITE", uri("201"), from_=f"<sip:desk200@{DOMAIN}>")
    assert caller.statuses[-1] == 200


@pytest.mark.parametrize(
    ("policy", "preferred", "asserted"),
    [
        ("lenient", "", OURS),
        ("lenient", f"<sip:desk200@{DOMAIN}>", OURS),
        ("rfc3325", "", OURS),
        ("rfc3325", f"<sip:desk200@{DOMAIN}>", b'"Desk 200" <sip:desk200@demo.tandem.test>'),
        ("rfc3325", f"<sip:201@{DOMAIN}>", OURS),
    ],
)
def test_where_the_site_lets_from_be_anything_the_proven_user_is_asserted_beside_it(
    site: MemorySite, policy: FromPolicy, preferred: str, asserted: bytes
) -> None:
    """RFC 3325 §5: From is the caller's own word, P-Asserted-Identity is ours."""
    site.configure(replace(site.config, from_policy=policy))
    callee = site.phone("201", 200)
    headers = f"P-Preferred-Identity: {preferred}\r\n" if preferred else ""
    site.phone("200").authenticated("INVITE", uri("201"), headers=headers, from_='"Shop" <sip:0800@shop.test>')
    got = callee.ringing
    assert got.all(PAI) == [asserted]
    assert got.need(b"from").startswith(b'"Shop" <sip:0800@shop.test>')
    assert not got.has(b"p-preferred-identity")


def peer_at(site: MemorySite, address: tuple[str, int], *peers: TrustedPeer) -> SipPhone:
    """Somebody at an address of a site that trusts these peers."""
    site.configure(replace(site.config, peers=peers))
    return SipPhone(site.network, address, EDGE, "trunk")


def word_of(site: MemorySite, peer: SipPhone) -> list[bytes]:
    """What a call of a peer asserts when it rings, or the status that it was refused with."""
    callee = site.phone("201", 200)
    peer.request("INVITE", uri("201"), headers=FORGED)
    site.network.run()
    return callee.ringing.all(PAI) if peer.statuses[-1] < 300 else [b"%d" % peer.statuses[-1]]


BOSS = b'"Boss" <sip:1@demo.tandem.test>'


@pytest.mark.parametrize(
    ("address", "port", "found"),
    [
        (("198.51.100.7", 5060), 5060, BOSS),
        (("198.51.100.7", 5061), 5060, b"407"),
        (("198.51.100.7", 40_000), 0, BOSS),
        (("198.51.100.17", 5060), 0, b"407"),
    ],
)
def test_a_peer_that_the_site_names_by_its_network_is_trusted_there_and_nowhere_else(
    site: MemorySite, address: tuple[str, int], port: int, found: bytes
) -> None:
    """RFC 3325 §5: the trust domain."""
    trunk = TrustedPeer(name="Trunk", networks=("198.51.100.0/28",), port=port)
    assert word_of(site, peer_at(site, address, trunk)) == [found]


def proved(*names: str, anchors: Anchors = "client_authorities") -> VerifiedPeer:
    """A verified certificate."""
    return VerifiedPeer(anchors, frozenset(names), frozenset({"198.51.100.7"}))


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (proved("edge-2.site.test"), BOSS),
        (proved("other.test", "edge-2.site.test"), BOSS),
        (proved("other.test"), b"407"),
        (proved(), b"407"),
        (proved("edge-2.site.test", anchors="any_authorities"), b"407"),
    ],
)
def test_a_peer_is_trusted_by_a_certificate_of_our_own_authorities_for_a_name_that_the_site_names(
    site: MemorySite, shown: VerifiedPeer, found: bytes
) -> None:
    """RFC 3325 §5, RFC 5922 §7: what a public authority signed proves nothing here."""
    edge = TrustedPeer(name="Other edge", certificate_names=("edge-2.site.test",))
    peer = peer_at(site, ("198.51.100.7", 40_001), edge)
    site.network.connect(peer.address, shown)
    assert word_of(site, peer) == [found]


def test_trust_ends_with_the_configuration_that_gave_it(site: MemorySite) -> None:
    edge = TrustedPeer(name="Other edge", certificate_names=("edge-2.site.test",))
    peer = peer_at(site, ("198.51.100.7", 40_001), edge)
    site.network.connect(peer.address, proved("edge-2.site.test"))
    assert word_of(site, peer) == [BOSS]
    site.configure(replace(site.config, peers=()))
    assert word_of(site, peer) == [b"407"]


def test_a_header_that_names_a_trusted_peer_makes_nobody_trusted(site: MemorySite) -> None:
    """Trust is by address and certificate, never by what a request says of itself."""
    trunk = TrustedPeer(name="Trunk", networks=("198.51.100.7/32",), certificate_names=("trunk.test",))
    stranger = peer_at(site, ("203.0.113.66", 5060), trunk)
    callee = site.phone("201", 200)
    claims = "P-Asserted-Identity: <sip:1@trunk.test>\r\nX-Forwarded-For: 198.51.100.7\r\n"
    stranger.request("INVITE", uri("201"), headers=claims)
    site.network.run()
    assert stranger.statuses == [407]
    assert not [one for one in callee.requests if one.method == b"INVITE"]


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
