"""No open relay: how far the requests of authenticated users go, and what a dialog's token is good for."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import DropReason, Message
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

STRANGER = ("203.0.113.9", 5060)


def stranger(site: MemorySite) -> SipPhone:
    """Something that listens beyond the site."""
    return SipPhone(site.network, STRANGER, EDGE, "999", (200,))


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE"])
def test_an_authenticated_user_is_no_reason_to_relay_to_a_foreign_address(site: MemorySite, method: str) -> None:
    outside, caller = stranger(site), site.phone("200")
    caller.authenticated(method, f"sip:victim@{STRANGER[0]}")
    answer = caller.responses[-1]
    assert (answer.status, answer.reason) == (403, b"Foreign Destination Not Allowed")
    assert outside.requests == []
    assert site.endpoint.drops[DropReason.FOREIGN_DESTINATION] == 1


def test_a_route_to_a_foreign_address_is_refused_as_its_request_uri_is(site: MemorySite) -> None:
    outside, caller = stranger(site), site.phone("200")
    site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"), headers=f"Route: <sip:{EDGE[0]};lr>, <sip:{STRANGER[0]};lr>\r\n")
    assert caller.statuses[-1] == 403
    assert outside.requests == []


def test_a_host_that_the_dial_plan_allows_is_relayed_to(site: MemorySite) -> None:
    outside = stranger(site)
    site.configure(replace(site.config, foreign_hosts=frozenset({STRANGER[0]})))
    caller = site.phone("200")
    invite = caller.authenticated("INVITE", f"sip:friend@{STRANGER[0]}")
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert outside.methods == ["INVITE", "ACK", "BYE"]


def test_the_contact_of_a_phone_of_the_site_is_reached_as_a_transfer_asks_for(site: MemorySite) -> None:
    caller, target = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", f"{target.contact};ob", headers="Replaces: x;to-tag=1;from-tag=2\r\n")
    assert caller.statuses[-1] == 200
    assert target.methods == ["INVITE"]


def test_a_voice_service_is_reached_by_the_dial_plan_only(site: MemorySite) -> None:
    service = SipPhone(site.network, ("192.0.2.1", 7000), EDGE, "echo", (200,))
    site.configure(
        replace(
            site.config,
            services={"echo_test": "sip:echo@192.0.2.1:7000"},
            trusted=frozenset({service.address}),
        )
    )
    caller = site.phone("200")
    caller.authenticated("INVITE", "sip:echo@192.0.2.1:7000")
    assert caller.statuses[-1] == 403
    caller.authenticated("INVITE", uri("*99"))
    assert caller.statuses[-1] == 200


def in_dialog_to(caller: SipPhone, invite: Message, answer: Message, target: str, method: str = "INFO") -> None:
    """A request that claims to be within the dialog, with another Request-URI."""
    request = caller.in_dialog(method, invite, answer).copy()
    caller.network.run()
    request.set_uri(target.encode())
    request.lines = [line.replace(b"z9hG4bKd", b"z9hG4bKelsewhere") for line in request.lines]
    request.set(b"CSeq", b"900 " + method.encode())
    caller.send(request)
    caller.network.run()


def test_the_token_of_a_dialog_does_not_lead_to_a_foreign_address(site: MemorySite) -> None:
    outside, caller = stranger(site), site.phone("200")
    site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    for method in ("INFO", "INVITE"):
        in_dialog_to(caller, invite, answer, f"sip:victim@{STRANGER[0]}", method)
        assert caller.statuses[-1] == 403
    in_dialog_to(caller, invite, answer, f"sip:victim@{STRANGER[0]}", "ACK")
    assert outside.requests == []
    assert site.endpoint.drops[DropReason.UNROUTABLE_ACK] == 1


def test_a_caller_that_never_registered_is_hung_up_on_also_after_a_restart(site: MemorySite) -> None:
    caller, callee = site.phone("200", registered=False), site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    site.started()
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert caller.methods == ["BYE"]


def test_a_made_up_caller_token_opens_no_way(site: MemorySite) -> None:
    outside, caller = stranger(site), site.phone("200", registered=False)
    site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    assert b";c=" in (answer.get(b"record-route") or b"")
    answer.lines = [line.replace(b";c=", b";c=0000") for line in answer.lines]
    in_dialog_to(caller, invite, answer, f"sip:victim@{STRANGER[0]}")
    assert caller.statuses[-1] == 403
    assert outside.requests == []


def test_a_phone_whose_registration_lapsed_can_still_be_hung_up_on(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    caller.register(contact="*", headers="Expires: 0\r\n")
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert caller.methods == ["BYE"]
