"""Calling features carried out by a whole edge, once with its cloud reached and once with it cut, with real phones:
pickup, intercom, speed dials, caller ID, unwanted callers, hot desking, transfers, call-backs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from cloud.local.baresip import Baresip, PhoneError
from contract.pin import hashed
from tests.support.feature_office import FeatureOffice
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import DOMAIN
from tests.support.phones.talking import connect, hang_up, hear, talk
from tests.support.raw_callee import RawCallee

PIN: Final = "2580"

SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)

pytestmark = [pytest.mark.peer("baresip", "pjsua2"), pytest.mark.timeout(240)]


@pytest.mark.parametrize("picker", ["by extension", "of the group"])
def test_a_ringing_call_is_picked_up_from_another_phone_and_both_hear_each_other(
    office: FeatureOffice, picker: str
) -> None:
    who, code = (
        (office.desks.third, f"*78{office.desks.callee}") if picker == "by extension" else (office.desks.other, "*79")
    )
    caller, callee = office.phone(office.desks.caller, PjsuaPhone), office.phone(office.desks.callee)
    third = office.phone(who)
    caller.call(office.desks.callee)
    callee.wait_for(Seen.INCOMING)
    caller.wait_for(Seen.RINGING)
    third.call(code)
    third.wait_for(Seen.ANSWERED)
    callee.wait_for(Seen.CLOSED)
    hear(caller, third)
    hang_up(third, caller)
    (record,) = office.records(1)
    assert (record.caller, record.callee, record.callee_user_id) == (
        office.desks.caller,
        office.desks.callee,
        f"user-{who}",
    )
    assert record.disposition == "answered"
    assert record.reasons[-1] == f"picked_up: {who} took the call"


def test_a_caller_whose_phone_knows_no_replaces_comes_to_the_phone_of_who_picks_up(office: FeatureOffice) -> None:
    """baresip 1.0 is such a phone; pjsua answers by itself what asks for that."""
    caller, callee = office.phone(office.desks.caller), office.phone(office.desks.callee)
    third = office.phone(office.desks.third, PjsuaPhone)
    caller.call(office.desks.callee)
    callee.wait_for(Seen.INCOMING)
    third.call(f"*78{office.desks.callee}")
    caller.wait_for(Seen.ANSWERED)
    callee.wait_for(Seen.CLOSED)
    hear(caller, third)
    hang_up(caller, third)
    record = office.records(1)[0]
    assert (record.caller, record.callee_user_id, record.disposition) == (
        office.desks.caller,
        f"user-{office.desks.third}",
        "answered",
    )


def test_an_intercom_call_is_answered_by_the_phone_itself(office: FeatureOffice) -> None:
    caller, callee = office.phone(office.desks.third), office.phone(office.desks.callee, PjsuaPhone)
    caller.call(f"*76{office.desks.callee}")
    caller.wait_for(Seen.ANSWERED)
    hear(caller, callee)
    hang_up(caller, callee)
    assert [reason.partition(":")[0] for reason in office.records(1)[0].reasons] == ["feature", "intercom"]


def test_an_intercom_call_needs_permission_and_consent(office: FeatureOffice) -> None:
    caller, colleague = office.baresip(office.desks.third), office.baresip(office.desks.callee)
    assert "403" in office.refused(colleague, f"*76{office.desks.third}")
    office.dial(colleague, "*56")
    assert "403" in office.refused(caller, f"*76{office.desks.callee}")
    office.dial(colleague, "*55")
    caller.dial(f"sip:*76{office.desks.callee}@{DOMAIN}")
    colleague.wait_for("CALL_INCOMING")


def test_a_speed_dial_that_a_phone_kept_outlives_the_edges_death(office: FeatureOffice) -> None:
    phone, callee = office.baresip(office.desks.caller), office.baresip(office.desks.callee)
    office.dial(phone, f"*507*{office.desks.callee}")
    office.site.peer.restart()
    phone.dial(f"sip:*07@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:{office.desks.caller}@{DOMAIN}"


def test_a_caller_hides_and_the_phone_shows_nobody(office: FeatureOffice) -> None:
    phone, callee = office.baresip(office.desks.caller), office.baresip(office.desks.callee)
    phone.dial(f"sip:*67{office.desks.callee}@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == "sip:anonymous@anonymous.invalid"
    callee.command("accept")
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    callee.wait_for("CALL_CLOSED")


def test_calls_ring_here_again_after_the_forwarding_is_taken_back_and_show_who_calls(office: FeatureOffice) -> None:
    caller, callee = office.baresip(office.desks.caller), office.baresip(office.desks.callee)
    other = office.baresip(office.desks.other)
    office.dial(callee, f"*72{office.desks.other}")
    caller.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    other.wait_for("CALL_INCOMING")
    caller.hang_up()
    other.wait_for("CALL_CLOSED")
    office.dial(callee, "*73")
    caller.dial(f"sip:*65{office.desks.callee}@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:{office.desks.caller}@{DOMAIN}"


def test_who_called_last_is_called_back_blocked_and_taken_again(office: FeatureOffice) -> None:
    caller, callee = office.baresip(office.desks.caller), office.baresip(office.desks.callee)
    caller.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    callee.wait_for("CALL_INCOMING")
    caller.hang_up()
    callee.wait_for("CALL_CLOSED")
    callee.dial(f"sip:*69@{DOMAIN}")
    assert caller.wait_for("CALL_INCOMING")["peeruri"] == f"sip:{office.desks.callee}@{DOMAIN}"
    callee.hang_up()
    caller.wait_for("CALL_CLOSED")
    office.dial(callee, "*64")
    assert "603" in office.refused(caller, office.desks.callee)
    office.dial(callee, f"*63{office.desks.caller}")
    caller.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    callee.wait_for("CALL_INCOMING")


def test_who_wants_no_nameless_caller_and_no_second_call_gets_none(office: FeatureOffice) -> None:
    caller, callee = office.baresip(office.desks.caller), office.baresip(office.desks.callee)
    other = office.baresip(office.desks.other)
    office.dial(callee, "*51")
    assert "433" in office.refused(caller, f"*67{office.desks.callee}")
    office.dial(callee, "*52")
    caller.dial(f"sip:*67{office.desks.callee}@{DOMAIN}")
    callee.wait_for("CALL_INCOMING")
    caller.hang_up()
    callee.wait_for("CALL_CLOSED")
    office.dial(callee, "*54")
    caller.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    callee.accept()
    caller.wait_for("CALL_ESTABLISHED")
    assert "486" in office.refused(other, office.desks.callee)


def test_somebody_logs_in_at_anothers_phone_by_its_keys_and_is_there_until_he_logs_out(office: FeatureOffice) -> None:
    """Extension by dialling, PIN by the keys; it outlives the death of the edge, and all of it without the cloud."""
    office.keep(f"voicemail_pin/user-{office.desks.other}", hashed(PIN, "0" * 32))
    office.site.peer.restart()
    host, callee = office.baresip(office.desks.caller), office.baresip(office.desks.callee)
    host.dial(f"sip:*11{office.desks.other}@{DOMAIN}")
    host.wait_for("CALL_ESTABLISHED")
    for key in f"{PIN}#":
        host.command("sndcode", key)
    host.wait_for("CALL_CLOSED", within=20.0)
    office.site.peer.restart()
    host.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:{office.desks.other}@{DOMAIN}"
    host.hang_up()
    callee.wait_for("CALL_CLOSED")
    callee.dial(f"sip:{office.desks.other}@{DOMAIN}")
    host.wait_for("CALL_INCOMING")
    callee.hang_up()
    host.wait_for("CALL_CLOSED")
    office.dial(host, "*12")
    host.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:{office.desks.caller}@{DOMAIN}"


def test_a_caller_from_outside_is_shown_by_his_name_in_the_phonebook(office: FeatureOffice) -> None:
    callee = office.baresip(office.desks.callee)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(office.site.outside.invite, office.desks.callee, SDP)
        arrived = callee.wait_for("CALL_INCOMING")
        assert (arrived["peerdisplayname"], arrived["peeruri"]) == ("Plumber", f"sip:0791112233@{DOMAIN}")
        callee.command("accept")
        assert office.site.outside.hang_up(answer.result(timeout=10)).status == 200
    callee.wait_for("CALL_CLOSED")


def test_a_caller_from_outside_is_blocked_by_the_number_that_he_shows(office: FeatureOffice) -> None:
    callee = office.baresip(office.desks.callee)
    office.dial(callee, "*62+41791112233")
    assert office.site.outside.invite(office.desks.callee, SDP).status == 603


def test_a_phone_that_is_sent_to_the_outside_goes_there_by_the_permission_of_who_sent_it(office: FeatureOffice) -> None:
    referrer, sent = office.phone(office.desks.third, PjsuaPhone), office.phone(office.desks.caller, PjsuaPhone)
    connect(referrer, sent)
    with RawCallee(office.site.outside, (180, 200), registers=False) as network:
        referrer.transfer("0441234567")
        assert network.ringing.wait(10)
    records = {(one.caller, one.callee) for one in office.records(1)}
    assert (office.desks.third, office.desks.caller) in records


def test_a_phone_is_not_sent_where_who_sends_it_may_not_call(office: FeatureOffice) -> None:
    referrer, sent = office.phone(office.desks.caller, PjsuaPhone), office.phone(office.desks.third, PjsuaPhone)
    connect(referrer, sent)
    with RawCallee(office.site.outside, (180, 200), registers=False) as network:
        referrer.transfer("0441234567")
        talk()
        assert not network.ringing.is_set()
    hang_up(referrer, sent)


def _baresips(office: FeatureOffice) -> tuple[Baresip, Baresip, Baresip]:
    """Who calls, whom he calls, and with whom that one talks."""
    caller, busy, other = (office.baresip(number) for number in office.desks[:3])
    other.dial(f"sip:{office.desks.callee}@{DOMAIN}")
    busy.accept()
    other.wait_for("CALL_ESTABLISHED")
    return caller, busy, other


def test_who_found_somebody_busy_is_called_back_when_he_is_free_also_after_the_edge_was_killed(
    office: FeatureOffice,
) -> None:
    caller, busy, other = _baresips(office)
    office.dial(caller, f"*58{office.desks.callee}")
    caller.take_events(), busy.take_events()
    # Of calls that it does not see end, the edge knows nothing after that: it may ring while it comes back.
    office.site.peer.restart()
    other.hang_up()
    ringing = caller.wait_for("CALL_INCOMING", within=40)
    assert office.desks.callee in str(ringing["peeruri"])
    caller.command("accept")
    busy.accept(within=20)
    busy.wait_for("CALL_ESTABLISHED")
    asked = [one for one in office.records(1) if one.callee == f"*58{office.desks.callee}"]
    assert any(
        f"{office.desks.caller} is called when {office.desks.callee} is free" in reason for reason in asked[0].reasons
    )


def test_a_call_back_that_was_cancelled_rings_nobody_and_one_that_is_not_taken_rings_once(
    office: FeatureOffice,
) -> None:
    caller, _, other = _baresips(office)
    office.dial(caller, f"*58{office.desks.callee}")
    office.dial(caller, f"*57{office.desks.callee}")
    office.dial(caller, f"*58{office.desks.other}")
    guest = office.baresip(office.desks.other)
    assert office.desks.other in str(caller.wait_for("CALL_INCOMING", within=20)["peeruri"])
    other.hang_up()
    caller.hang_up()
    caller.wait_for("CALL_CLOSED")
    with pytest.raises(PhoneError):
        caller.wait_for("CALL_INCOMING", within=8)
    assert [one for one in guest.take_events() if one["type"] == "CALL_INCOMING"] == []
