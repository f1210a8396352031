"""kill -9 inside calls of trunks: both ends hear of it, at once or with the first thing that one of them says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import Message
from edge_agent.sip.trunks.earlier import KIND, PAUSES, SECONDS, port_of
from edge_agent.sip.trunks.relays import RelaySettings
from tests.support.sip_site import MemoryRows
from tests.support.trunk_world import ANSWER, OFFER, Party, TrunkWorld

RELAY = RelaySettings("always", ("10.0.0.1",), ("198.51.100.1",), 17408, 17439)


def connected(session: bytes) -> bytes:
    """With a connection line, which a relay needs."""
    return session.replace(b"s=-\r\n", b"s=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n")


class Killed:
    """A process that is started again within a call out."""

    def __init__(self, relay: RelaySettings | None = None) -> None:
        self.kept, self.relay = MemoryRows(), relay
        self.before = TrunkWorld(relay=relay, kept=self.kept)
        self.before.call_out(body=connected(OFFER))
        self.before.provider.reply(200, connected(ANSWER))
        self.inner, self.outer = self.before.edge.newest("200"), self.before.provider.newest("INVITE")
        self.before.edge.within(self.inner, "ACK", cseq=1)

    def begin(self) -> TrunkWorld:
        """The next process."""
        self.world = TrunkWorld(relay=self.relay, kept=self.kept)
        self.world.trunks.earlier.restore(self.world.clock.monotonic())
        return self.world

    def say(self, who: str, method: str) -> tuple[Party, Message]:
        """One of the ends says something; the other one, and what it knows the call by."""
        phone, provider = self.world.edge, self.world.provider
        party, call = (phone, self.inner) if who == "phone" else (provider, self.outer)
        party.within(call, method, cseq=60)
        return (provider, self.outer) if who == "phone" else (phone, self.inner)


def test_a_call_is_kept_before_its_answer_leaves_and_forgotten_when_it_is_over() -> None:
    kept = MemoryRows()
    world = TrunkWorld(kept=kept)
    world.call_out()
    assert kept.kept == {}
    kept.writable = False
    world.provider.reply(200, ANSWER)
    # A disk that refuses costs no call.
    assert world.edge.newest("200")
    kept.writable = True
    world.edge.within(world.edge.newest("200"), "ACK", cseq=1)
    world.edge.within(world.edge.newest("200"), "BYE")
    assert kept.kept == {}
    killed = Killed()
    (row,) = killed.kept.load(KIND).values()
    assert (json.loads(row)["port"], port_of(killed.kept)) == (5070, 5070)
    killed.before.edge.within(killed.inner, "BYE")
    assert killed.kept.load(KIND) == {}
    assert port_of(killed.kept) == 0


@pytest.mark.parametrize("who", ["phone", "provider"])
def test_who_hangs_up_after_that_ends_the_call_at_the_other_end_too(who: str) -> None:
    killed = Killed()
    world = killed.begin()
    assert (world.edge.kinds(), world.provider.kinds()) == ([], [])
    other, call = killed.say(who, "BYE")
    party = world.edge if who == "phone" else world.provider
    assert party.kinds() == ["200"]
    bye = other.newest("BYE")
    assert bye.call_id == call.call_id
    assert bye.cseq[0] > 1
    assert bye.need(b"reason").startswith(b"SIP;cause=503;")
    assert len(killed.kept.load(KIND)) == 1
    other.answer(bye, 200)
    assert killed.kept.load(KIND) == {}


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_refresh_that_nobody_can_answer_ends_the_call_at_both_ends(method: str) -> None:
    killed = Killed()
    world = killed.begin()
    phone, _ = killed.say("provider", method)
    assert world.provider.kinds() == ["481"]
    assert phone.newest("BYE")


def test_a_call_whose_media_went_by_the_relay_is_over_at_once() -> None:
    killed = Killed(RELAY)
    world = killed.begin()
    assert world.edge.newest("BYE").call_id == killed.inner.call_id
    bye = world.provider.newest("BYE")
    assert bye.call_id == killed.outer.call_id
    world.provider.answer(bye, 401, headers='WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"')
    again = world.provider.newest("BYE")
    assert again.has(b"authorization")
    world.provider.answer(again, 200)
    world.edge.answer(world.edge.newest("BYE"), 481)
    assert killed.kept.load(KIND) == {}


def test_who_cannot_be_reached_yet_is_told_again_and_given_up_in_the_end() -> None:
    killed = Killed(RELAY)
    world = killed.begin()
    world.provider.answer(world.provider.newest("BYE"), 200)
    for seconds in PAUSES:
        world.edge.answer(world.edge.newest("BYE"), 480)
        world.edge.forget()
        world.wait(seconds)
    assert len(killed.kept.load(KIND)) == 1
    world.edge.answer(world.edge.newest("BYE"), 480)
    assert killed.kept.load(KIND) == {}


def test_a_kill_before_both_are_told_has_them_told_by_the_next_process() -> None:
    killed = Killed(RELAY)
    first = killed.begin()
    first.provider.answer(first.provider.newest("BYE"), 200)
    second = killed.begin()
    assert second.edge.newest("BYE")
    second.provider.answer(second.provider.newest("BYE"), 481)
    second.edge.answer(second.edge.newest("BYE"), 200)
    assert killed.kept.load(KIND) == {}


def test_a_call_of_long_ago_is_forgotten() -> None:
    killed = Killed(RELAY)
    (name,) = killed.kept.load(KIND)
    row = json.loads(killed.kept.kept[KIND, name])
    killed.kept.kept[KIND, name] = json.dumps(row | {"began": row["began"] - SECONDS - 1})
    world = killed.begin()
    assert world.edge.kinds() == []
    assert killed.kept.load(KIND) == {}


def test_what_is_in_no_earlier_call_is_refused_as_ever() -> None:
    killed = Killed()
    world = killed.begin()
    world.edge.ask("BYE", "sip:x@127.0.0.1:5070", to="<sip:x@x>;tag=nobody", call="unknown")
    assert world.edge.kinds() == ["481"]
    assert world.provider.kinds() == []


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_a_row_that_makes_no_sense_is_thrown_away(content: object) -> None:
    kept = MemoryRows({(KIND, "one"): json.dumps(content), (KIND, "other"): "{"})
    world = TrunkWorld(kept=kept)
    world.trunks.earlier.restore(0.0)
    assert (port_of(kept), kept.load(KIND)) == (0, {})
