"""Calls to names beyond the site: hops tried in turn (RFC 3263 §4.3), Record-Route for the transport of each."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import Flow
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite
from tests.support.sip_phone import SipPhone

ITSP = "itsp.test"
FIRST: Address = ("203.0.113.1", 5060)
SECOND: Address = ("203.0.113.2", 5060)


@pytest.fixture
def hops(site: MemorySite) -> tuple[SipPhone, SipPhone]:
    """Two servers of one name, the first of which takes nothing more; beyond the site."""
    site.configure(replace(site.config, foreign_hosts=frozenset({ITSP, FIRST[0], SECOND[0]})))
    site.transport.names[ITSP] = (Flow("udp", *FIRST), Flow("udp", *SECOND))
    return SipPhone(site.network, FIRST, EDGE, "1", (503,)), SipPhone(site.network, SECOND, EDGE, "2", (200,))


def test_a_call_refused_by_one_server_of_a_name_is_answered_by_the_next(
    site: MemorySite, hops: tuple[SipPhone, SipPhone]
) -> None:
    full, other = hops
    caller = site.phone("200")
    invite = caller.authenticated("INVITE", f"sip:friend@{ITSP}")
    assert caller.statuses[-1] == 200
    assert full.methods == ["INVITE", "ACK"]
    assert full.requests[0].via.branch != other.requests[0].via.branch
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert other.methods == ["INVITE", "ACK", "BYE"]
    assert (site.transport.dead, site.transport.living) == ([Flow("udp", *FIRST)], [Flow("udp", *SECOND)])


def test_when_every_server_of_a_name_refuses_the_caller_gets_500_as_rfc_3261_16_7_has_it(
    site: MemorySite, hops: tuple[SipPhone, SipPhone]
) -> None:
    hops[1].answers = (503,)
    caller = site.phone("200")
    caller.authenticated("INVITE", f"sip:friend@{ITSP}")
    assert caller.statuses[-1] == 500


def test_a_caller_who_hangs_up_while_a_name_is_looked_up_gets_487_and_nobody_is_called(
    site: MemorySite, hops: tuple[SipPhone, SipPhone]
) -> None:
    site.transport.slow = True
    caller = site.phone("200")
    invite = caller.authenticated("INVITE", f"sip:friend@{ITSP}")
    caller.cancel(invite)
    site.network.run()
    assert 487 in caller.statuses
    site.transport.slow = False
    site.network.flush()
    site.network.run()
    assert not hops[0].requests
    assert not hops[1].requests


def test_where_the_name_prefers_tcp_the_call_is_recorded_for_both_transports(
    site: MemorySite, hops: tuple[SipPhone, SipPhone]
) -> None:
    site.transport.names[ITSP] = (Flow("tcp", *SECOND),)
    site.network.connect(SECOND)
    site.phone("200").authenticated("INVITE", f"sip:friend@{ITSP}")
    invite = hops[1].requests[0]
    assert invite.via.transport == b"TCP"
    # The outgoing one on top (RFC 5658 §3).
    recorded = [value.partition(b";lr")[0] for value in invite.values(b"record-route")]
    assert recorded == [b"<sip:192.0.2.1:5060;transport=tcp", b"<sip:192.0.2.1:5060"]
