"""Streams at an rtpengine on paper, and what our own relay is told to carry beside it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import pytest

from contract.sync.quality import CallQuality
from edge_agent.media.rtpengine.control import ControlSocket, RtpengineAway
from edge_agent.media.rtpengine.relay import AHEAD, HEAR_LOOKS, LEASE_SECONDS, LIST_LOOKS, RtpengineRelay
from edge_agent.ports import PortsAhead, RelayedStream, RelayEnd
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.rtpengines import PLACES, FakeRtpengine, fake_rtpengine
from tests.support.waiting import eventually_async

INSIDE, OUTSIDE = PLACES


@dataclass
class Site:
    """A relay with its rtpengine, and what it tells others."""

    fake: FakeRtpengine
    control: ControlSocket
    clock: HandClock
    own: list[tuple[RelayedStream, ...]] = field(default_factory=list)
    offers: list[tuple[PortsAhead, ...]] = field(default_factory=list)
    measured: list[CallQuality] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.relay = RtpengineRelay(PLACES, self, self.offers.append, self.clock, CountedTokens(), self.measured.append)

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """Our own relay is told."""
        self.own.append(streams)

    async def ready(self) -> None:
        """All ports ahead are offered."""
        await eventually_async(lambda: self.offers and len(self.offers[-1]) == 3 * AHEAD)

    async def stream(self, *, turned: bool = False) -> RelayedStream:
        """A stream between inside and outside that rtpengine carries."""
        await self.ready()
        one = next(one for one in self.offers[-1] if set(one.hosts) == {INSIDE, OUTSIDE})
        ends = [
            RelayEnd(one.ports[i], False, (f"192.0.2.{i + 1}", 4000), (f"192.0.2.{i + 1}", 4001), one.hosts[i])
            for i in (0, 1)
        ]
        first, second = reversed(ends) if turned else ends
        found = RelayedStream(first, second, "a@phone", 0, one.ahead_id)
        self.relay.carry((found,))
        await eventually_async(lambda: self.where(found) == ["192.0.2.1:4000", "192.0.2.2:4000"])
        return found

    def where(self, stream: RelayedStream) -> list[str]:
        """Where rtpengine sends, party by party."""
        return [one.where for one in self.fake.calls[stream.ahead.encode()].parties.values()]

    def figure(self, name: str) -> int:
        """Of the relay."""
        return self.relay.figures()[f"rtpengine.{name}"]

    async def looks(self, count: int) -> None:
        """So many seconds."""
        for _ in range(count):
            await self.relay.look()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        fake, control = await fake_rtpengine(stack)
        found = Site(fake, control, HandClock())
        stack.push_async_callback(found.relay.close)
        found.relay.up(control)
        yield found


def moved(stream: RelayedStream, end: RelayEnd) -> RelayedStream:
    """The stream with another first end."""
    return replace(stream, first=end)


@pytest.mark.parametrize("turned", [False, True])
async def test_a_stream_with_ports_that_were_opened_ahead_is_rtpengines_until_it_is_named_no_more(
    site: Site, turned: bool
) -> None:
    stream = await site.stream(turned=turned)
    assert (site.figure("streams"), site.own) == (1, [])
    held = moved(stream, replace(stream.first, media=None, control=None))
    site.relay.carry((held,))
    await eventually_async(lambda: min(site.where(stream)) == "0.0.0.0:9")
    site.fake.packets = {(stream.ahead.encode(), b"a"): (50, 0), (stream.ahead.encode(), b"b"): (40, 2)}
    site.relay.carry(())
    await eventually_async(lambda: stream.ahead.encode() not in site.fake.calls)
    parts = {(one.heard, one.packets) for one in site.measured}
    assert parts == {("callee" if turned else "caller", 50), ("caller" if turned else "callee", 38)}
    await eventually_async(lambda: len(site.offers[-1]) == 3 * AHEAD)
    assert stream.ahead not in {one.ahead_id for one in site.offers[-1]}


async def test_each_pair_that_is_missing_is_asked_for_once(site: Site) -> None:
    await site.ready()
    assert (site.fake.asked["offer"], site.fake.asked["answer"]) == (3 * AHEAD, 3 * AHEAD)
    await site.stream()
    await eventually_async(lambda: site.figure("ahead") == 3 * AHEAD)
    assert site.fake.asked["answer"] == 3 * AHEAD + 1


async def test_when_rtpengine_dies_our_own_relay_has_its_streams_on_the_same_ports_at_the_local_addresses(
    site: Site,
) -> None:
    stream = await site.stream()
    site.relay.down()
    (carried,) = site.own[-1]
    assert (carried.first.port, carried.second.port) == (stream.first.port, stream.second.port)
    assert {carried.first.at, carried.second.at} == set(PLACES.values())
    assert (carried.first.media, carried.call_id) == (stream.first.media, "a@phone")
    assert (site.offers[-1], site.figure("taken_over")) == ((), 1)
    # Another run of rtpengine leaves it where it is.
    site.relay.up(site.control)
    await site.ready()
    site.relay.carry((stream,))
    assert (len(site.own[-1]), site.figure("streams")) == (1, 0)
    site.relay.carry(())
    assert site.own[-1] == ()


async def test_streams_of_the_pools_own_ports_are_our_relays(site: Site) -> None:
    stream = await site.stream()
    other = RelayedStream(RelayEnd(17408), RelayEnd(17410))
    site.relay.carry((stream, other))
    assert site.own[-1] == (other,)


async def test_an_end_at_another_host_than_its_port_is_our_relays(site: Site) -> None:
    stream = await site.stream()
    elsewhere = INSIDE if stream.first.at == OUTSIDE else OUTSIDE
    site.relay.carry((moved(stream, replace(stream.first, at=elsewhere)),))
    await eventually_async(lambda: site.own and len(site.own[-1]) == 1)
    assert stream.ahead.encode() not in site.fake.calls  # it let go of the ports before


async def test_what_rtpengine_refuses_to_change_is_our_relays(site: Site) -> None:
    stream = await site.stream()
    site.fake.refuses = "No such thing"
    site.relay.carry((moved(stream, replace(stream.first, media=("192.0.2.9", 4000))),))
    await eventually_async(lambda: site.own and len(site.own[-1]) == 1)


async def test_what_rtpengine_has_forgotten_is_our_relays_and_offered_no_more(site: Site) -> None:
    stream = await site.stream()
    await site.ready()
    site.fake.calls.clear()
    await site.looks(LIST_LOOKS)
    assert [one.ahead for one in site.own[-1]] == [stream.ahead]
    await eventually_async(lambda: len(site.offers[-1]) == 3 * AHEAD)
    assert {one.ahead_id.encode() for one in site.offers[-1]} == set(site.fake.calls)


async def test_who_sends_from_elsewhere_is_our_relays_which_knows_a_stream_again(site: Site) -> None:
    stream = await site.stream()
    party = (stream.ahead.encode(), b"b")
    site.fake.packets[party] = (100, 0)
    await site.looks(HEAR_LOOKS)
    site.fake.packets[party] = (200, 60)  # a stranger, while the party itself goes on
    await site.looks(HEAR_LOOKS)
    assert site.figure("streams") == 1
    site.fake.packets[party] = (260, 120)
    await site.looks(HEAR_LOOKS)
    await eventually_async(lambda: site.own and len(site.own[-1]) == 1)


async def test_streams_that_nobody_names_end(site: Site) -> None:
    stream = await site.stream()
    site.clock.advance(LEASE_SECONDS + 1)
    await site.looks(1)
    await eventually_async(lambda: stream.ahead.encode() not in site.fake.calls)


async def test_ports_at_another_address_than_is_meant_are_not_offered_and_the_reason_is_said(site: Site) -> None:
    await site.ready()
    site.relay.down()
    site.fake.places = {}
    site.relay.up(site.control)
    await eventually_async(lambda: site.relay.problem)
    assert site.relay.problem == (
        "it opens ports at 127.0.0.9, not 127.0.0.1: its interface there has to be at-127-0-0-1"
    )
    assert (site.offers[-1], site.figure("refused")) == ((), 1)
    site.fake.places = dict(PLACES)
    await site.looks(1)
    await site.ready()
    assert site.relay.problem == ""


async def test_an_rtpengine_that_does_not_answer_is_said_to_be_away(site: Site) -> None:
    await site.ready()
    site.fake.silent = True
    with pytest.raises(RtpengineAway):
        await site.relay.look()
