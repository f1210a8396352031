"""What the proxy has no opinion on goes through as it is: PRACK, UPDATE, INFO, REFER, NOTIFY and unknown methods."""

import pytest

from tests.support.memory_site import MemorySite, uri


@pytest.mark.parametrize("method", ["PRACK", "UPDATE", "INFO", "REFER", "NOTIFY", "MESSAGE", "SUBSCRIBE", "FLY"])
def test_any_method_within_a_dialog_goes_through_in_both_directions(site: MemorySite, method: str) -> None:
    """RFC 3262, RFC 3311, RFC 6086, RFC 3515, RFC 6665."""
    caller, callee = site.phone("200", 200), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    caller.in_dialog(method, invite, answer)
    callee.in_dialog(method, callee.ringing, answer, as_callee=True)
    site.network.run()
    assert callee.methods == ["INVITE", method]
    assert caller.methods == [method]
    assert (caller.statuses[-1], callee.statuses) == (200, [200])


@pytest.mark.parametrize("method", ["REFER", "NOTIFY", "MESSAGE", "INFO", "OPTIONS", "FLY"])
def test_any_method_outside_of_a_dialog_reaches_the_user_after_digest(site: MemorySite, method: str) -> None:
    """RFC 3261 §16: a proxy forwards methods that it does not know."""
    callee, caller = site.phone("201", 200), site.phone("200")
    caller.authenticated(method, uri("201"), headers="Require: something\r\nX-Unknown: 1\r\n")
    assert callee.methods == [method]
    assert callee.requests[-1].get(b"require") == b"something"
    assert caller.statuses[-1] == 200


def test_a_reliable_provisional_response_is_not_touched(site: MemorySite) -> None:
    """RFC 3262 §3: Require, RSeq and their order are between the phones."""
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"), headers="Supported: 100rel\r\n")
    for number in (1, 2):
        callee.answer(183, headers=((b"Require", b"100rel"), (b"RSeq", b"%d" % number)))
    site.network.run()
    reliable = [one for one in caller.responses if one.status == 183]
    assert [(one.get(b"require"), one.get(b"rseq")) for one in reliable] == [(b"100rel", b"1"), (b"100rel", b"2")]


def test_session_timers_are_between_the_phones(site: MemorySite) -> None:
    """RFC 4028 §8: a proxy that asks for nothing leaves the headers alone."""
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", uri("201"), headers="Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n")
    assert callee.ringing.get(b"session-expires") == b"1800;refresher=uac"
    assert callee.ringing.get(b"min-se") == b"90"


@pytest.mark.parametrize("method", ["MESSAGE", "INFO", "OPTIONS"])
def test_a_request_other_than_invite_gets_no_100(site: MemorySite, method: str) -> None:
    """RFC 4320 §4.1."""
    site.phone("201")
    caller = site.phone("200")
    caller.authenticated(method, uri("201"))
    assert caller.statuses == [407, 200]


def test_a_client_that_still_asks_when_timer_e_has_reached_t2_gets_a_100(site: MemorySite) -> None:
    """RFC 4320 §4.1: no sooner."""
    callee, caller = site.phone("201"), site.phone("200")
    site.network.loses = lambda data, source, target: target == callee.address
    request = caller.authenticated("MESSAGE", uri("201"))
    caller.responses.clear()
    for pause in (0.5, 1.0):
        site.network.run(pause)
        caller.send(request)
    site.network.run(1.9)
    assert caller.statuses == []
    site.network.run(0.1)
    caller.send(request)
    site.network.run(0.1)
    assert caller.statuses == [100]
    caller.send(request)
    site.network.run(0.1)
    assert caller.statuses == [100, 100]
    site.network.loses = None
    site.network.run(5)
    assert caller.statuses[-1] == 200


def test_a_client_on_a_stream_gets_that_100_by_itself(site: MemorySite) -> None:
    """RFC 4320 §4.1: whatever the transport."""
    callee, caller = site.phone("201"), site.phone("200", tcp=True)
    site.network.loses = lambda data, source, target: target == callee.address
    caller.authenticated("MESSAGE", uri("201"))
    caller.responses.clear()
    site.network.run(3.3)
    assert caller.statuses == []
    site.network.run(0.3)
    assert caller.statuses == [100]
    site.network.loses = None
    site.network.run(5)
    assert caller.statuses == [100, 200]
