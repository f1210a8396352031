"""Two calls of trunks that a phone brings together: their outer ends hear each other, held or not, and it is free."""

import pytest

from edge_agent.sip.message import Message
from edge_agent.sip.trunks.relays import RelaySettings
from tests.support.trunk_world import ANSWER, OFFER, TrunkWorld

THEIRS = OFFER.replace(b"10.0.0.7", b"10.0.0.8")
OTHERS = ANSWER.replace(b"2 1 IN", b"2 2 IN")
RELAY = RelaySettings("always", ("10.0.0.1",), ("198.51.100.1",), 17408, 17439)
HOLDS = {
    "sendonly": lambda session: session + b"a=sendonly\r\n",
    "inactive": lambda session: session + b"a=inactive\r\n",
    "no address": lambda session: session.replace(b"10.0.0.7", b"0.0.0.0"),
}


def whole(session: bytes) -> bytes:
    """With a connection line, which a relay needs."""
    host = session.split(b"\r\n", 2)[1].split(b" ")[-1]
    return session.replace(b"s=-\r\n", b"s=-\r\nc=IN IP4 %s\r\nt=0 0\r\n" % host)


class Joining:
    """A phone that was called by somebody outside, and has called somebody else there: both talk to it."""

    def __init__(self, relay: RelaySettings | None = None) -> None:
        self.world = world = TrunkWorld(relay=relay)
        world.provider.ask("INVITE", "sip:0441112202@198.51.100.1:5080", whole(OFFER), call="outer-1")
        world.edge.reply(200, whole(ANSWER))
        self.caller, self.first = world.provider.newest("200"), world.edge.newest("INVITE")
        world.provider.within(self.caller, "ACK", cseq=1)
        world.call_out(body=whole(OFFER))
        world.provider.reply(200, whole(ANSWER))
        self.called, self.second = world.provider.newest("INVITE"), world.edge.newest("200")
        world.edge.within(self.second, "ACK", cseq=1)
        world.edge.forget()
        world.provider.forget()

    def hold(self, call: Message, kind: str, answer: bytes) -> None:
        """The phone puts one of the two on hold."""
        self.world.edge.within(call, "INVITE", HOLDS[kind](whole(OFFER)), cseq=51)
        self.world.provider.reply(200, answer)
        self.world.edge.within(call, "ACK", cseq=51)
        self.world.edge.forget()
        self.world.provider.forget()

    def join(self) -> None:
        """The phone brings them together."""
        tag = self.second.need(b"to").rpartition(b"tag=")[2].decode()
        replaces = f"inner-1%3Bto-tag%3D{tag}%3Bfrom-tag%3Dasking"
        headers = f"Refer-To: <sip:x@127.0.0.1:5070?Replaces={replaces}>\r\n"
        self.world.edge.within(self.first, "REFER", headers=headers, cseq=55)

    def ended(self, *calls: Message) -> bool:
        """Whether these calls of the phone are over, and no others."""
        got = self.world.edge.got
        return sorted(one.call_id for one in got if one.method == b"BYE") == sorted(one.call_id for one in calls)

    def acknowledged(self) -> bytes:
        """What the caller was answered last."""
        acks = [one for one in self.world.provider.got if one.method == b"ACK" and one.call_id == self.caller.call_id]
        return acks[-1].body

    def told(self) -> list[bytes]:
        """What the phone was told of its wish."""
        return [one.body.partition(b"\r")[0] for one in self.world.edge.got if one.method == b"NOTIFY"]


@pytest.mark.parametrize("ends", ["first", "other"])
def test_two_calls_of_a_phone_are_joined_and_the_phone_is_free(ends: str) -> None:
    """An attended transfer between two calls of trunks: both other ends talk to each other."""
    joining = Joining()
    world = joining.world
    joining.join()
    asked = world.provider.newest("INVITE")
    assert (asked.call_id, asked.body) == (joining.caller.call_id, b"")
    world.provider.reply(200, THEIRS)
    other = world.provider.newest("INVITE")
    assert (other.call_id, other.body) == (joining.called.call_id, THEIRS)
    world.provider.reply(200, OTHERS)
    assert joining.acknowledged() == OTHERS
    assert joining.ended(joining.first, joining.second)
    assert joining.told()[-1] == b"SIP/2.0 200 OK"
    assert "BYE" not in world.provider.kinds()
    assert world.joins == [("joined", joining.first.call_id, b"inner-1")]
    world.provider.within(*((joining.caller, "BYE") if ends == "first" else (joining.called, "BYE")), cseq=70)
    still = joining.called if ends == "first" else joining.caller
    assert world.provider.newest("BYE").call_id == still.call_id
    assert world.joins[1:] == [("parted", joining.first.call_id, f"by the {ends}".encode())]


@pytest.mark.parametrize("kind", HOLDS)
@pytest.mark.parametrize("held", ["first", "second", "both"])
def test_who_was_held_hears_whom_he_is_brought_to_by_the_relay(held: str, kind: str) -> None:
    joining = Joining(RELAY)
    world = joining.world
    silent = whole(OTHERS) + (b"a=inactive\r\n" if kind == "inactive" else b"a=recvonly\r\n")
    if held != "second":
        joining.hold(joining.first, kind, silent)
    if held != "first":
        joining.hold(joining.second, kind, silent)
    joining.join()
    world.provider.reply(200, whole(THEIRS).replace(b"10.0.0.8", b"203.0.113.5"))
    offer = world.provider.newest("INVITE")
    assert (offer.call_id, b"a=" in offer.body) == (joining.called.call_id, False)
    assert b"c=IN IP4 198.51.100.1" in offer.body
    world.provider.reply(200, whole(OTHERS))
    assert b"c=IN IP4 198.51.100.1" in joining.acknowledged()
    (stream,) = world.carried[-1]
    assert {stream.first.media, stream.second.media} == {("203.0.113.5", 4000), ("192.0.2.50", 6000)}
    assert joining.ended(joining.first, joining.second)


@pytest.mark.parametrize("direction", [b"recvonly", b"inactive"])
def test_who_offers_only_to_listen_because_he_was_held_is_offered_all_of_it_again(direction: bytes) -> None:
    joining = Joining()
    world = joining.world
    line = b"a=" + direction + b"\r\n"
    joining.hold(joining.first, "sendonly", OTHERS + line)
    joining.join()
    world.provider.reply(200, THEIRS + line)
    assert world.provider.newest("INVITE").body == THEIRS + line
    answer = OTHERS + (b"a=sendonly\r\n" if direction == b"recvonly" else line)
    world.provider.reply(200, answer)
    assert joining.acknowledged() == answer
    again = world.provider.newest("INVITE")
    assert (again.call_id, again.body) == (joining.caller.call_id, OTHERS)
    newer = THEIRS.replace(b"1 1 IN", b"1 2 IN")
    world.provider.reply(200, newer)
    last = world.provider.newest("INVITE")
    assert (last.call_id, last.body) == (joining.called.call_id, newer)
    world.provider.reply(200, OTHERS)
    assert joining.told()[-1] == b"SIP/2.0 200 OK"
    assert joining.ended(joining.first, joining.second)
    # A refresh of either session is answered here.
    world.provider.forget()
    world.provider.within(joining.caller, "INVITE", newer, cseq=80)
    assert world.provider.newest("200").body == OTHERS
    world.provider.within(joining.caller, "ACK", cseq=80)
    world.provider.within(joining.called, "INVITE", OTHERS, cseq=80)
    assert world.provider.newest("200").body == newer
    assert "INVITE" not in world.provider.kinds()


def test_a_phone_need_not_wait_until_they_are_joined() -> None:
    joining = Joining()
    world = joining.world
    joining.join()
    world.edge.within(joining.first, "BYE", cseq=60)
    world.edge.within(joining.second, "BYE", cseq=60)
    assert "BYE" not in world.provider.kinds()
    world.provider.reply(200, THEIRS)
    world.provider.reply(200, OTHERS)
    assert joining.acknowledged() == OTHERS
    assert world.trunks.calls_of("first") == 1
    world.provider.within(joining.caller, "BYE", cseq=70)
    assert world.provider.newest("BYE").call_id == joining.called.call_id
    assert world.trunks.calls_of("first") == 0


@pytest.mark.parametrize("refuses", ["the first", "the other"])
def test_two_calls_that_cannot_be_joined_go_on(refuses: str) -> None:
    joining = Joining()
    world = joining.world
    joining.join()
    if refuses == "the other":
        world.provider.reply(200, THEIRS)
        world.provider.reply(488)
        # His offer is answered with what he has heard all the time.
        assert joining.acknowledged() == whole(ANSWER)
    else:
        world.provider.reply(488)
    assert world.joins == [("not joined", joining.first.call_id, b"inner-1")]
    assert joining.told()[-1].startswith(b"SIP/2.0 500")
    assert joining.ended()
    assert world.trunks.calls_of("first") == 2
    joining.join()
    assert world.provider.newest("INVITE").body == b""


def test_a_provider_that_answers_without_an_offer_leaves_both_calls_as_they_were() -> None:
    joining = Joining()
    joining.join()
    joining.world.provider.reply(200)
    assert joining.told()[-1].startswith(b"SIP/2.0 500")
    assert joining.world.trunks.calls_of("first") == 2


@pytest.mark.parametrize("leaves", ["the first", "the other"])
def test_who_hangs_up_while_two_calls_are_joined_ends_his_own_only(leaves: str) -> None:
    joining = Joining()
    world = joining.world
    joining.join()
    world.provider.reply(200, THEIRS)
    asked = world.provider.newest("INVITE")
    gone, stays = (joining.caller, joining.second) if leaves == "the first" else (joining.called, joining.first)
    world.provider.within(gone, "BYE", cseq=70)
    assert world.edge.newest("BYE").call_id != stays.call_id
    if leaves == "the first":
        world.provider.answer(asked, 200, OTHERS)
        # The other one was told already of somebody who is not there.
        assert world.provider.newest("INVITE").body == whole(OFFER)
    assert world.joins == [("not joined", joining.first.call_id, b"inner-1")]
    assert world.trunks.calls_of("first") == 1


def test_a_join_that_fails_after_the_phone_left_ends_both_calls() -> None:
    joining = Joining()
    world = joining.world
    joining.join()
    world.edge.within(joining.first, "BYE", cseq=60)
    world.edge.within(joining.second, "BYE", cseq=60)
    world.provider.reply(486)
    ended = [one.call_id for one in world.provider.got if one.method == b"BYE"]
    assert sorted(ended) == sorted([joining.caller.call_id, joining.called.call_id])
    assert world.trunks.calls_of("first") == 0
