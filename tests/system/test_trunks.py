"""SIP trunks of a whole edge, with its cloud and while it is away: Kamailio as provider, real phones on both sides."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from edge_agent.clock import SystemClock
from tests.support.kamailio_provider import ALL_LINES_BUSY, REALM
from tests.support.phones.phone import Seen
from tests.support.sipp import Sipp
from tests.support.trunk_office import DOMAIN, MOBILE, SECOND_MOBILE, Office
from tests.support.waiting import eventually

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)

pytestmark = [pytest.mark.peer("kamailio", "baresip", "sipp"), pytest.mark.timeout(180)]


@pytest.fixture
def cloud() -> str:
    """Whether the edge's cloud is `reached`, `cut`, or there is none (empty)."""
    return ""


@pytest.fixture
def office(tmp_path: Path, cloud: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, cloud)


with_and_without_the_cloud = pytest.mark.parametrize("cloud", ["reached", "cut"])


def _header(request: str, name: str) -> str:
    (value,) = (line.partition(":")[2].strip() for line in request.splitlines() if line.startswith(name + ":"))
    return value


@with_and_without_the_cloud
def test_a_real_phone_calls_out_by_a_trunk_that_registered(office: Office) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    phone, mobile = office.call_out(provider)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert (record.callee, record.disposition, record.caller_user_id) == (MOBILE, "answered", "user-200")
    first, again = provider.requests("INVITE")
    assert "Proxy-Authorization" not in first
    assert 'username="office"' in again
    for request in (first, again):
        assert _header(request, "From").startswith("<sip:0441112233@127.0.0.1>;tag=")
        assert _header(request, "P-Asserted-Identity") == "<sip:0441112233@127.0.0.1>"
        head = request.partition("\n\n")[0].partition("\r\n\r\n")[0]
        for hidden in ("Record-Route", "User-Agent", DOMAIN, f":{office.edge_port}", "auth200", "Desk"):
            assert hidden not in head, (hidden, head)
        assert head.count("Via:") == 1


def test_media_of_a_trunks_call_goes_by_the_relay_and_comes_back_when_the_media_process_dies(office: Office) -> None:
    provider = office.provider("first")
    office.begin(relay="always")
    office.registered(provider)
    phone, mobile = office.call_out(provider)

    def media() -> dict[str, Any]:
        (found,) = (one for one in office.edge.status()["processes"] if one["name"] == "media")
        return dict(found)

    def relayed() -> bool:
        figures = media()["figures"]
        return bool(figures.get("relay.streams") == 1 and figures["relay.packets"] > 50)

    eventually(relayed, 60, "the relay carries the call")
    before = media()["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: media()["pid"] not in (None, before) and relayed(), 60, "the next media process carries it on")
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    eventually(lambda: media()["figures"].get("relay.streams") == 0, 60, "its ports are free")


@pytest.mark.parametrize("relay", ["never", "always"])
def test_both_ends_of_a_call_hear_that_it_is_over_though_the_agent_was_killed_in_it(office: Office, relay: str) -> None:
    """What needs no relay goes on until one of them hangs up; what did is over."""
    provider = office.provider("first")
    office.begin(relay=relay)
    office.registered(provider)
    phone, mobile = office.call_out(provider)
    office.kill()
    if relay == "never":
        office.talk("200", MOBILE)
        phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    phone.wait_for("CALL_CLOSED")
    assert 'Reason: SIP;cause=503;text="What carried this call was started again"' in mobile.log()


@with_and_without_the_cloud
def test_a_trunk_over_tcp_registers_and_carries_calls_both_ways(office: Office) -> None:
    provider = office.provider("first")
    office.begin(transport="tcp")
    office.registered(provider)
    phone, mobile = office.phone("202"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    caller = office.raw("200")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(caller.invite, MOBILE, SDP)
        mobile.accept()
        answered = answer.result(timeout=10)
    assert answered.status == 200
    assert caller.hang_up(answered).status == 200
    mobile.wait_for("CALL_CLOSED")
    for method in ("REGISTER", "INVITE"):
        assert "Via: SIP/2.0/TCP 127.0.0.1" in provider.requests(method, "office")[-1]


@with_and_without_the_cloud
@pytest.mark.parametrize("in_uri", [False, True])
def test_a_call_to_a_number_of_the_trunk_rings_whose_number_it_is(office: Office, in_uri: bool) -> None:
    provider = office.provider("first", in_uri=in_uri)
    office.begin(called_number_in="request_uri" if in_uri else "to")
    office.registered(provider)
    phone, mobile = office.phone("202"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)
    mobile.hang_up()
    phone.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert (record.caller, record.callee_user_id, record.disposition) == ("+41791112233", "user-202", "answered")
    assert [reason.partition(":")[0] for reason in record.reasons] == ["inward", "inward_number", "internal", "ring"]


@with_and_without_the_cloud
@pytest.mark.parametrize("away", ["silent", "not there"])
def test_a_provider_that_is_away_is_left_for_the_next_in_under_three_seconds(office: Office, away: str) -> None:
    if away == "silent":
        office.hold("first")
    second = office.provider("second")
    office.begin(options_seconds=0, register_seconds=0)
    mobile = office.outside(second)
    phone = office.phone("200")
    began = SystemClock().monotonic()
    phone.dial(f"sip:{MOBILE}@{DOMAIN}")
    mobile.wait_for("CALL_INCOMING")
    assert SystemClock().monotonic() - began < 3.0
    mobile.command("accept")
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    codes = [reason.partition(":")[0] for reason in record.reasons]
    assert codes == ["custom", "gateway", "ended", "gateway"]


def test_trunks_without_a_free_line_are_left_and_the_caller_is_told(office: Office) -> None:
    office.provider("first")
    office.provider("second")
    office.begin()
    assert office.raw("200").invite(ALL_LINES_BUSY).status == 500
    codes = [reason.partition(":")[0] for reason in office.records()[0].reasons]
    assert codes == ["custom", "gateway", "ended", "gateway", "ended", "no_gateway"]


@with_and_without_the_cloud
@pytest.mark.parametrize("relay", ["never", "always"])
def test_a_call_of_the_trunk_is_transferred_to_a_phone(office: Office, relay: str) -> None:
    provider = office.provider("first")
    office.begin(relay=relay)
    office.registered(provider)
    phone, other, mobile = office.phone("202"), office.phone("201"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    phone.command("transfer", f"sip:201@{DOMAIN}")
    other.accept()
    other.wait_for("CALL_ESTABLISHED")
    phone.wait_for("CALL_CLOSED")
    office.talk("201", MOBILE)

    def carried() -> tuple[int, bool]:
        (media,) = (one for one in office.edge.status()["processes"] if one["name"] == "media")
        return media["figures"].get("relay.streams", 0), media["figures"].get("relay.packets", 0) > 50

    expected = (1, True) if relay == "always" else (0, False)
    eventually(lambda: carried() == expected, 60, "media goes the way that it should")
    assert not provider.requests("REFER")
    other.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert (record.caller, record.callee_user_id, record.disposition) == ("+41791112233", "user-201", "answered")
    assert any(reason.startswith("transferred: 202 passed the call on to 201 (") for reason in record.reasons)


@pytest.mark.peer("pjsua2")
def test_a_call_of_the_trunk_that_a_phone_brings_to_another_is_one_record_with_that_of_asking_there(
    office: Office,
) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    phone, other, mobile = office.pjsua("202"), office.pjsua("201"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.wait_for(Seen.INCOMING, 60)
    phone.answer()
    mobile.wait_for("CALL_ESTABLISHED", within=60)
    phone.wait_for(Seen.HEARD, 60)
    phone.hold()
    phone.call("201")
    other.wait_for(Seen.INCOMING, 60)
    other.answer()
    other.wait_for(Seen.HEARD, 60)
    phone.join()
    # The call of whoever was asked first gave way to that of the caller outside.
    other.wait_for(Seen.CLOSED, 60)
    other.wait_for(Seen.HEARD, 60)
    assert not provider.requests("REFER")
    mobile.hang_up()
    (record,) = office.records()
    assert (record.caller, record.callee_user_id, record.disposition) == ("+41791112233", "user-201", "answered")
    told = [reason.partition(" (")[0] for reason in record.reasons]
    assert "answered: 202 took the call" in told
    assert "consulted: 202 asked 201 first" in told
    assert "transferred: 202 passed the call on to 201" in told
    assert told[-1] == "hung_up: +41791112233 ended the call"


@pytest.mark.peer("pjsua2")
def test_who_may_not_call_out_brings_nobody_there_neither_asked_first_nor_blindly_and_records_say_why(
    office: Office,
) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    phone, mobile, second = office.pjsua("202"), office.outside(provider), office.outside(provider, SECOND_MOBILE)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.wait_for(Seen.INCOMING, 60)
    phone.answer()
    mobile.wait_for("CALL_ESTABLISHED", within=60)
    phone.wait_for(Seen.HEARD, 60)
    phone.hold()
    phone.call(SECOND_MOBILE)
    assert phone.closed(60) == 403
    phone.transfer(SECOND_MOBILE)
    log = phone.folder / "log"
    eventually(lambda: "SIP/2.0 403 Transfer Not Allowed" in log.read_text("utf-8", "replace"), 30, "it is refused")
    mobile.hang_up()
    phone.wait_for(Seen.CLOSED, 60)
    asked, came = office.records(2)
    assert (asked.caller, asked.disposition, asked.status) == ("202", "failed", 403)
    assert any("Mobile" in reason for reason in asked.reasons)
    assert came.callee_user_id == "user-202"
    refused = f"transfer_refused: 202 may not pass the call on to {SECOND_MOBILE} (Transfer Not Allowed)"
    assert refused in came.reasons
    assert [one for one in second.take_events() if one["class"] == "call"] == []


def test_a_trunk_that_is_refused_or_silent_is_told_of_and_comes_back(office: Office) -> None:
    office.hold("second")
    first = office.provider("first")
    office.begin(register_seconds=0)
    text = "second: it does not answer"

    def told() -> bool:
        alarms = office.alarms()
        return bool(alarms) and alarms[-1].active and alarms[-1].text == text

    eventually(told, 90, "the silent trunk is told of")
    assert first.requests("OPTIONS")


@with_and_without_the_cloud
def test_a_long_call_is_refreshed_at_the_provider_and_goes_on(office: Office) -> None:
    """RFC 4028: sipp as a static trunk, whose session timer of 90 seconds is refreshed at half time."""
    provider = office.stack.enter_context(Sipp(office.folder, "refreshed", port=office.ports["first"]))
    office.begin(register_seconds=0, options_seconds=0, session_expires=90)
    phone = office.raw("200")
    answer = phone.invite(MOBILE, SDP)
    assert answer.status == 200
    phone.acknowledge(answer)
    provider.finish(within=70)
    (record,) = office.records()
    assert record.answered_at is not None
    assert (record.ended_at - record.answered_at).total_seconds() > 40
