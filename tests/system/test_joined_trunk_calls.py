"""Two calls of trunks that a phone brings together at a whole edge whose cloud is away, on hold as phones have them."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.sync.events import CallEnded
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.raw_sip import Answer, RawPhone
from tests.support.trunk_office import MOBILE, SECOND_MOBILE, Office

pytestmark = [pytest.mark.peer("kamailio", "pjsua2"), pytest.mark.timeout(180)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


@pytest.mark.parametrize("held", ["neither", "first", "both"])
def test_two_calls_of_the_trunk_that_a_phone_brings_together_are_one_record_until_they_end(
    office: Office, held: str
) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    phone = office.pjsua("200")
    mobile, second = (office.pjsua_outside(provider, number) for number in (MOBILE, SECOND_MOBILE))

    def talk_to(whom: PjsuaPhone, number: str) -> None:
        phone.call(number)
        whom.wait_for(Seen.INCOMING, 60)
        whom.answer()
        phone.wait_for(Seen.ANSWERED, 60)
        phone.wait_for(Seen.HEARD, 60)

    talk_to(mobile, MOBILE)
    if held != "neither":
        phone.hold()
        mobile.wait_for(Seen.HELD, 60)
    talk_to(second, SECOND_MOBILE)
    if held == "both":
        phone.hold()
        second.wait_for(Seen.HELD, 60)
    phone.join()
    for _ in range(2):
        phone.wait_for(Seen.CLOSED, 60)
    office.talk(MOBILE, SECOND_MOBILE)
    assert not provider.requests("REFER")
    assert not [what for what in office.happened() if isinstance(what, CallEnded)]
    second.hang_up()
    mobile.wait_for(Seen.CLOSED, 60)
    (record,) = office.records()
    assert (record.caller_user_id, record.callee, record.disposition) == ("user-200", MOBILE, "answered")
    told = [reason.partition(" (")[0] for reason in record.reasons]
    assert f"consulted: 200 asked {SECOND_MOBILE} first" in told
    assert f"transferred: 200 passed the call on to {SECOND_MOBILE}" in told
    assert told[-1] == f"hung_up: {SECOND_MOBILE} ended the call"


def talking(call: RawPhone, number: str, session: str, whom: PjsuaPhone) -> Answer:
    """A call that is answered outside; the answer."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(call.invite, number, session)
        whom.wait_for(Seen.INCOMING, 60)
        whom.answer()
        answer = asked.result(timeout=30)
    assert answer.status == 200
    call.acknowledge(answer)
    return answer


HOLDS = {
    "sendonly": ("127.0.0.1", "a=sendonly\r\n"),
    "inactive": ("127.0.0.1", "a=inactive\r\n"),
    "no address": ("0.0.0.0", ""),
}


@pytest.mark.parametrize(
    ("held", "by", "relay", "waits"),
    [
        ("first", "sendonly", "always", True),
        ("first", "no address", "always", True),
        ("second", "inactive", "always", True),
        ("both", "inactive", "never", True),
        ("both", "sendonly", "never", False),
        ("both", "no address", "always", False),
    ],
)
def test_who_was_held_in_any_way_is_heard_again_by_whom_he_is_brought_to(
    office: Office, held: str, by: str, relay: str, waits: bool
) -> None:
    """Phones hold by a direction (RFC 3264 §8.4) or by no address (RFC 2543); some do not wait until all is done."""
    provider = office.provider("first")
    office.begin(relay=relay)
    office.registered(provider)
    here = office.stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    here.bind(("127.0.0.1", 0))

    def session(version: int, host: str = "127.0.0.1", direction: str = "") -> str:
        return (
            f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {here.getsockname()[1]} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n{direction}"
        )

    calls = []
    for number, name in ((MOBILE, "first"), (SECOND_MOBILE, "second")):
        whom, call = office.pjsua_outside(provider, number), office.raw("200")
        answer = talking(call, number, session(1), whom)
        if held in (name, "both"):
            assert call.renew(answer, session(2, *HOLDS[by])).status == 200
        calls.append((call, answer, whom))
    (call, answer, mobile), (asking, other, second) = calls
    assert call.refer(answer, asking.replaces(other)).status == 202
    if waits:
        while "SIP/2.0 200" not in call.until("NOTIFY").text:
            pass
        call.until("BYE")
        asking.until("BYE")
    else:
        # By then the edge may have ended it, too.
        assert {call.hang_up(answer).status, asking.hang_up(other).status} <= {200, 481}
    office.talk(MOBILE, SECOND_MOBILE)
    mobile.hang_up()
    second.wait_for(Seen.CLOSED, 60)
    (record,) = office.records()
    told = [reason.partition(" (")[0] for reason in record.reasons]
    assert f"transferred: 200 passed the call on to {SECOND_MOBILE}" in told
    assert told[-1] == f"hung_up: {MOBILE} ended the call"


def test_nobody_brings_his_call_to_one_that_another_has(office: Office) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    mobile, second = (office.pjsua_outside(provider, number) for number in (MOBILE, SECOND_MOBILE))
    session = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
    mine, theirs = office.raw("200"), office.raw("201")
    answer, other = talking(mine, MOBILE, session, mobile), talking(theirs, SECOND_MOBILE, session, second)
    assert mine.refer(answer, theirs.replaces(other)).status == 403
    assert mine.hang_up(answer).status == 200
    assert theirs.hang_up(other).status == 200
    first, _ = office.records(2)
    refused = f"transfer_refused: 200 may not pass the call on to {SECOND_MOBILE} (Transfer Not Allowed)"
    assert refused in first.reasons
