"""Route and Record-Route: transports that change on the way, strict routers (RFC 3261 §16.4, §16.6, RFC 5658)."""

from dataclasses import replace

from edge_agent.sip.message import NameAddr
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone


def test_a_call_between_transports_is_recorded_twice_and_goes_on_in_both_directions(site: MemorySite) -> None:
    """RFC 5658 §3: each side sees the entry of its own transport nearest to itself."""
    caller, callee = site.phone("200", 200, tcp=True), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    entries = [NameAddr.parse(value).uri for value in answer.values(b"record-route")]
    assert [entry.transport for entry in entries] == [b"", b"tcp"]
    assert all(b"lr" in entry.params and entry.address == EDGE[0] for entry in entries)
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("INFO", invite, answer)
    site.network.run()
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert callee.methods == ["INVITE", "ACK", "INFO"]
    assert caller.methods == ["BYE"]
    assert all(one.get(b"route") is None for one in (*callee.requests, *caller.requests))


def test_a_call_that_keeps_its_transport_is_recorded_once(site: MemorySite) -> None:
    caller = site.phone("200", tcp=True)
    site.phone("201", 200, tcp=True)
    caller.authenticated("INVITE", uri("201"))
    (entry,) = caller.responses[-1].values(b"record-route")
    assert NameAddr.parse(entry).uri.transport == b"tcp"


def test_a_next_hop_that_is_a_strict_router_finds_itself_in_the_request_uri(site: MemorySite) -> None:
    """RFC 3261 §16.6 step 6."""
    strict = SipPhone(site.network, ("203.0.113.9", 5060), EDGE, "router", (200,))
    site.configure(replace(site.config, foreign_hosts=frozenset({"203.0.113.9"})))
    caller = site.phone("200")
    routes = f"Route: <sip:{EDGE[0]};lr>, <sip:203.0.113.9>, <sip:198.51.100.1>\r\n"
    caller.authenticated("INVITE", "sip:friend@198.51.100.2", headers=routes)
    got = strict.ringing
    assert got.uri == b"sip:203.0.113.9"
    assert got.values(b"route") == [b"<sip:198.51.100.1>", b"<sip:friend@198.51.100.2>"]


def test_a_loose_router_finds_the_request_uri_as_it_was(site: MemorySite) -> None:
    loose = SipPhone(site.network, ("203.0.113.9", 5060), EDGE, "router", (200,))
    site.configure(replace(site.config, foreign_hosts=frozenset({"203.0.113.9"})))
    caller = site.phone("200")
    caller.authenticated("INVITE", "sip:friend@198.51.100.2", headers="Route: <sip:203.0.113.9;lr>\r\n")
    assert loose.ringing.uri == b"sip:friend@198.51.100.2"
    assert loose.ringing.values(b"route") == [b"<sip:203.0.113.9;lr>"]
