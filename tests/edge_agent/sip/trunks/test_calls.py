"""Calls by a trunk, message by message: what each side sees, and how the two are kept in step."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import parse
from edge_agent.sip.user_agent.bodies import session_of
from tests.support.trunk_world import ANSWER, DOMAIN, OFFER, TrunkWorld, trunk

OTHER = OFFER.replace(b"1 1 IN", b"1 2 IN")
OTHER_ANSWER = ANSWER.replace(b"2 1 IN", b"2 2 IN")


def test_a_provider_sees_nothing_of_the_site() -> None:
    world = TrunkWorld()
    world.call_out(
        headers="User-Agent: Desk 1.0\r\nRecord-Route: <sip:10.0.0.1;lr>\r\nGeolocation: <https://help.test/1>\r\n"
    )
    invite = world.provider.newest("INVITE")
    text = bytes(invite).decode()
    for hidden in (DOMAIN, "10.0.0.1", "inner-1", "127.0.0.1", "User-Agent", "Record-Route", "tgrp", "Desk"):
        assert hidden not in text.replace(OFFER.decode(), ""), hidden
    assert invite.uri == b"sip:+41791112233@192.0.2.50"
    assert invite.need(b"p-asserted-identity") == b"<sip:+41441112200@192.0.2.50>"
    assert invite.uri_of(b"from").user == b"+41441112200"
    assert invite.need(b"contact") == b"<sip:office@198.51.100.1:5080>"
    assert invite.need(b"geolocation") == b"<https://help.test/1>"
    assert invite.body == OFFER


@pytest.mark.parametrize(
    ("settings", "shown", "name", "value"),
    [
        ({"identity_in": "preferred"}, "sip:+41441112200@", "P-Preferred-Identity", "<sip:+41441112200@192.0.2.50>"),
        ({"caller_id_in": "asserted"}, "sip:office@", "P-Asserted-Identity", "<sip:+41441112200@192.0.2.50>"),
        ({"identity_in": "from_only"}, "sip:+41441112200@", "P-Asserted-Identity", None),
        (
            {"identity_in": "remote_party"},
            "sip:+41441112200@",
            "Remote-Party-ID",
            "<sip:+41441112200@192.0.2.50>;party=calling;screen=yes;privacy=off",
        ),
        (
            {"user_is_phone": True, "domain": "voice.test"},
            "sip:+41441112200@voice.test;user=phone",
            "P-Asserted-Identity",
            "<sip:+41441112200@voice.test;user=phone>",
        ),
    ],
)
def test_who_calls_is_written_as_the_provider_wants_it(
    settings: dict[str, Any], shown: str, name: str, value: str | None
) -> None:
    """RFC 3325 §9.1, §9.2."""
    world = TrunkWorld(trunk(**settings))
    world.call_out()
    invite = world.provider.newest("INVITE")
    assert invite.need(b"from").decode().startswith(f"<{shown}")
    found = invite.get(name.lower().encode())
    assert (found.decode() if found else None) == value


def test_a_caller_who_is_private_is_named_to_the_provider_only() -> None:
    """RFC 3323 §4.1, RFC 3325 §7."""
    world = TrunkWorld()
    world.call_out(headers="Privacy: id\r\n")
    invite = world.provider.newest("INVITE")
    assert invite.need(b"from").startswith(b'"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
    assert (invite.need(b"privacy"), invite.need(b"p-asserted-identity")) == (b"id", b"<sip:+41441112200@192.0.2.50>")


def test_a_provider_that_is_not_trusted_is_not_told_of_a_private_caller() -> None:
    """RFC 3325 §7."""
    world = TrunkWorld(trunk(trusted=False))
    world.call_out(headers="Privacy: id\r\n")
    assert b"41441112200" not in bytes(world.provider.newest("INVITE"))


def test_a_call_in_is_the_plans_to_decide_with_numbers_as_it_writes_them() -> None:
    world = TrunkWorld()
    world.call_in(headers="P-Asserted-Identity: <sip:0791112233@192.0.2.50>\r\n")
    invite = world.edge.newest("INVITE")
    assert invite.uri == f"sip:0441112202@{DOMAIN}".encode()
    assert invite.uri_of(b"from").dialled == "+41791112233"
    assert invite.need(b"p-asserted-identity") == f"<sip:+41791112233@{DOMAIN}>".encode()
    assert b";tgrp=first;trunk-context=" in invite.need(b"contact")
    world.edge.reply(180)
    world.edge.reply(486)
    assert world.provider.kinds() == ["100", "180", "486"]


def test_a_call_in_without_a_name_is_anonymous_inside() -> None:
    world = TrunkWorld()
    world.call_in(sender="<sip:anonymous@anonymous.invalid>")
    invite = world.edge.newest("INVITE")
    assert invite.need(b"from").startswith(b'"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert (invite.need(b"privacy"), invite.get(b"p-asserted-identity")) == (b"id", None)


def test_a_stranger_gets_no_answer_and_is_counted() -> None:
    world = TrunkWorld()
    world.stranger.ask("INVITE", "sip:0441112202@198.51.100.1:5080", OFFER)
    world.stranger.ask("OPTIONS", "sip:198.51.100.1:5080", call="call-2")
    assert (world.stranger.got, world.edge.got) == ([], [])
    assert world.trunks.outside.drops.total() == 2


def test_early_media_goes_on_and_reliable_responses_are_acknowledged_by_us() -> None:
    """RFC 3262 §4: the caller inside need not know PRACK."""
    world = TrunkWorld()
    world.call_out()
    world.provider.reply(183, ANSWER, "Require: 100rel\nRSeq: 7")
    assert world.edge.newest("183").body == ANSWER
    prack = world.provider.newest("PRACK")
    assert prack.need(b"rack") == b"7 1 INVITE"
    world.provider.answer(prack, 200)
    # The answer was in the 183: the 200 need not repeat it.
    world.provider.reply(200)
    assert world.edge.newest("200").body == ANSWER


def test_who_hangs_up_ends_both_sides() -> None:
    world = TrunkWorld()
    world.talking_out()
    world.edge.within(world.edge_answer, "BYE")
    assert (world.edge.kinds(), world.provider.kinds()) == (["200"], ["BYE"])
    world = TrunkWorld()
    world.talking_out()
    world.provider.within(world.provider_invite, "BYE")
    assert (world.provider.kinds(), world.edge.kinds()) == (["200"], ["BYE"])
    assert world.trunks.calls_of("first") == 0


def test_a_caller_who_gives_up_takes_the_call_back_at_the_provider() -> None:
    world = TrunkWorld()
    world.call_out()
    world.provider.reply(180)
    invite = world.edge.newest("180")
    branch = invite.need(b"via").partition(b"branch=")[2].partition(b";")[0].decode()
    uri = f"sip:+41791112233;tgrp=first;trunk-context={DOMAIN}@127.0.0.1:5070"
    text = (
        f"CANCEL {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch={branch};rport\r\nMax-Forwards: 70\r\n"
        f"From: {invite.need(b'from').decode()}\r\nTo: <{uri}>\r\nCall-ID: inner-1\r\nCSeq: 1 CANCEL\r\n\r\n"
    )
    world.deliver(text.encode(), world.edge)
    assert world.edge.kinds()[-2:] == ["487", "200"] or world.edge.kinds()[-2:] == ["200", "487"]
    assert world.provider.newest("CANCEL")


@pytest.mark.parametrize("who", ["inside", "outside"])
def test_another_session_is_asked_of_the_other_side(who: str) -> None:
    """RFC 3264 §8: hold, resume and another address go through as they are."""
    world = TrunkWorld()
    world.talking_out()
    asks, other = (world.edge, world.provider) if who == "inside" else (world.provider, world.edge)
    ours = world.edge_answer if who == "inside" else world.provider_invite
    asks.within(ours, "INVITE", OTHER)
    assert (asks.kinds(), other.kinds()) == (["100"], ["INVITE"])
    assert other.newest("INVITE").body == OTHER
    other.reply(200, OTHER_ANSWER)
    assert asks.newest("200").body == OTHER_ANSWER
    assert other.kinds() == ["INVITE", "ACK"]
    asks.within(ours, "ACK", cseq=50)
    world.wait(40)
    assert world.trunks.calls_of("first") == 1


def test_a_session_that_the_other_side_refuses_stays_as_it_was() -> None:
    world = TrunkWorld()
    world.talking_out()
    world.edge.within(world.edge_answer, "INVITE", OTHER)
    world.provider.reply(488)
    assert world.edge.newest("488")
    assert world.trunks.calls_of("first") == 1


def test_both_sides_asking_at_once_are_told_to_try_again() -> None:
    """RFC 3261 §14.1, §14.2."""
    world = TrunkWorld()
    world.talking_out()
    world.edge.within(world.edge_answer, "INVITE", OTHER)
    world.provider.within(world.provider_invite, "INVITE", OTHER)
    assert world.provider.newest("491")
    world.provider.reply(200, OTHER_ANSWER)
    assert world.edge.newest("200").body == OTHER_ANSWER


def test_an_offer_in_the_answer_is_answered_by_the_callers_ack() -> None:
    """RFC 3261 §13.2.1: a caller without an offer."""
    world = TrunkWorld()
    world.call_out(body=b"")
    invite = world.provider.newest("INVITE")
    assert (invite.body, b"100rel" in invite.need(b"supported")) == (b"", False)
    world.provider.reply(200, ANSWER)
    assert "ACK" not in world.provider.kinds()
    assert world.edge.newest("200").body == ANSWER
    world.edge.within(world.edge.newest("200"), "ACK", OFFER, cseq=1)
    assert world.provider.newest("ACK").body == OFFER


def test_a_side_that_wants_an_offer_gets_the_other_sides() -> None:
    """RFC 3261 §14.1: a re-INVITE without a description."""
    world = TrunkWorld()
    world.talking_out()
    world.provider.within(world.provider_invite, "INVITE")
    assert world.edge.newest("INVITE").body == b""
    world.edge.reply(200, OTHER)
    assert world.provider.newest("200").body == OTHER
    assert "ACK" not in world.edge.kinds()
    world.provider.within(world.provider_invite, "ACK", OTHER_ANSWER, cseq=50)
    assert world.edge.newest("ACK").body == OTHER_ANSWER


def test_digits_in_information_go_through() -> None:
    world = TrunkWorld()
    world.talking_out()
    world.edge.within(world.edge_answer, "INFO", headers="Content-Type: application/dtmf-relay\r\n")
    assert world.provider.newest("INFO").need(b"content-type") == b"application/dtmf-relay"


def test_more_calls_than_a_trunk_may_carry_are_refused_in_both_directions() -> None:
    world = TrunkWorld(trunk(max_calls=1))
    world.talking_in()
    world.call_out()
    assert world.edge.newest("503")
    world.provider.ask("INVITE", "sip:0441112202@198.51.100.1:5080", OFFER, call="outer-2")
    assert world.provider.newest("503")
    assert world.trunks.figures()["trunks.full"] == 2


def test_a_trunk_that_is_switched_off_takes_no_new_call_and_keeps_those_that_are_there() -> None:
    world = TrunkWorld()
    world.talking_out()
    world.trunks.configure(world.settings(), world.clock.monotonic())
    world.provider.within(world.provider_invite, "BYE")
    assert (world.provider.kinds(), world.edge.kinds()) == (["200"], ["BYE"])
    world.edge.forget()
    world.edge.ask(
        "INVITE", f"sip:1;tgrp=first;trunk-context={DOMAIN}@127.0.0.1:5070", OFFER, call="inner-2", sender="<sip:200@x>"
    )
    assert world.edge.newest("503")


def test_a_call_for_help_leaves_with_its_location() -> None:
    """RFC 6442: a body of several parts goes as it is; later only the session is spoken of."""
    world = TrunkWorld()
    place = b"<presence/>"
    body = (
        b"--b1\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"\r\n--b1\r\n"
        b"Content-Type: application/pidf+xml\r\nContent-ID: <here@site>\r\n\r\n" + place + b"\r\n--b1--\r\n"
    )
    headers = (
        "Geolocation: <cid:here@site>\r\nGeolocation-Routing: yes\r\nContent-Type: multipart/mixed;boundary=b1\r\n"
    )
    uri = f"sip:112;tgrp=first;trunk-context={DOMAIN}@127.0.0.1:5070"
    world.edge.ask("INVITE", uri, body, headers, sender=f"<sip:200@{DOMAIN}>", call="inner-1", kind="")
    invite = world.provider.newest("INVITE")
    assert (invite.body, invite.need(b"content-type")) == (body, b"multipart/mixed;boundary=b1")
    assert invite.need(b"geolocation") == b"<cid:here@site>"
    world.provider.reply(200, ANSWER)
    answer = world.edge.newest("200")
    world.edge.within(answer, "ACK", cseq=1)
    world.edge.within(answer, "INVITE", OFFER)
    # What the phone says again is no news to the provider.
    assert world.edge.newest("200").body == ANSWER
    assert world.provider.kinds().count("INVITE") == 1


@given(st.binary(max_size=300), st.binary(max_size=60).filter(lambda text: b"\r" not in text and b"\n" not in text))
def test_any_body_of_parts_has_a_session_in_it_or_none(body: bytes, boundary: bytes) -> None:
    head = b"INVITE sip:a@b SIP/2.0\r\nContent-Type: multipart/mixed;boundary=" + boundary + b"\r\n"
    message = parse(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert session_of(message) in (b"\r\n" + body)


def test_only_the_proxy_may_call_out() -> None:
    world = TrunkWorld()
    world.trunks.inside.received(
        b"INVITE sip:1;tgrp=first;trunk-context=x@127.0.0.1:5070 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n"
        b"Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:1@b>\r\nCall-ID: z\r\nCSeq: 1 INVITE\r\n"
        b"Contact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n",
        world.edge.flow._replace(port=9),
        world.clock.monotonic(),
    )
    assert (world.provider.got, world.edge.got) == ([], [])
