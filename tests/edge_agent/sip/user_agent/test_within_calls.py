"""Within a call: other sessions, information, transfers, session timers, and calls that take another's place."""

import pytest

from edge_agent.ports import Transfer
from tests.edge_agent.sip.user_agent.test_calls import ANSWER as THEIR_ANSWER
from tests.edge_agent.sip.user_agent.test_calls import Caller
from tests.support.call_partner import ANSWER, OFFER, CallPartner, RecordingListener

TIMED = ((b"Session-Expires", b"180;refresher=uac"), (b"Require", b"timer"), (b"Allow", b"INVITE, UPDATE"))


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_another_session_is_asked_for_and_told(method: str) -> None:
    """RFC 3261 §14.1, RFC 3311 §5.1."""
    partner = CallPartner()
    leg = partner.call()
    (leg.reoffer if method == "INVITE" else leg.update)(OFFER)
    request = partner.newest(method)
    assert (request.body, request.cseq[0]) == (OFFER, 2)
    assert partner.reply(200, ANSWER, to=request) == (["ACK"] if method == "INVITE" else [])
    assert partner.listener.heard == [("changed", 200, ANSWER)]
    (leg.reoffer if method == "INVITE" else leg.update)(OFFER)
    partner.reply(488, to=partner.newest(method))
    assert partner.listener.heard[-1] == ("changed", 488, None)
    assert partner.agent.calls == 1


def test_a_glare_is_tried_again_and_a_call_that_is_gone_is_ended() -> None:
    """RFC 3261 §14.1, §12.2.1.2."""
    partner = CallPartner()
    leg = partner.call()
    leg.reoffer(OFFER)
    partner.reply(491)
    assert partner.wait(2.0) == []
    assert set(partner.wait(2.0)) == {"INVITE"}
    assert partner.newest("INVITE").cseq[0] == 3
    assert partner.reply(481) == ["ACK", "BYE"]
    assert partner.listener.heard == [("ended", "unreachable", 0)]


def test_a_wish_while_another_is_open_is_refused_on_both_sides() -> None:
    """RFC 3261 §14.1, §14.2: 491."""
    partner = CallPartner()
    leg = partner.call()
    leg.reoffer(OFFER)
    leg.update(OFFER)
    assert partner.listener.heard == [("changed", 491, None)]
    assert partner.put("INVITE", OFFER) == ["491"]
    assert partner.put("UPDATE", OFFER) == ["491"]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_the_peers_wish_is_asked_of_the_listener(method: str) -> None:
    """RFC 3261 §14.2, RFC 3311 §5.2."""
    partner = CallPartner()
    partner.place()
    partner.reply(200, ANSWER)
    assert partner.put(method, OFFER) == ["200"]
    assert partner.sent[-1].body == ANSWER
    if method == "INVITE":
        assert partner.put("ACK", cseq=partner.sent[-1].cseq[0]) == []
        assert partner.wait(40) == []
    partner.listener.declines = True
    assert partner.put(method, OFFER) == ["488"]
    assert partner.listener.heard[-1] == ("reoffered", OFFER)


def test_information_goes_both_ways() -> None:
    """RFC 6086 §4.2."""
    partner = CallPartner()
    leg = partner.place()
    partner.reply(200, ANSWER)
    leg.inform("application/dtmf-relay", b"Signal=5\r\n")
    info = partner.newest("INFO")
    assert (info.get(b"content-type"), info.body) == (b"application/dtmf-relay", b"Signal=5\r\n")
    partner.reply(200, to=info)
    assert partner.put("INFO", b"Signal=6", "Content-Type: application/dtmf-relay\r\n") == ["200"]
    assert partner.listener.heard[-1] == ("informed", "application/dtmf-relay", b"Signal=6")
    assert partner.put("INFO", headers="Info-Package: foo\r\n") == ["469"]


REFER = (
    "Refer-To: <sip:202@demo.tandem.test?Replaces=a%40b%3Bto-tag%3Dx%3Bfrom-tag%3Dy>\r\nReferred-By: <sip:201@x>\r\n"
)


def test_a_transfer_that_the_peer_wants_is_told_of_until_it_is_decided() -> None:
    """RFC 3515 §2.4, RFC 3891, RFC 3892."""
    partner = CallPartner()
    leg = partner.place()
    partner.reply(200, ANSWER)
    assert partner.put("REFER", headers=REFER, cseq=5) == ["202", "NOTIFY"]
    assert partner.listener.heard[-1] == (
        "transfer",
        Transfer("sip:202@demo.tandem.test", "a@b;to-tag=x;from-tag=y", "<sip:201@x>"),
    )
    notify = partner.newest("NOTIFY")
    assert (notify.get(b"event"), notify.body) == (b"refer;id=5", b"SIP/2.0 100 Trying\r\n")
    assert notify.get(b"subscription-state") == b"active;expires=180"
    partner.reply(200, to=notify)
    leg.transfer_progress(180)
    leg.transfer_progress(486)
    notify = partner.newest("NOTIFY")
    assert (notify.body, notify.get(b"subscription-state")) == (
        b"SIP/2.0 486 Busy Here\r\n",
        b"terminated;reason=noresource",
    )
    leg.transfer_progress(200)
    assert partner.kinds().count("NOTIFY") == 3


def test_a_transfer_without_a_subscription_is_not_told_of() -> None:
    """RFC 4488 §4."""
    partner = CallPartner()
    leg = partner.place()
    partner.reply(200, ANSWER)
    assert partner.put("REFER", headers=REFER + "Refer-Sub: false\r\n") == ["202"]
    assert partner.sent[-1].get(b"refer-sub") == b"false"
    leg.transfer_progress(200)
    assert "NOTIFY" not in partner.kinds()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("", "400"),
        ("Refer-To: <tel:1>\r\n", "416"),
        ("Refer-To: <sip:a@b;method=BYE>\r\n", "403"),
        ("Refer-To: <sip:a@b?Replaces=x%0D%0Ay>\r\n", "400"),
        (REFER, "488"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(headers: str, status: str) -> None:
    """RFC 3515 §2.4.1, §2.4.2."""
    partner = CallPartner()
    partner.listener.declines = True
    partner.place()
    partner.reply(200, ANSWER)
    assert partner.put("REFER", headers=headers) == [status]


def test_a_transfer_of_ours_is_heard_of() -> None:
    """RFC 3515 §2.4.4."""
    partner = CallPartner()
    leg = partner.place()
    partner.reply(200, ANSWER)
    leg.refer(Transfer("sip:202@x", "a@b;to-tag=x;from-tag=y", "<sip:900@x>"))
    refer = partner.newest("REFER")
    assert refer.get(b"refer-to") == b"<sip:202@x?Replaces=a%40b%3Bto-tag%3Dx%3Bfrom-tag%3Dy>"
    assert refer.get(b"referred-by") == b"<sip:900@x>"
    partner.reply(202, to=refer)
    state = "Event: refer\r\nContent-Type: message/sipfrag\r\nSubscription-State: "
    assert partner.put("NOTIFY", b"SIP/2.0 180 Ringing", state + "active\r\n") == ["200"]
    assert partner.put("NOTIFY", b"SIP/2.0 200 OK", state + "terminated\r\n") == ["200"]
    assert partner.listener.heard[-2:] == [("transferred", 180, False), ("transferred", 200, True)]
    assert partner.put("NOTIFY", b"rubbish", state + "active\r\n") == ["400"]
    assert partner.put("NOTIFY", b"", "Event: dialog\r\n") == ["489"]
    leg.refer(Transfer("sip:202@x"), quiet=True)
    assert partner.newest("REFER").get(b"refer-sub") == b"false"
    partner.reply(603, to=partner.newest("REFER"))
    assert partner.listener.heard[-1] == ("transferred", 603, True)


@pytest.mark.parametrize("updates", [True, False])
def test_who_refreshes_does_so_at_half_time(updates: bool) -> None:
    """RFC 4028 §7.4, §10."""
    partner = CallPartner(session_expires=180)
    partner.place()
    assert partner.sent[0].get(b"session-expires") == b"180"
    partner.reply(200, ANSWER, TIMED if updates else TIMED[:2])
    assert partner.wait(88) == []
    method = "UPDATE" if updates else "INVITE"
    assert partner.wait(4)[0] == method
    refresh = partner.newest(method)
    assert (refresh.get(b"session-expires"), refresh.body) == (b"180;refresher=uac", b"" if updates else OFFER)
    partner.reply(200, b"" if updates else ANSWER, TIMED, to=refresh)
    before = len(partner.sent)
    partner.wait(92)
    assert partner.kinds(before)[0] == "UPDATE"


def test_a_session_that_the_peer_does_not_refresh_is_hung_up() -> None:
    """RFC 4028 §10."""
    partner = CallPartner(session_expires=180)
    partner.place()
    partner.reply(200, ANSWER, ((b"Session-Expires", b"180;refresher=uas"),))
    assert partner.wait(100) == []
    assert partner.put("UPDATE", headers="Supported: timer\r\nSession-Expires: 180;refresher=uac\r\n") == ["200"]
    assert partner.sent[-1].get(b"session-expires") == b"180;refresher=uac"
    assert partner.wait(140) == []
    assert partner.wait(10)[0] == "BYE"
    assert partner.listener.heard[-1] == ("ended", "lapsed", 0)


def test_a_session_timer_that_is_too_short_for_somebody_is_made_longer() -> None:
    """RFC 4028 §7.3."""
    partner = CallPartner(session_expires=180)
    partner.place()
    assert partner.reply(422, headers=((b"Min-SE", b"600"),)) == ["ACK", "INVITE"]
    again = partner.newest("INVITE")
    assert (again.get(b"session-expires"), again.get(b"min-se"), again.cseq[0]) == (b"600", b"600", 2)


def test_a_caller_with_a_session_timer_that_is_too_short_is_refused() -> None:
    """RFC 4028 §9."""
    caller = Caller()
    headers = "Supported: timer\r\nSession-Expires: 60\r\n"
    assert caller.put("INVITE", OFFER, headers=headers) == ["100", "422"]
    assert caller.header("Min-SE") == ["90"]
    assert caller.plane.legs == []


def test_a_caller_who_asks_for_a_session_timer_refreshes_it() -> None:
    """RFC 4028 §9."""
    caller = Caller()
    caller.put("INVITE", OFFER, headers="Supported: timer\r\nSession-Expires: 180\r\n")
    caller.plane.legs[0].answer(THEIR_ANSWER)
    assert (caller.header("Session-Expires"), caller.header("Require")) == (["180;refresher=uac"], ["timer"])
    caller.learn_tag()
    caller.put("ACK")
    assert caller.wait(140) == []
    assert set(caller.wait(10)) == {"BYE"}
    assert caller.plane.causes == ["failed"]


def test_early_media_is_reliable_where_the_caller_knows_how_and_the_answer_waits_for_it() -> None:
    """RFC 3262 §3."""
    caller = Caller()
    caller.put("INVITE", OFFER, headers="Supported: 100rel\r\n")
    leg = caller.plane.legs[0]
    leg.progress(183, THEIR_ANSWER)  # type: ignore[attr-defined]
    leg.ring()
    leg.answer(THEIR_ANSWER)
    assert caller.kinds(0) == ["100", "183", "180"]
    caller.to_tag = caller.header("To", 1)[0].partition("tag=")[2]
    (number,) = caller.header("RSeq", 1)
    assert caller.header("Require", 1) == ["100rel"]
    assert caller.wait(1.6) == ["183", "183"]
    assert caller.put("PRACK", cseq=2, headers="RAck: 1 1 INVITE\r\n") == ["481"]
    assert caller.put("PRACK", cseq=3, headers=f"RAck: {number} 1 INVITE\r\n") == ["200", "200"]
    assert caller.put("PRACK", cseq=4, headers=f"RAck: {number} 1 INVITE\r\n") == ["481"]
    assert caller.put("PRACK", cseq=5, headers="RAck: x\r\n") == ["400"]


def test_a_caller_that_needs_reliable_responses_gets_them_one_by_one() -> None:
    """RFC 3262 §3: the next waits for the PRACK of the one before."""
    caller = Caller()
    caller.put("INVITE", OFFER, headers="Require: 100rel\r\n")
    leg = caller.plane.legs[0]
    leg.ring()
    leg.progress(183, THEIR_ANSWER)  # type: ignore[attr-defined]
    assert caller.kinds(0) == ["100", "180"]
    caller.to_tag = caller.header("To")[0].partition("tag=")[2]
    number = int(caller.header("RSeq")[0])
    assert caller.put("PRACK", cseq=2, headers=f"RAck: {number} 1 INVITE\r\n") == ["200", "183"]
    assert caller.header("RSeq") == [str(number + 1)]
    caller.wait(33)
    assert caller.plane.causes == ["local"]
    assert "504" in caller.kinds(0)


def test_a_call_takes_the_place_of_another_when_it_is_answered() -> None:
    """RFC 3891 §3."""
    caller = Caller().call()
    old = caller.to_tag
    headers = f"Require: replaces\r\nReplaces: call-1;to-tag={old};from-tag=theirs\r\n"
    assert caller.put("INVITE", OFFER, call_id="call-2", to_tag="", headers=headers) == ["100"]
    caller.plane.legs[1].answer(THEIR_ANSWER)
    assert caller.kinds(0)[-2:] == ["200", "BYE"]
    assert caller.header("Call-ID") == ["call-1"]
    assert caller.plane.causes == ["local"]
    assert caller.agent.calls == 1


@pytest.mark.parametrize(
    ("tags", "status"), [("to-tag=x;from-tag=theirs", "481"), ("to-tag={};from-tag=theirs;early-only", "486")]
)
def test_a_call_that_cannot_be_replaced_is_named(tags: str, status: str) -> None:
    """RFC 3891 §3."""
    caller = Caller().call()
    headers = f"Replaces: call-1;{tags.format(caller.to_tag)}\r\n"
    assert caller.put("INVITE", OFFER, call_id="call-2", to_tag="", headers=headers) == ["100", status]
    assert len(caller.plane.legs) == 1


def test_the_holder_of_a_call_that_came_in_hears_more_of_it_if_it_listens() -> None:
    caller = Caller().call()
    listener = RecordingListener()
    assert caller.put("REFER", cseq=2, headers=REFER) == ["603"]
    caller.plane.legs[0].listen(listener)  # type: ignore[attr-defined]
    assert caller.put("INFO", b"x", cseq=3, headers="Content-Type: text/plain\r\n") == ["200"]
    assert caller.put("UPDATE", OFFER, cseq=4) == ["200"]
    caller.put("BYE", cseq=5)
    assert listener.heard == [("informed", "text/plain", b"x"), ("reoffered", OFFER), ("ended", "caller", 0)]
