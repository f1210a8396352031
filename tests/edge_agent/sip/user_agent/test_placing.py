"""Calls that the user agent places: until they are answered or not (RFC 3261 §8.1, §9.1, §13.2; RFC 3262)."""

import pytest
from pydantic import SecretStr

from edge_agent.ports import CallRefused
from edge_agent.sip.message import Uri
from edge_agent.sip.user_agent.challenges import Login
from tests.support.call_partner import ANSWER, OFFER, CallPartner, RecordingListener

CHALLENGE = ((b"Proxy-Authenticate", b'Digest realm="itsp", nonce="n", algorithm=MD5, qop="auth"'),)


def test_a_call_is_placed_rings_is_answered_and_hung_up() -> None:
    """RFC 3261 §13.2.2.4, §15.1.1."""
    partner = CallPartner()
    leg = partner.place()
    (invite,) = partner.sent
    assert (invite.method, invite.uri, invite.body) == (b"INVITE", b"sip:201@192.0.2.10", OFFER)
    assert (invite.need(b"to"), invite.to_tag) == (b"<sip:201@192.0.2.10>", b"")
    assert partner.reply(180) == []
    assert partner.reply(200, ANSWER, ((b"Record-Route", b"<sip:192.0.2.10;lr>"),)) == ["ACK"]
    ack = partner.sent[-1]
    assert (ack.uri, ack.cseq) == (b"sip:201@192.0.2.10:5060", (1, b"ACK"))
    assert ack.values(b"route") == [b"<sip:192.0.2.10;lr>"]
    assert partner.listener.heard == [("progressed", 180, None), ("answered", ANSWER)]
    assert partner.agent.calls == 1
    leg.hang_up()
    assert partner.kinds()[-1] == "BYE"
    assert partner.sent[-1].cseq[0] == 2
    assert partner.listener.heard[-1] == ("ended", "local", 0)
    assert partner.agent.calls == 0


def test_a_callee_who_got_no_offer_though_one_was_sent_makes_it_and_the_ack_has_our_answer() -> None:
    """RFC 3261 §13.2.1; a reliable response before that would have his offer too early (RFC 3262 §5)."""
    partner = CallPartner()
    partner.place(asks=True)
    (invite,) = partner.sent
    assert invite.body == OFFER
    assert b"100rel" not in invite.values(b"supported")
    partner.listener.answers = ANSWER
    assert partner.reply(200, OFFER) == ["ACK"]
    assert (partner.sent[-1].body, partner.sent[-1].get(b"content-type")) == (ANSWER, b"application/sdp")


def test_the_callee_hangs_up() -> None:
    partner = CallPartner()
    partner.place()
    partner.reply(200, ANSWER)
    assert partner.put("BYE") == ["200"]
    assert partner.listener.heard[-1] == ("ended", "peer", 0)
    assert partner.put("INFO") == ["481"]


def test_a_challenge_is_answered_once_and_the_ack_carries_the_credentials() -> None:
    """RFC 3261 §22.2, §13.2.2.4."""
    partner = CallPartner()
    partner.place(login=Login("trunk", SecretStr("secret")))
    assert partner.reply(407, headers=CHALLENGE) == ["ACK", "INVITE"]
    invite = partner.newest("INVITE")
    assert invite.cseq[0] == 2
    assert b'username="trunk"' in invite.need(b"proxy-authorization")
    partner.reply(200, ANSWER)
    assert partner.newest("ACK").get(b"proxy-authorization") == invite.get(b"proxy-authorization")
    again = CallPartner()
    again.place(login=Login("trunk", SecretStr("wrong")))
    again.reply(407, headers=CHALLENGE)
    assert again.reply(407, headers=CHALLENGE) == ["ACK"]
    assert again.listener.heard == [("ended", "refused", 407)]


def test_a_call_without_a_password_is_refused_by_its_challenge() -> None:
    partner = CallPartner()
    partner.place()
    partner.reply(407, headers=CHALLENGE)
    assert partner.listener.heard == [("ended", "refused", 407)]


@pytest.mark.parametrize("status", [404, 486, 503, 603])
def test_a_refusal_is_acknowledged_and_told(status: int) -> None:
    """RFC 3261 §17.1.1.3."""
    partner = CallPartner()
    partner.place()
    assert partner.reply(status) == ["ACK"]
    assert partner.listener.heard == [("ended", "refused", status)]
    assert partner.agent.calls == 0


def test_silence_ends_a_call_after_32_seconds() -> None:
    """RFC 3261 §17.1.1.2 Timer B."""
    partner = CallPartner()
    partner.place()
    partner.wait(33)
    assert partner.listener.heard == [("ended", "unanswered", 408)]


def test_a_cancel_before_the_first_sign_waits_for_it() -> None:
    """RFC 3261 §9.1."""
    partner = CallPartner()
    leg = partner.place()
    leg.hang_up()
    assert "CANCEL" not in partner.kinds()
    assert partner.reply(180) == ["CANCEL"]
    partner.reply(200, to=partner.newest("CANCEL"))
    assert partner.reply(487) == ["ACK"]
    assert partner.listener.heard[-1] == ("ended", "local", 487)


def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    """RFC 3261 §9.1, §15."""
    partner = CallPartner()
    leg = partner.place()
    partner.reply(180)
    leg.hang_up()
    assert partner.reply(200, ANSWER) == ["ACK", "BYE"]
    assert partner.listener.heard[-1] == ("ended", "local", 0)


def test_of_a_forked_call_the_first_answer_counts_and_the_others_are_hung_up() -> None:
    """RFC 3261 §13.2.2.4."""
    partner = CallPartner()
    partner.place()
    for tag in (b"one", b"two"):
        partner.reply(180, tag=tag)
    assert partner.reply(200, ANSWER, tag=b"two") == ["ACK"]
    assert partner.reply(200, ANSWER, tag=b"two") == ["ACK"]
    assert partner.reply(200, ANSWER, tag=b"one") == ["ACK", "BYE"]
    assert partner.sent[-1].to_tag == b"one"
    assert [one[0] for one in partner.listener.heard] == ["progressed", "progressed", "answered"]


def test_a_redirection_is_followed_where_that_is_allowed_and_each_place_once() -> None:
    """RFC 3261 §8.1.3.4."""
    partner = CallPartner()
    partner.place(may_follow=lambda uri: uri.user.startswith(b"20"))
    contacts = b"<sip:x@203.0.113.9>, <sip:201@192.0.2.10>, <sip:202@192.0.2.10>, <sip:203@192.0.2.10>"
    moved = ((b"Contact", contacts),)
    assert partner.reply(302, headers=moved) == ["ACK", "INVITE"]
    assert partner.newest("INVITE").uri == b"sip:202@192.0.2.10"
    assert partner.newest("INVITE").call_id == partner.sent[0].call_id
    assert partner.reply(302, headers=moved) == ["ACK", "INVITE"]
    assert partner.newest("INVITE").uri == b"sip:203@192.0.2.10"
    assert partner.reply(404) == ["ACK"]
    assert partner.listener.heard == [("ended", "refused", 404)]
    nowhere = CallPartner()
    nowhere.place()
    nowhere.reply(302, headers=moved)
    assert nowhere.listener.heard == [("ended", "refused", 302)]


def test_an_offer_may_be_the_callees() -> None:
    """RFC 3264 §4: the answer is in the ACK."""
    partner = CallPartner()
    partner.listener.answers = ANSWER
    partner.place(offer=b"")
    partner.reply(200, OFFER)
    assert partner.newest("ACK").body == ANSWER
    assert partner.newest("ACK").get(b"content-type") == b"application/sdp"


def test_a_reliable_provisional_response_is_acknowledged_once_and_in_order() -> None:
    """RFC 3262 §4."""
    partner = CallPartner()
    partner.place()
    reliable = ((b"Require", b"100rel"),)
    assert partner.reply(183, ANSWER, (*reliable, (b"RSeq", b"7"))) == ["PRACK"]
    prack = partner.sent[-1]
    assert (prack.get(b"rack"), prack.cseq[0], prack.to_tag) == (b"7 1 INVITE", 2, b"theirs")
    assert partner.reply(183, ANSWER, (*reliable, (b"RSeq", b"7"))) == []
    assert partner.reply(180, b"", (*reliable, (b"RSeq", b"9"))) == []
    assert partner.reply(180, b"", (*reliable, (b"RSeq", b"8"))) == ["PRACK"]
    partner.reply(200, ANSWER)
    assert [one[:2] for one in partner.listener.heard[:2]] == [("progressed", 183), ("progressed", 180)]
    assert partner.newest("ACK").cseq[0] == 1


def test_a_name_needs_a_flow() -> None:
    partner = CallPartner()
    with pytest.raises(CallRefused):
        partner.agent.place(Uri.parse(b"sip:a@b.example"), Uri.parse(b"sip:c@d"), RecordingListener(), OFFER)
