"""Floods of messages: what is answered, what is dropped under which name, what is left in memory; phones go on."""

import pytest

from edge_agent.sip.message import DropReason, Flow
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN

ATTACKER: Address = ("203.0.113.66", 5060)
VICTIM = "198.51.100.9"
BURST, PER_SECOND = 500, 50


def flood(site: MemorySite, data: list[bytes], source: Address = ATTACKER) -> list[tuple[Address, bytes]]:
    """What an edge sends in answer to datagrams that all come at once; where to, and what."""
    site.network.log.clear()
    for one in data:
        site.endpoint.received(one, Flow("udp", *source), site.network.clock.monotonic())
    site.network.flush()
    site.network.run()
    return [(one.target, one.data) for one in site.network.log if one.source == EDGE]


def request(
    method: str, number: int, via: str = "203.0.113.66:5060", target: str = f"sip:{DOMAIN}", more: str = ""
) -> bytes:
    return (
        f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKflood{number}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:x@{DOMAIN}>;tag=f{number}\r\nTo: <sip:200@{DOMAIN}>\r\nCall-ID: flood{number}\r\n"
        f"CSeq: {number} {method}\r\n{more}Content-Length: 0\r\n\r\n"
    ).encode()


def is_served(site: MemorySite, phone: SipPhone) -> None:
    """A phone registers and calls itself while the flood goes on."""
    assert phone.register().status == 200
    phone.authenticated("INVITE", uri("200"))
    assert phone.statuses[-1] == 200


def nothing_is_left(site: MemorySite) -> None:
    """No transaction waits for anything, and no timer but those that lapse."""
    assert (site.endpoint.layer.server_count, site.endpoint.layer.client_count) == (0, 0)


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("OPTIONS", ""),
        ("REGISTER", ""),
        ("INVITE", ""),
        ("OPTIONS", "Require: nonsense\r\n"),
        ("OPTIONS", "Max-Forwards: x\r\n"),
        ("CANCEL", ""),
        ("FLY", ""),
    ],
)
def test_one_address_that_may_be_forged_gets_a_bounded_number_of_answers_whatever_it_asks(
    site: MemorySite, method: str, more: str
) -> None:
    target = uri("200") if method == "INVITE" else f"sip:{DOMAIN}"
    sent = flood(site, [request(method, number, target=target, more=more) for number in range(1, 2_001)])
    assert len(sent) == BURST
    assert site.endpoint.drops[DropReason.RATE_LIMITED] == 2_000 - BURST
    nothing_is_left(site)
    is_served(site, site.phone("200", 180, 200))
    site.network.run(BURST / PER_SECOND)
    again = [request(method, number, target=target, more=more) for number in range(3_001, 5_001)]
    assert len(flood(site, again)) == BURST


def test_a_phone_that_proved_itself_is_answered_however_often_it_asks(site: MemorySite) -> None:
    phone = site.phone("200")
    host, port = phone.address
    questions = [request("OPTIONS", number, f"{host}:{port}") for number in range(1, 2_001)]
    assert len(flood(site, questions, phone.address)) == 2_000


@pytest.mark.parametrize(
    "via",
    [
        f"{VICTIM}:5060",
        f"{VICTIM}:5060;rport",
        f"{VICTIM}:5060;received={VICTIM}",
        f"{VICTIM}:5060;received={VICTIM};rport=5060",
        f"{VICTIM}:5060;maddr={VICTIM}",
        f"{VICTIM};ttl=255;maddr=224.2.0.1",
        f"203.0.113.66:5060;received={VICTIM}",
        f"{VICTIM}:bad",
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "INVITE", "MESSAGE", "BYE"])
def test_no_via_leads_an_answer_to_anybody_but_the_sender(site: MemorySite, method: str, via: str) -> None:
    """RFC 3261 §18.2.2, RFC 3581 §4: one answer, to the address that the request came from, hardly longer than it."""
    data = request(method, 1, via, uri("200") if method in ("INVITE", "MESSAGE") else f"sip:{DOMAIN}")
    for target, answer in flood(site, [data]):
        assert target[0] == ATTACKER[0]
        assert len(answer) < len(data) + 300
    site.network.run(40)
    assert len([one for one in site.network.log if one.source == EDGE]) == 1
    assert not any(one.target[0] == VICTIM for one in site.network.log)


def test_a_malformed_request_is_answered_once_and_never_longer_than_a_little(site: MemorySite) -> None:
    data = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;b\r\nX: " + b"a" * 9_000 + b"\r\n\r\n"
    sent = flood(site, [data])
    assert [target for target, _ in sent] == [ATTACKER]
    assert len(sent[0][1]) < 200


def test_a_storm_of_registrations_with_the_right_password_leaves_one_binding(site: MemorySite) -> None:
    phone = site.phone("200")
    for _ in range(500):
        assert phone.register().status == 200
    assert len(site.endpoint.location) == 1
    assert len(site.store.kept) == 1
    site.network.run(60)
    nothing_is_left(site)


def test_a_storm_of_guesses_is_locked_out_and_leaves_no_transactions(site: MemorySite) -> None:
    phone = site.phone("200", registered=False)
    phone.password = "guess"
    for _ in range(100):
        phone.register()
    assert site.endpoint.drops[DropReason.WRONG_CREDENTIALS] == 10
    assert site.endpoint.drops[DropReason.LOCKED_OUT] == 90
    nothing_is_left(site)
    is_served(site, site.phone("200", 180, 200))


def test_refused_invites_that_nobody_acknowledges_are_repeated_eleven_times_and_forgotten(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201", 486)
    caller.acknowledge_refusal = lambda invite, response: None  # type: ignore[method-assign]
    for _ in range(50):
        caller.authenticated("INVITE", uri("201"))
    assert site.endpoint.layer.server_count >= 50
    caller.responses.clear()
    site.network.run(33)
    repeated = [one for one in caller.responses if one.status == 486]
    assert len(repeated) <= 50 * 11
    site.network.run(40)
    nothing_is_left(site)
    assert len(site.endpoint.calls) == 0


def test_invites_that_ring_for_ever_end_with_timer_c_and_calls_in_progress_are_bounded() -> None:
    site = MemorySite(config=with_limits(MemorySite().config, open_calls=20))
    caller = site.phone("200")
    site.phone("201", 180)
    for _ in range(50):
        caller.authenticated("INVITE", uri("201"))
    assert len(site.endpoint.calls) == 20
    site.network.run(300)
    nothing_is_left(site)
    assert len(site.endpoint.calls) == 0
    assert len(site.log.records) == 50


def test_beyond_the_limit_of_transactions_invites_get_503_and_others_go_on() -> None:
    site = MemorySite(config=with_limits(MemorySite().config, transactions=30))
    caller = site.phone("200")
    site.phone("201", 180)
    site.network.run(60)
    for _ in range(40):
        caller.request("INVITE", uri("201"))
        site.network.run()
        if caller.statuses[-1] == 407:
            credentials = caller.credentials(caller.responses[-1], "INVITE", uri("201"))
            caller.request("INVITE", uri("201"), headers=credentials)
            site.network.run()
    assert site.endpoint.layer.server_count == 30
    assert 503 in caller.statuses
    assert site.endpoint.drops[DropReason.TOO_MANY_TRANSACTIONS] > 0
    site.network.run(300)
    nothing_is_left(site)


def test_one_request_becomes_no_more_than_the_contacts_that_a_user_may_have(site: MemorySite) -> None:
    phone = site.phone("201", 486, registered=False)
    host = phone.address[0]
    contacts = [f"<sip:201@{host}:{5060 + number}>" for number in range(17)]
    assert phone.register(contact=", ".join(contacts)).status == 403
    assert phone.register(contact=", ".join(contacts[:11])).status == 403
    assert len(site.endpoint.location) == 0
    assert phone.register(contact=", ".join(contacts[:10])).status == 200
    caller = site.phone("200")
    site.network.log.clear()
    caller.authenticated("INVITE", uri("201"))
    assert len([one for one in site.network.log if one.target[0] == host and one.start == "INVITE"]) == 10


def test_cancels_without_end_for_one_call_reach_the_phone_once(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    caller.responses.clear()
    for _ in range(200):
        caller.cancel(invite)
    site.network.run()
    assert callee.methods.count("CANCEL") == 1
    assert caller.statuses.count(200) == 200
    assert caller.statuses.count(487) == 1
    site.network.run(120)
    nothing_is_left(site)


def test_responses_that_nobody_waits_for_are_dropped_and_never_answered(site: MemorySite) -> None:
    answers = [
        request("OPTIONS", number, f"{EDGE[0]}:{EDGE[1]}").replace(
            b"OPTIONS sip:demo.tandem.test SIP/2.0", b"SIP/2.0 200 OK", 1
        )
        for number in range(1, 5_001)
    ]
    assert flood(site, answers) == []
    assert site.endpoint.drops == {DropReason.UNKNOWN_RESPONSE: 5_000}


def test_acks_of_no_dialog_are_dropped_and_never_answered(site: MemorySite) -> None:
    assert flood(site, [request("ACK", number, target=uri("200")) for number in range(1, 1_001)]) == []
    assert site.endpoint.drops == {DropReason.STRAY_ACK: 1_000}


def test_provisional_responses_without_end_are_passed_on_one_by_one_and_take_no_memory(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    caller.responses.clear()
    before = len(site.endpoint._wheel)
    for _ in range(2_000):
        callee.answer(183)
    site.network.run()
    assert caller.statuses == [183] * 2_000
    assert len(site.endpoint._wheel) <= before + 2
    site.network.run(100)
    callee.answer(180)
    site.network.run(100)
    assert caller.statuses[-1] == 180
    site.network.run(100)
    # Timer C began anew with the last of them (§16.7 step 2).
    assert caller.statuses[-1] != 180
    site.network.run(120)
    nothing_is_left(site)


@pytest.mark.timeout(20)
def test_a_route_through_this_edge_a_thousand_times_is_taken_out_in_time(site: MemorySite) -> None:
    routes = "".join(f"Route: {', '.join([f'<sip:{EDGE[0]};lr>'] * 200)}\r\n" for _ in range(10))
    phone = site.phone("200", registered=False)
    phone.request("OPTIONS", f"sip:{DOMAIN}", headers=routes)
    site.network.run()
    assert phone.statuses == [200]


def test_long_call_ids_with_a_forged_token_are_not_remembered(site: MemorySite) -> None:
    for number in range(20):
        route = f"Route: <sip:{EDGE[0]};lr;t=0123456789abcdef>\r\n"
        flood(site, [request("BYE", number + 1, more=route).replace(b"Call-ID: flood", b"Call-ID: " + b"x" * 5_000)])
    assert len(site.endpoint._core._routes._made) == 0


def test_a_datagram_with_a_long_line_or_too_many_of_them_is_counted(site: MemorySite) -> None:
    long = request("OPTIONS", 1, more=f"X: {'a' * 8_192}\r\n")
    many = request("OPTIONS", 2, more="X: a\r\n" * 300)
    large = request("OPTIONS", 3, more="X: a\r\n") + b"b" * 65_536
    flood(site, [long, many, large])
    assert site.endpoint.drops == {
        DropReason.HEADER_TOO_LONG: 1,
        DropReason.TOO_MANY_HEADERS: 1,
        DropReason.TOO_LARGE: 1,
    }
