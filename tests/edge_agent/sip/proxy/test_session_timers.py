"""Session timers that the proxy asks for, and those that it finds too short (RFC 4028 §8)."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import Message
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone


@pytest.fixture
def timed(site: MemorySite) -> MemorySite:
    """A site that wants calls refreshed every half hour, and not more often than every 10 minutes."""
    site.configure(replace(site.config, session_expires=1800, min_session_expires=600))
    return site


def called(site: MemorySite, headers: str, answer: tuple[tuple[bytes, bytes], ...] = ()) -> tuple[Message, Message]:
    """What the callee got, and what the caller got from him."""
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"), headers=headers)
    callee.answer(200, headers=answer)
    site.network.run()
    return callee.ringing, caller.responses[-1]


def test_a_call_without_a_session_timer_gets_one(timed: MemorySite) -> None:
    """RFC 4028 §8.1."""
    invite, answer = called(timed, "", ((b"Session-Expires", b"1800;refresher=uas"), (b"Require", b"timer")))
    assert invite.get(b"session-expires") == b"1800"
    assert answer.all(b"session-expires") == [b"1800;refresher=uas"]


def test_a_caller_that_can_refreshes_when_the_callee_cannot(timed: MemorySite) -> None:
    """RFC 4028 §8.2."""
    _, answer = called(timed, "Supported: timer\r\n")
    assert answer.get(b"session-expires") == b"1800;refresher=uac"
    assert answer.values(b"require") == [b"timer"]


def test_a_call_between_two_that_know_no_timers_has_none(timed: MemorySite) -> None:
    """RFC 4028 §8.2."""
    _, answer = called(timed, "")
    assert b"session-expires" not in answer.names


def test_a_timer_that_is_too_short_is_refused_with_what_is_long_enough(timed: MemorySite) -> None:
    """RFC 4028 §8.1: 422."""
    caller, callee = timed.phone("200"), timed.phone("201")
    caller.authenticated("INVITE", uri("201"), headers="Supported: timer\r\nSession-Expires: 300\r\n")
    answer = caller.responses[-1]
    assert (answer.status, answer.reason) == (422, b"Session Interval Too Small")
    assert answer.get(b"min-se") == b"600"
    assert callee.methods == []


def test_for_a_caller_that_does_not_know_timers_a_short_one_is_raised(timed: MemorySite) -> None:
    """RFC 4028 §8.1."""
    invite, _ = called(timed, "x: 300;refresher=uas\r\n")
    assert invite.all(b"session-expires") == [b"600;refresher=uas"]
    assert invite.get(b"min-se") == b"600"


def test_what_the_site_asks_for_is_not_below_what_another_proxy_needs(timed: MemorySite) -> None:
    """RFC 4028 §8.1: not lower than Min-SE."""
    invite, _ = called(timed, "Min-SE: 3600\r\n")
    assert invite.get(b"session-expires") == b"3600"


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_within_a_call_a_short_timer_is_refused_too(timed: MemorySite, method: str) -> None:
    caller, callee = timed.phone("200"), timed.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    request = caller.in_dialog(method, invite, answer)
    timed.network.run()
    assert callee.methods[-1] == method
    short = request.copy()
    short.set(b"CSeq", b"900 " + method.encode())
    short.set(b"Via", short.need(b"via").replace(b"z9hG4bK", b"z9hG4bKshort"))
    short.append(b"Supported", b"timer")
    short.append(b"Session-Expires", b"100")
    caller.send(short)
    timed.network.run()
    assert caller.statuses[-1] == 422


@pytest.mark.parametrize("headers", ["Session-Expires: soon\r\n", "Session-Expires: 1;=\r\n", "Min-SE: -1\r\n"])
def test_a_malformed_session_timer_is_named(timed: MemorySite, headers: str) -> None:
    caller = timed.phone("200")
    caller.authenticated("INVITE", uri("201"), headers=headers)
    assert (caller.statuses[-1], caller.responses[-1].reason[:9]) == (400, b"Malformed")


@pytest.mark.parametrize("change", [{"session_expires": 30}, {"min_session_expires": 30}])
def test_a_timer_that_rfc_4028_does_not_allow_cannot_be_configured(site: MemorySite, change: dict[str, int]) -> None:
    """RFC 4028 §4: at least 90 seconds."""
    assert replace(site.config, **change).problems() != []  # type: ignore[arg-type]


REFRESHED = ((b"Session-Expires", b"1800;refresher=uac"),)


def in_progress(site: MemorySite) -> tuple[SipPhone, SipPhone, Message, Message]:
    """A call with a session timer of half an hour: caller, callee, its INVITE and 200."""
    caller, callee = site.phone("200"), site.phone("201")
    invite = caller.authenticated("INVITE", uri("201"), headers="Supported: timer\r\nSession-Expires: 1800\r\n")
    callee.answer(200, headers=REFRESHED)
    site.network.run()
    caller.in_dialog("ACK", invite, caller.responses[-1])
    return caller, callee, invite, caller.responses[-1]


def test_a_call_whose_session_nobody_refreshes_is_closed_in_the_journal_and_its_phones_are_left_alone(
    site: MemorySite,
) -> None:
    """RFC 4028 §8, §10: a proxy may let go of a session that lapsed; it sends no BYE."""
    caller, callee, invite, answer = in_progress(site)
    site.network.run(1790)
    assert len(site.endpoint.calls) == 1
    before = len(callee.requests)
    site.network.run(20)
    assert len(site.endpoint.calls) == 0
    assert (site.record.disposition, site.record.interrupted) == ("answered", True)
    assert site.record.reasons[-1] == "session_lapsed: nobody refreshed the session in time"
    assert len(callee.requests) == before
    # Within the dialog, which its own token proves, everything goes on; the record stays as it is.
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert (caller.statuses[-1], callee.methods[-1]) == (200, "BYE")
    assert len(site.log.records) == 1


@pytest.mark.parametrize("as_callee", [False, True], ids=["caller", "callee"])
def test_a_refresh_from_either_side_prolongs_the_session(site: MemorySite, as_callee: bool) -> None:
    """RFC 4028 §7.4, §8."""
    caller, callee, invite, answer = in_progress(site)
    refreshing, other = (callee, caller) if as_callee else (caller, callee)
    site.network.run(1700)
    seen = callee.ringing if as_callee else invite
    refreshing.in_dialog("INVITE", seen, answer, as_callee=as_callee)
    site.network.run()
    other.answer(200, headers=REFRESHED)
    site.network.run()
    assert refreshing.statuses[-1] == 200
    site.network.run(1700)
    assert len(site.endpoint.calls) == 1
    site.network.run(120)
    assert len(site.endpoint.calls) == 0


def test_a_refresh_that_lets_the_timer_go_ends_the_watch(site: MemorySite) -> None:
    """RFC 4028 §7.2: a 2xx without Session-Expires means that there is no session timer any more."""
    _, callee, _, answer = in_progress(site)
    callee.in_dialog("UPDATE", callee.ringing, answer, as_callee=True)
    site.network.run(4000)
    assert len(site.endpoint.calls) == 1


@pytest.mark.parametrize("value", [b"", b"soon", b"0", b"-1", b"9999999999"])
def test_a_session_timer_that_cannot_be_read_ends_no_call(site: MemorySite, value: bytes) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    callee.answer(200, headers=((b"Session-Expires", value),))
    site.network.run(4000)
    assert len(site.endpoint.calls) == 1
