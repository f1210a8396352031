"""Phones of both address families on one edge: each is told its own family's address (RFC 5658 §3, RFC 3261 §19.1)."""

import pytest

from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

SIX = "2001:db8::1"
DESCRIPTION = "v=0\r\no=- 1 1 IN IP6 2001:db8::c8\r\ns=-\r\nc=IN IP6 2001:db8::c8\r\nt=0 0\r\n"


@pytest.fixture
def both() -> MemorySite:
    """A site that listens for both."""
    return MemorySite(six=SIX)


def phone_six(site: MemorySite, username: str, *answers: int) -> SipPhone:
    """A phone that has IPv6 only."""
    phone = SipPhone(site.network, (f"2001:db8::{username}", 5060), site.address, username, answers)
    assert phone.register().status == 200
    return phone


def test_a_call_between_families_is_recorded_for_both_and_goes_on_in_both_directions(both: MemorySite) -> None:
    caller, callee = both.phone("200"), phone_six(both, "201", 180, 200)
    invite = caller.authenticated("INVITE", uri("201"), body=DESCRIPTION)
    answer = caller.responses[-1]
    assert answer.status == 200
    arrived = callee.requests[0]
    recorded = [value.partition(b";")[0] for value in arrived.values(b"record-route")]
    # The callee's family on top.
    assert recorded == [b"<sip:[2001:db8::1]:5060", b"<sip:192.0.2.1:5060"]
    assert arrived.via.sent_by == b"[2001:db8::1]:5060"
    assert arrived.body == DESCRIPTION.encode()
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("INFO", invite, answer)
    both.network.run()
    assert callee.methods == ["INVITE", "ACK", "INFO"]
    assert caller.responses[-1].status == 200
    # Our own entries are taken out on the way, both of them.
    assert not any(one.has(b"route") for one in callee.requests)


def test_within_one_family_a_call_is_recorded_once_by_that_familys_address(both: MemorySite) -> None:
    for caller, callee, own in (
        (both.phone("200"), both.phone("201", 200), b"<sip:192.0.2.1:5060"),
        (phone_six(both, "200"), phone_six(both, "201", 200), b"<sip:[2001:db8::1]:5060"),
    ):
        caller.authenticated("INVITE", uri("201"))
        (recorded,) = callee.requests[-1].values(b"record-route")
        assert recorded.startswith(own)


def test_an_edge_with_one_address_tells_every_peer_that_one(site: MemorySite) -> None:
    callee = phone_six(site, "201", 200)
    site.phone("200").authenticated("INVITE", uri("201"))
    (recorded,) = callee.requests[0].values(b"record-route")
    assert recorded.startswith(f"<sip:{EDGE[0]}:5060".encode())
