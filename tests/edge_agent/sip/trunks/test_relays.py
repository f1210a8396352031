"""Calls by trunks whose media goes through the relay: what each side is told, and what the relay is told to carry."""

import pytest

from edge_agent.ports import RelayEnd
from edge_agent.sip.message import Message
from edge_agent.sip.relaying.descriptions import streams_of
from edge_agent.sip.trunks.relays import RelaySettings
from tests.support.trunk_world import DOMAIN, TrunkWorld, trunk

RELAY = RelaySettings("auto", ("10.0.0.1",), ("198.51.100.1",), 17408, 17439)
PHONE = b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
BEYOND = PHONE.replace(b"10.0.0.7", b"192.0.2.50").replace(b"4000", b"6000")


def place_in(message: Message) -> tuple[str, int]:
    """Where the first m= line of a body leads."""
    media = streams_of(message.body)[0].media
    assert media is not None
    return media


def talking(relay: RelaySettings = RELAY, *, host: str = "") -> TrunkWorld:
    """A call out, answered."""
    world = TrunkWorld(*([trunk(host=host)] if host else []), relay=relay)
    world.call_out(body=PHONE)
    world.provider.reply(200, BEYOND)
    world.edge_answer = world.edge.newest("200")
    world.edge.within(world.edge_answer, "ACK", cseq=1)
    world.provider_invite = world.provider.newest("INVITE")
    return world


def test_each_side_is_told_the_relays_address_on_its_own_network() -> None:
    world = talking()
    assert place_in(world.provider_invite) == ("198.51.100.1", 17410)
    assert place_in(world.edge_answer) == ("10.0.0.1", 17408)
    (stream,) = world.carried[-1]
    assert stream.first == RelayEnd(17408, False, ("10.0.0.7", 4000), ("10.0.0.7", 4001))
    assert stream.second == RelayEnd(17410, False, ("192.0.2.50", 6000), ("192.0.2.50", 6001))
    assert (stream.call_id, stream.caller) == (world.edge_answer.call_id.decode(), 0)


def test_a_call_in_is_relayed_before_it_is_known_who_answers() -> None:
    world = TrunkWorld(relay=RELAY)
    uri = "sip:0441112202@198.51.100.1:5080"
    world.provider.ask("INVITE", uri, BEYOND, call="outer-1")
    assert place_in(world.edge.newest("INVITE")) == ("10.0.0.1", 17408)
    world.edge.reply(200, PHONE)
    assert place_in(world.provider.newest("200")) == ("198.51.100.1", 17410)
    (stream,) = world.carried[-1]
    assert (stream.first.media, stream.second.media) == (("10.0.0.7", 4000), ("192.0.2.50", 6000))
    assert (stream.call_id, stream.caller) == (world.edge.newest("INVITE").call_id.decode(), 1)


def test_ports_are_free_again_when_the_call_is_over() -> None:
    world = talking()
    world.edge.within(world.edge_answer, "BYE")
    assert world.carried[-1] == ()
    assert world.trunks.figures()["trunks.relayed_calls"] == 0


def test_another_session_keeps_the_ports_and_leads_the_relay_to_the_new_address() -> None:
    world = talking()
    world.edge.within(world.edge_answer, "INVITE", PHONE.replace(b"4000", b"4444"))
    assert place_in(world.provider.newest("INVITE")) == ("198.51.100.1", 17410)
    assert world.carried[-1][0].first.media == ("10.0.0.7", 4444)


def test_early_media_is_relayed_and_a_later_answer_of_another_fork_counts() -> None:
    world = TrunkWorld(relay=RELAY)
    world.call_out(body=PHONE)
    world.provider.reply(183, BEYOND)
    assert place_in(world.edge.newest("183")) == ("10.0.0.1", 17408)
    assert world.carried[-1][0].second.media == ("192.0.2.50", 6000)
    world.provider.reply(200, BEYOND.replace(b"6000", b"6500"))
    assert world.carried[-1][0].second.media == ("192.0.2.50", 6500)


def test_who_takes_a_phones_place_takes_its_ports() -> None:
    world = TrunkWorld(relay=RELAY)
    world.provider.ask("INVITE", "sip:0441112202@198.51.100.1:5080", BEYOND, call="outer-1")
    world.edge.reply(200, PHONE)
    world.provider.within(world.provider.newest("200"), "ACK", cseq=1)
    refer = f"Refer-To: <sip:201@{DOMAIN}>\r\nP-Served-User: <sip:202@{DOMAIN}>\r\n"
    world.edge.within(world.edge.newest("INVITE"), "REFER", headers=refer)
    world.edge.answer(world.edge.newest("NOTIFY"), 200)
    world.edge.reply(200, PHONE.replace(b"10.0.0.7", b"10.0.0.8"))
    assert place_in(world.provider.newest("INVITE")) == ("198.51.100.1", 17410)
    world.provider.reply(200, BEYOND)
    assert place_in(world.edge.newest("ACK")) == ("10.0.0.1", 17408)
    (stream,) = world.carried[-1]
    assert stream.first.media == ("10.0.0.8", 4000)
    world.provider.within(world.provider.newest("200"), "BYE")
    assert world.carried[-1] == ()


@pytest.mark.parametrize(
    ("when", "outside", "host", "relayed"),
    [
        ("auto", "198.51.100.1", "192.0.2.50", True),
        ("auto", "10.0.0.1", "192.0.2.50", False),
        ("always", "10.0.0.1", "192.0.2.50", True),
        ("never", "198.51.100.1", "192.0.2.50", False),
    ],
)
def test_media_is_relayed_where_the_setting_and_the_addresses_say_so(
    when: str, outside: str, host: str, relayed: bool
) -> None:
    world = talking(RelaySettings(when, ("10.0.0.1",), (outside,), 17408, 17439), host=host)  # type: ignore[arg-type]
    assert (world.provider_invite.body != PHONE) is relayed
    assert bool(world.carried) is relayed


def test_a_phone_with_an_address_that_everybody_reaches_speaks_with_the_provider_itself() -> None:
    world = TrunkWorld(relay=RELAY)
    world.call_out(body=PHONE.replace(b"10.0.0.7", b"203.0.113.7"))
    assert b"203.0.113.7" in world.provider.newest("INVITE").body
    assert world.carried == []


def test_a_phone_of_the_other_family_is_relayed() -> None:
    world = TrunkWorld(relay=RELAY)
    world.call_out(body=PHONE.replace(b"IP4 10.0.0.7", b"IP6 2001:db8::7"))
    assert place_in(world.provider.newest("INVITE"))[0] == "198.51.100.1"


def test_without_a_free_port_media_goes_directly_and_it_is_counted() -> None:
    world = TrunkWorld(relay=RelaySettings("auto", ("10.0.0.1",), ("198.51.100.1",), 17408, 17410))
    world.call_out(body=PHONE)
    assert world.provider.newest("INVITE").body == PHONE
    assert world.pool.counts["no_port"] == 1


def test_what_cannot_be_read_goes_on_as_it_is_and_is_counted() -> None:
    world = TrunkWorld(relay=RELAY)
    world.call_out(body=b"v=0\r\nm=audio nothing\r\n")
    assert world.provider.newest("INVITE").body == b"v=0\r\nm=audio nothing\r\n"
    assert world.trunks.figures()["trunks.not_relayable"] == 1


def test_the_relay_is_told_again_while_there_is_a_call() -> None:
    world = talking()
    before = len(world.carried)
    world.wait(3.0)
    assert len(world.carried) >= before + 3
    assert len(set(world.carried[before - 1 :])) == 1
