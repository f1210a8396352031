"""The torture messages of RFC 4475 and RFC 5118: what a whole edge does with each, and why.

The messages lie in tests/torture, named as in the RFCs and byte for byte as in their archives; only the binary part of
`mpart01` is another one, and the Content-Length of three messages of RFC 5118 is right (their archive counts no CR).
A valid request that the edge would let a user send is challenged, which shows that it was understood; a response is
dropped because nobody waits for it.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.sip.message import BadMessage, DropReason, Flow, Message, Uri, Via, check_request, parse
from tests.support.memory_network import Address
from tests.support.memory_site import MemorySite
from tests.support.sip_site import sip_config

FOLDER = Path(__file__).parents[2] / "torture"
PEER: Address = ("192.0.2.77", 5099)
EDGE_6: Address = ("2001:db8::10", 5060)
PEER_6: Address = ("2001:db8::9:1", 5060)

Verdict = tuple[int | DropReason, str]
"""The answer's status or the drop's name, and its reason phrase or why."""

CHALLENGED = (407, "Proxy Authentication Required")
NOT_WAITED_FOR = (DropReason.UNKNOWN_RESPONSE, "a response that belongs to no request of ours")

RFC4475: dict[str, Verdict] = {
    # §3.1.1 valid messages
    "wsinv": CHALLENGED,
    "intmeth": CHALLENGED,
    "esc01": CHALLENGED,
    "escnull": CHALLENGED,
    "esc02": CHALLENGED,
    "lwsdisp": CHALLENGED,
    "longreq": CHALLENGED,
    "dblreq": CHALLENGED,  # the second message of the datagram is beyond Content-Length and does not count
    "semiuri": CHALLENGED,
    "transports": CHALLENGED,
    "mpart01": CHALLENGED,
    "unreason": NOT_WAITED_FOR,
    "noreason": NOT_WAITED_FOR,
    # §3.1.2 invalid messages
    "badinv01": (400, "Malformed List of Header Values"),  # its Via; sent to where it came from
    "clerr": (400, "Body Shorter Than Content-Length"),
    "ncl": (400, "Malformed Content-Length"),
    "scalar02": (400, "Malformed CSeq"),
    "scalarlg": (DropReason.BAD_HEADER_VALUE, "a response is not answered; its CSeq is beyond 2**31"),
    "quotbal": (400, "Malformed To"),
    "ltgtruri": (400, "Malformed URI: scheme"),
    "lwsruri": (400, "Malformed Request Line"),
    "lwsstart": (400, "Malformed Request Line"),
    "trws": (400, "Malformed Request Line"),
    "escruri": CHALLENGED,  # liberal: headers in a Request-URI are ignored (the RFC allows both)
    "baddate": CHALLENGED,  # liberal: no proxy needs Date
    "regbadct": CHALLENGED,  # for another registrar, whose business the Contact is; at ours: below
    "badaspec": (400, "Malformed URI in To"),
    "baddn": (400, "Malformed To"),  # a comma without quotes
    "badvers": (505, "Version Not Supported"),
    "mismatch01": (400, "CSeq Method Differs from Request"),
    "mismatch02": (400, "CSeq Method Differs from Request"),
    "bigcode": (DropReason.BAD_START_LINE, "a response is not answered; its status is none"),
    # §3.2 transaction layer
    "badbranch": CHALLENGED,  # told apart as RFC 2543 peers are
    # §3.3 application layer
    "insuf": (400, "Missing From"),
    "unkscm": (416, "Unsupported URI Scheme"),
    "novelsc": (416, "Unsupported URI Scheme"),
    "unksm2": CHALLENGED,  # for another registrar; at ours: below
    "bext01": (420, "Bad Extension"),
    "invut": CHALLENGED,  # no proxy needs to know a body's type
    "regaut01": CHALLENGED,  # an unknown scheme is no credentials
    "multi01": (400, "Duplicate From"),
    "mcl01": (400, "Contradicting Content-Length"),
    "bcast": NOT_WAITED_FOR,
    "zeromf": (483, "Too Many Hops"),
    "cparam01": CHALLENGED,
    "cparam02": CHALLENGED,
    "regescrt": CHALLENGED,
    "sdp01": CHALLENGED,  # what its sender accepts is the callee's business
    # §3.4 backward compatibility
    "inv2543": CHALLENGED,
}

RFC5118: dict[str, Verdict] = {
    "ipv6-good": (401, "Unauthorized"),  # §4.1: a REGISTER for us, understood
    "ipv6-bad": (400, "Malformed URI: port"),  # §4.2: no brackets
    "port-ambiguous": CHALLENGED,  # §4.3: another host of that address, not our port
    "port-unambiguous": CHALLENGED,  # §4.4: another port of this host; where it is ours: below
    "via-received-param-with-delim": (481, "Call/Transaction Does Not Exist"),  # §4.5: understood, but no such call
    "via-received-param-no-delim": (200, "OK"),  # §4.5
    "ipv6-in-sdp": CHALLENGED,  # §4.6
    "mult-ip-in-header": CHALLENGED,  # §4.7
    "mult-ip-in-sdp": CHALLENGED,  # §4.8
    "ipv4-mapped-ipv6": CHALLENGED,  # §4.9
    "ipv6-bug-abnf-3-colons": CHALLENGED,  # §4.10: to be borne
    "ipv6-correct-abnf-2-colons": CHALLENGED,  # §4.10
}

CASES = [("rfc4475", name) for name in RFC4475] + [("rfc5118", name) for name in RFC5118]


def message_of(folder: str, name: str) -> bytes:
    return (FOLDER / folder / f"{name}.sip").read_bytes()


def given_to(site: MemorySite, data: bytes, peer: Address = PEER) -> list[Message]:
    """What an edge sends when a datagram comes."""
    site.endpoint.received(data, Flow("udp", *peer), site.network.clock.monotonic())
    site.network.flush()
    site.network.run()
    return [one.message for one in site.network.log if one.source == site.address]


def check(site: MemorySite, sent: list[Message], verdict: Verdict) -> None:
    what, reason = verdict
    if isinstance(what, DropReason):
        assert sent == []
        assert site.endpoint.drops == {what: 1}
    else:
        assert [(one.status, one.reason.decode()) for one in sent] == [(what, reason)]


@pytest.mark.parametrize(("folder", "verdicts", "count"), [("rfc4475", RFC4475, 49), ("rfc5118", RFC5118, 12)])
def test_every_torture_message_has_a_verdict(folder: str, verdicts: dict[str, Verdict], count: int) -> None:
    assert {path.stem for path in (FOLDER / folder).glob("*.sip")} == set(verdicts)
    assert len(verdicts) == count


@pytest.mark.parametrize("name", RFC4475)
def test_a_torture_message_gets_its_verdict(site: MemorySite, name: str) -> None:
    check(site, given_to(site, message_of("rfc4475", name)), RFC4475[name])


@pytest.fixture
def site_6() -> MemorySite:
    """An edge with an IPv6 address."""
    return MemorySite(address=EDGE_6)


@pytest.mark.parametrize("name", RFC5118)
def test_a_torture_message_for_ipv6_gets_its_verdict(site_6: MemorySite, name: str) -> None:
    check(site_6, given_to(site_6, message_of("rfc5118", name), PEER_6), RFC5118[name])
    assert site_6.endpoint.drops[DropReason.INTERNAL_ERROR] == 0


@pytest.mark.parametrize(("folder", "name"), CASES)
def test_a_torture_message_is_written_back_as_it_came_unless_it_was_folded(folder: str, name: str) -> None:
    data = message_of(folder, name)
    try:
        message = parse(data)
    except BadMessage:
        return
    if b"\r\n " not in data:
        assert data.startswith(bytes(message))


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("regbadct", 400, "Malformed Contact"),  # §3.1.2.13: the question mark needs angle brackets
        ("unksm2", 401, "Unauthorized"),  # §3.3.4: who it is for is looked at after who sent it
        ("cparam01", 401, "Unauthorized"),
        ("dblreq", 401, "Unauthorized"),
        ("regaut01", 401, "Unauthorized"),
        ("escnull", 401, "Unauthorized"),
    ],
)
def test_a_torture_register_for_our_own_domain_gets_its_verdict(name: str, status: int, reason: str) -> None:
    site = MemorySite(config=replace(sip_config(), former_domains=("example.com",)))
    sent = given_to(site, message_of("rfc4475", name))
    if name == "regbadct":
        # Nothing is looked at before the sender is known: the same Contact, by somebody who may register.
        assert [one.status for one in sent] == [401]
        contact = (parse(message_of("rfc4475", name)).get(b"contact") or b"").decode()
        phone = site.phone("200", registered=False)
        answer = phone.register(contact=contact)
    else:
        (answer,) = sent
    assert (answer.status, answer.reason.decode()) == (status, reason)


def test_an_escaped_header_in_a_contact_is_kept_with_its_binding(site: MemorySite) -> None:
    phone = site.phone("200", registered=False)
    contact = f"<{phone.contact}?Route=%3Csip:sip.example.com%3E>"
    assert phone.register(contact=contact).status == 200
    assert contact.encode() in (phone.responses[-1].get(b"contact") or b"")


@pytest.mark.parametrize(("contact", "of_uri"), [("%s;unknownparam", False), ("<%s;unknownparam>", True)])
def test_a_parameter_is_the_headers_without_brackets_and_the_uris_within(
    site: MemorySite, contact: str, of_uri: bool
) -> None:
    phone = site.phone("200", registered=False)
    assert phone.register(contact=contact % phone.contact).status == 200
    (binding,) = site.endpoint.location.all()
    assert (b"unknownparam" in binding.contact) is of_uri


def test_an_unambiguous_port_is_seen_outside_of_the_brackets() -> None:
    site = MemorySite(address=("2001:db8::10", 5070))
    (answer,) = given_to(site, message_of("rfc5118", "port-unambiguous"), PEER_6)
    assert answer.status == 401


def test_brackets_around_received_change_nothing_and_the_response_goes_where_the_request_came_from(
    site_6: MemorySite,
) -> None:
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        given_to(site_6, message_of("rfc5118", name), ("2001:db8::9:77", 5060))
    assert [one.target for one in site_6.network.log] == [("2001:db8::9:77", 5060)] * 2
    assert all(one.message.via.params[b"received"] == b"2001:db8::9:77" for one in site_6.network.log)


def test_every_via_of_a_mixed_list_is_read() -> None:
    request = parse(message_of("rfc5118", "mult-ip-in-header"))
    check_request(request)
    hosts = [(Via.parse(value).host, Via.parse(value).port) for value in request.values(b"via")]
    assert hosts == [(b"[2001:db8::9:1]", 6050), (b"192.0.2.1", 0), (b"[2001:db8::9:255]", 0)]


def test_a_third_colon_before_an_ipv4_part_does_not_count() -> None:
    wrong, right = (
        Uri.parse(parse(message_of("rfc5118", name)).uri)
        for name in ("ipv6-bug-abnf-3-colons", "ipv6-correct-abnf-2-colons")
    )
    assert wrong.address == right.address == "2001:db8::c000:201"
    assert wrong.same_as(right)


@pytest.mark.parametrize("host", ["[2001:DB8:0:0::10]", "[2001:0db8::0010]", "[2001:db8::10]"])
def test_an_edge_knows_its_ipv6_address_however_it_is_written(site_6: MemorySite, host: str) -> None:
    phone = site_6.phone("200", registered=False)
    phone.request("OPTIONS", f"sip:{host}")
    site_6.network.run()
    assert phone.statuses == [200]


def test_an_ipv6_address_among_the_further_hosts_is_ours() -> None:
    site = MemorySite(config=replace(sip_config(), hosts=frozenset({"2001:db8:0::5"})))
    phone = site.phone("200", registered=False)
    phone.request("OPTIONS", "sip:[2001:db8::5]")
    site.network.run()
    assert phone.statuses == [200]
