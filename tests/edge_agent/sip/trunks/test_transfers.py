"""Transfers of a trunk's call: carried out inside, by another session at the provider and no REFER (RFC 3515, 3891)."""

from tests.support.trunk_world import ANSWER, DOMAIN, OFFER, TrunkWorld

NEW_OFFER = OFFER.replace(b"10.0.0.7", b"10.0.0.8")
NEW_ANSWER = ANSWER.replace(b"2 1 IN", b"2 2 IN")
REFER = f"Refer-To: <sip:201@{DOMAIN}>\r\nP-Served-User: <sip:202@{DOMAIN}>\r\n"


def referred(world: TrunkWorld, headers: str = REFER) -> None:
    """The phone inside asks for a transfer; the INVITE to whom it leads to is the newest that the proxy got."""
    world.edge.within(world.edge_invite, "REFER", headers=headers)
    assert world.edge.newest("202")
    world.edge.answer(world.edge.newest("NOTIFY"), 200)


def test_a_transfer_calls_whom_it_leads_to_and_gives_him_the_providers_side() -> None:
    world = TrunkWorld()
    world.talking_in()
    referred(world)
    invite = world.edge.newest("INVITE")
    assert (invite.uri, invite.body) == (f"sip:201@{DOMAIN}".encode(), b"")
    assert invite.need(b"p-served-user") == f"<sip:202@{DOMAIN}>".encode()
    assert b"tgrp=first" in invite.need(b"contact")
    world.edge.reply(180)
    assert world.edge.newest("NOTIFY").body.startswith(b"SIP/2.0 180")
    world.edge.reply(200, NEW_OFFER)
    assert world.provider.newest("INVITE").body == NEW_OFFER
    world.provider.reply(200, NEW_ANSWER)
    assert world.edge.newest("ACK").body == NEW_ANSWER
    assert "REFER" not in world.provider.kinds()
    ended = [one for one in world.edge.got if one.method == b"BYE"]
    assert [one.call_id for one in ended] == [world.edge_invite.call_id]
    notified = [one.body.partition(b"\r")[0] for one in world.edge.got if one.method == b"NOTIFY"]
    assert notified == [b"SIP/2.0 100 Trying", b"SIP/2.0 180 Ringing", b"SIP/2.0 200 OK"]
    world.provider.within(world.provider_answer, "BYE")
    assert world.edge.newest("BYE").call_id == invite.call_id
    assert world.trunks.calls_of("first") == 0


def test_a_transfer_that_nobody_answers_leaves_the_call_as_it_was() -> None:
    world = TrunkWorld()
    world.talking_in()
    referred(world)
    world.edge.reply(486)
    assert world.edge.newest("NOTIFY").body.startswith(b"SIP/2.0 486")
    assert (world.provider.kinds(), world.trunks.calls_of("first")) == ([], 1)
    world.edge.within(world.edge_invite, "BYE", cseq=60)
    assert world.provider.newest("BYE")


def test_who_asked_for_a_transfer_need_not_wait_for_it() -> None:
    world = TrunkWorld()
    world.talking_in()
    referred(world)
    world.edge.within(world.edge_invite, "BYE", cseq=60)
    assert "BYE" not in world.provider.kinds()
    world.edge.answer([one for one in world.edge.got if one.method == b"INVITE"][-1], 200, NEW_OFFER)
    world.provider.reply(200, NEW_ANSWER)
    assert world.edge.newest("ACK").body == NEW_ANSWER
    assert world.trunks.calls_of("first") == 1


def test_a_call_whose_transfer_fails_after_its_phone_left_is_over() -> None:
    world = TrunkWorld()
    world.talking_in()
    referred(world)
    world.edge.within(world.edge_invite, "BYE", cseq=60)
    world.edge.reply(480)
    assert world.provider.newest("BYE")
    assert world.trunks.calls_of("first") == 0


def test_a_caller_who_hangs_up_during_a_transfer_takes_it_back() -> None:
    world = TrunkWorld()
    world.talking_in()
    referred(world)
    world.edge.reply(180)
    world.provider.within(world.provider_answer, "BYE")
    assert world.edge.newest("CANCEL")
    assert world.edge.newest("BYE").call_id == world.edge_invite.call_id


def test_an_attended_transfer_takes_the_place_of_the_call_that_it_names() -> None:
    """RFC 3891: whom the phone had asked is called with Replaces."""
    world = TrunkWorld()
    world.talking_in()
    asked = f"Refer-To: <sip:201@{DOMAIN}?Replaces=other%3Bto-tag%3Da%3Bfrom-tag%3Db>\r\nReferred-By: <sip:202@x>\r\n"
    referred(world, asked)
    invite = world.edge.newest("INVITE")
    assert (invite.need(b"replaces"), invite.need(b"referred-by")) == (b"other;to-tag=a;from-tag=b", b"<sip:202@x>")


def test_a_call_with_replaces_takes_the_inner_sides_place() -> None:
    """A transfer to the trunk's call: whom the phone had before calls with Replaces."""
    world = TrunkWorld()
    world.talking_in()
    inner = world.edge_invite
    tag = inner.need(b"from").rpartition(b"tag=")[2].decode()
    replaces = f"Replaces: {inner.call_id.decode()};to-tag={tag};from-tag=theirs\r\n"
    world.edge.ask("INVITE", "sip:x@127.0.0.1:5070", NEW_OFFER, replaces, call="inner-2", sender="<sip:201@x>")
    assert world.provider.newest("INVITE").body == NEW_OFFER
    world.provider.reply(200, NEW_ANSWER)
    assert world.edge.newest("200").body == NEW_ANSWER
    assert world.edge.newest("BYE").call_id == inner.call_id
    assert world.trunks.calls_of("first") == 1


def test_a_provider_transfers_nobody() -> None:
    world = TrunkWorld()
    world.talking_in()
    world.provider.within(world.provider_answer, "REFER", headers=REFER)
    assert world.provider.newest("603")
