"""An edge behind a NAT that forwards its ports: remote phones are told its public address, others its own."""

from dataclasses import replace

from edge_agent.sip.message import Message
from edge_agent.sip.relaying.rules import MediaRules
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import sip_config

PUBLIC = "203.0.113.77"


def office() -> MemorySite:
    rules = MediaRules(local_networks=("192.0.2.0/24",))
    return MemorySite(config=replace(sip_config(), public_host=PUBLIC, media=rules))


def hosts_of(message: Message) -> list[str]:
    """The hosts that Record-Route names, topmost first."""
    return [value.decode().partition("sip:")[2].partition(":")[0] for value in message.values(b"record-route")]


def remote(site: MemorySite, username: str, *answers: int) -> SipPhone:
    phone = SipPhone(site.network, ("198.51.100.7", 5060), site.address, username, answers)
    assert phone.register().status == 200
    phone.responses.clear()
    return phone


def test_a_call_to_a_remote_phone_is_recorded_for_both_sides_and_hung_up_by_either() -> None:
    site = office()
    caller, callee = site.phone("200", 200), remote(site, "201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    # RFC 5658 §3: the side that it goes to on top.
    assert hosts_of(callee.ringing) == [PUBLIC, EDGE[0]]
    assert callee.ringing.via.host.decode() == PUBLIC
    caller.in_dialog("ACK", invite, answer)
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert caller.methods[-1] == "BYE"
    assert site.record.disposition == "answered"


def test_a_call_from_a_remote_phone_comes_back_to_the_public_address() -> None:
    site = office()
    callee = site.phone("201", 200)
    caller = remote(site, "200")
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    assert hosts_of(callee.ringing) == [EDGE[0], PUBLIC]
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert callee.methods == ["INVITE", "ACK", "BYE"]


def test_between_two_phones_at_the_site_nothing_changes() -> None:
    site = office()
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"))
    assert hosts_of(callee.ringing) == [EDGE[0]]


def test_a_request_to_the_public_address_is_for_this_edge() -> None:
    site = office()
    phone = remote(site, "200")
    phone.request("OPTIONS", f"sip:{PUBLIC}:5060")
    site.network.run()
    assert phone.statuses[-1] == 200
