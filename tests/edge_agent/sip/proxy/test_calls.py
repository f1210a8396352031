"""Calls through the proxy: set-up, in-dialog requests, refusals, and the record of each."""

from dataclasses import replace

import pytest

from contract.dialplan import SiteState
from edge_agent.sip.message import DropReason, NameAddr
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN


def test_a_call_is_challenged_rings_is_answered_and_ends_in_one_record(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180, 200)
    invite = caller.authenticated("INVITE", uri("201"))
    assert caller.statuses == [407, 100, 180, 200]
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    site.network.run()
    (opened,) = site.log.open_calls.values()
    assert opened.answered_at is not None
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert callee.methods == ["INVITE", "ACK", "BYE"]
    assert caller.statuses[-1] == 200
    record = site.record
    assert (record.disposition, record.status, record.interrupted) == ("answered", 200, False)
    assert (record.caller, record.callee) == ("200", "201")
    assert (record.caller_user_id, record.callee_user_id) == ("user-200", "user-201")
    assert record.answered_at is not None
    assert record.started_at <= record.answered_at <= record.ended_at
    assert any(reason.startswith("ring:") for reason in record.reasons)
    assert site.log.open_calls == {}


def test_the_callee_may_hang_up_and_call_back_into_the_dialog(site: MemorySite) -> None:
    caller, callee = site.phone("200", 200), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    site.network.run()
    callee.in_dialog("INVITE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert callee.statuses[-2:] == [100, 200]
    callee.in_dialog("ACK", callee.ringing, answer, as_callee=True)
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert caller.methods == ["INVITE", "ACK", "BYE"]
    assert site.record.disposition == "answered"


def test_a_dialog_outlives_a_restart_of_the_edge(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    site.network.run()
    site.started()
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert callee.methods[-1] == "BYE"
    assert caller.statuses[-1] == 200


def test_what_the_proxy_forwards_is_changed_only_where_it_must_be(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    body = "v=0\r\no=- 1 1 IN IP4 192.0.2.99\r\ns=-\r\n"
    sent = caller.authenticated(
        "INVITE", uri("201"), body=body, headers="X-Odd :  kept \r\nContent-Type: application/sdp\r\n"
    )
    got = callee.ringing
    assert got.uri == callee.contact.encode()
    assert got.body == body.encode()
    assert b"X-Odd :  kept " in got.lines
    assert got.get(b"max-forwards") == b"69"
    assert got.get(b"proxy-authorization") is None
    assert len(got.values(b"via")) == 2
    for name in (b"from", b"to", b"call-id", b"cseq", b"contact"):
        assert got.get(name) == sent.get(name)
    (recorded,) = got.values(b"record-route")
    own = NameAddr.parse(recorded).uri
    assert (own.address, own.port, b"lr" in own.params) == (*EDGE, True)


@pytest.mark.parametrize(
    ("answers", "disposition", "status"),
    [
        ((180, 486), "busy", 486),
        ((600,), "busy", 600),
        ((180, 480), "no_answer", 480),
        ((480,), "failed", 480),
        ((603,), "busy", 603),
        ((180, 503), "failed", 500),
    ],
)
def test_a_refused_call_says_how_it_ended(
    site: MemorySite, answers: tuple[int, ...], disposition: str, status: int
) -> None:
    caller, callee = site.phone("200"), site.phone("201", *answers)
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == status
    assert callee.methods == ["INVITE", "ACK"]
    assert (site.record.disposition, site.record.status) == (disposition, status)


def test_a_user_without_a_phone_is_temporarily_unavailable(site: MemorySite) -> None:
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses == [407, 100, 480]
    assert (site.record.disposition, site.record.status) == ("failed", 480)


def test_a_number_that_nobody_has_is_not_found(site: MemorySite) -> None:
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("999"))
    assert caller.statuses[-1] == 404
    assert site.record.reasons == ("no_rule: no dialing rule matches 999",)


def test_an_alias_rings_its_user(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", uri("desk201"))
    assert callee.methods == ["INVITE"]


def test_a_user_who_is_not_to_be_disturbed_is_busy(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    site.configure(replace(site.config, state=SiteState(do_not_disturb=frozenset({"user-201"}))))
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 486
    assert callee.methods == []
    assert site.record.disposition == "busy"


def test_a_feature_code_leads_to_its_service_and_the_service_needs_no_digest(site: MemorySite) -> None:
    caller = site.phone("200", 200)
    service = SipPhone(site.network, ("192.0.2.2", 6000), EDGE, "echo", (200,))
    trusted = frozenset({service.address})
    site.configure(replace(site.config, services={"echo_test": "sip:echo@192.0.2.2:6000"}, trusted=trusted))
    invite = caller.authenticated("INVITE", uri("*99"))
    assert caller.statuses == [407, 100, 200]
    assert service.ringing.uri == b"sip:echo@192.0.2.2:6000"
    service.in_dialog("BYE", service.ringing, caller.responses[-1], as_callee=True)
    site.network.run()
    assert caller.methods == ["BYE"]
    service.request("INVITE", uri("200"))
    site.network.run()
    assert service.statuses[-2:] == [100, 200]
    assert invite.call_id


def test_another_users_identity_in_from_is_forbidden(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"), from_=f"<sip:202@{DOMAIN}>")
    assert caller.statuses[-1] == 403
    caller.authenticated("INVITE", uri("201"), from_="<sip:someone@example.net>")
    assert caller.statuses[-1] == 403
    assert callee.methods == []
    caller.authenticated("INVITE", uri("201"), from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert callee.methods == ["INVITE"]


def test_a_wrong_password_is_challenged_again_and_rings_nobody(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.password = "wrong"
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses == [407, 407]
    assert callee.methods == []
    assert site.log.records == []


def test_the_acknowledgement_of_a_challenge_goes_nowhere(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"))
    assert site.endpoint.drops[DropReason.STRAY_ACK] == 1


def test_a_request_with_a_to_tag_and_a_made_up_route_is_no_dialog(site: MemorySite) -> None:
    callee, stranger = site.phone("201", 200), site.phone("200", registered=False)
    route = f"Route: <sip:{EDGE[0]}:{EDGE[1]};lr;t=0123456789abcdef>\r\n"
    stranger.request("BYE", callee.contact, headers=route, to=f"<{uri('201')}>;tag=x")
    stranger.request("ACK", callee.contact, headers=route, to=f"<{uri('201')}>;tag=x")
    site.network.run()
    assert stranger.statuses == [407]
    assert callee.methods == []


def test_a_message_reaches_every_phone_of_a_user_and_writes_no_record(site: MemorySite) -> None:
    sender, first, second = site.phone("200"), site.phone("201"), site.phone("201")
    sender.authenticated("MESSAGE", uri("201"), body="hello")
    assert sender.statuses == [407, 200]
    assert first.methods == ["MESSAGE"]
    assert second.methods == ["MESSAGE"]
    assert site.log.records == []


def test_a_phone_behind_a_connection_is_reached_through_it_from_udp_and_back(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200, tcp=True)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    assert len(answer.values(b"record-route")) == 2
    caller.in_dialog("ACK", invite, answer)
    site.network.run()
    callee.in_dialog("BYE", callee.ringing, answer, as_callee=True)
    site.network.run()
    assert callee.methods == ["INVITE", "ACK"]
    assert caller.methods == ["BYE"]
    assert site.record.disposition == "answered"


def test_a_call_to_a_phone_whose_connection_breaks_meanwhile_fails(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180, tcp=True)
    caller.authenticated("INVITE", uri("201"))
    site.network.disconnect(callee.address)
    site.network.run()
    assert caller.statuses[-1] == 480
    assert len(site.endpoint.location) == 1


def test_a_message_to_a_phone_that_is_gone_is_left_to_the_senders_own_timeout(site: MemorySite) -> None:
    sender = site.phone("200")
    site.phone("201")
    site.network.loses = lambda data, source, target: data.startswith(b"MESSAGE") and source == EDGE
    sender.authenticated("MESSAGE", uri("201"))
    site.network.run(80)
    assert sender.statuses == [407]
    assert (site.endpoint.layer.server_count, site.endpoint.layer.client_count) == (0, 0)


def test_nothing_of_a_call_is_left_in_memory_when_its_time_is_over(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180, 200)
    for _ in range(3):
        invite = caller.authenticated("INVITE", uri("201"))
        caller.in_dialog("ACK", invite, caller.responses[-1])
        callee.in_dialog("BYE", callee.ringing, caller.responses[-1], as_callee=True)
        site.network.run()
    caller.cancel(caller.authenticated("INVITE", uri("201")))
    site.network.run(300)
    assert (site.endpoint.layer.server_count, site.endpoint.layer.client_count) == (0, 0)
    assert len(site.endpoint.calls) == 1, "answered before the cancel came, and never ended"


def test_a_foreign_host_name_is_refused_before_anybody_looks_it_up(site: MemorySite) -> None:
    caller = site.phone("200")
    caller.authenticated("INVITE", "sip:someone@phones.example.net")
    assert (caller.statuses[-1], caller.responses[-1].reason) == (403, b"Foreign Destination Not Allowed")


def test_a_call_whose_bye_never_comes_is_closed_after_the_longest_duration(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"))
    site.network.run(12 * 3600 + 10)
    assert (site.record.disposition, site.record.interrupted) == ("answered", True)
    assert len(site.endpoint.calls) == 0


def test_calls_in_progress_are_told_the_newest_first_and_no_more_than_are_wanted(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180)
    for _ in range(3):
        caller.authenticated("INVITE", uri("201"))
    first, second, third = [one for one in callee.requests if one.method == b"INVITE"]
    callee.answer(200, second)
    callee.answer(486, first)
    site.network.run()
    newest = site.endpoint.calls.newest(10)
    assert [one.sip_call_id.encode() for one in newest] == [third.call_id, second.call_id]
    assert [one.answered_at is not None for one in newest] == [False, True]
    assert len(site.endpoint.calls.newest(1)) == 1
