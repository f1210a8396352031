"""rtpengine beside the agent: missing, given by somebody else, or ours and killed."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from contract.sync.events import AlarmChanged, Happening
from edge_agent.clock import SystemClock
from edge_agent.health.alarms import Alarms
from edge_agent.media.rtpengine.relay import AHEAD
from edge_agent.ports import RelayedStream, RelayEnd
from edge_agent.processes import rtpengine
from edge_agent.processes.link import Answer
from edge_agent.processes.rtpengine import SiteRelay, places_of
from edge_agent.settings import Settings, SettingsError, settings_from
from edge_agent.tokens import SystemTokens
from tests.edge_agent.media.rtpengine.test_control import free_ports
from tests.support.rtpengines import FakeRtpengine
from tests.support.waiting import eventually_async


@dataclass
class Edge:
    """What the relay tells others."""

    orders: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    reported: list[Happening] = field(default_factory=list)

    async def order(self, name: str, arguments: dict[str, str]) -> Answer:
        """Some process is told."""
        self.orders.append((name, arguments))
        return Answer(order_id="1", ok=True)

    def report(self, what: Happening) -> None:
        """The cloud is told."""
        self.reported.append(what)

    def offered(self) -> int:
        """Pairs of ports that SIP knows of."""
        told = [arguments["ahead"] for name, arguments in self.orders if name == "ports_ahead"]
        return len(json.loads(told[-1])) if told else -1

    def alarms(self) -> list[tuple[str, bool]]:
        """In their order."""
        return [(one.alarm, one.active) for one in self.reported if isinstance(one, AlarmChanged)]


def settings(**media: str) -> Settings:
    """Of an edge on the loopback interface."""
    supervision = {"restart_first_seconds": 0.01, "steady_after_seconds": 0.5}
    content = {"sip": {"address": "127.0.0.1"}, "media": media, "supervision": supervision}
    return settings_from(content, {})


@asynccontextmanager
async def running(edge: Edge, wanted: Settings) -> AsyncIterator[SiteRelay]:
    relay = SiteRelay(
        wanted,
        edge.order,
        edge.order,
        Alarms(edge),
        SystemClock(),
        SystemTokens(),
        changed=lambda: None,
        measured=edge.report,
    )
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        await relay.stop()
        await task


@pytest.mark.parametrize("how", ["auto", "own"])
async def test_nothing_is_started_that_nobody_needs(how: str) -> None:
    edge = Edge()
    async with running(edge, settings(relay=how)) as relay:
        assert (relay.status, edge.reported, edge.orders) == (None, [], [])


async def test_one_that_is_asked_for_and_missing_is_named_and_our_own_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtpengine, "found_program", lambda: None)
    edge = Edge()
    async with running(edge, settings(relay="rtpengine")) as relay:
        await eventually_async(lambda: relay.status)
        assert relay.status is not None
        assert relay.status.state == "down"
        assert relay.status.problem == "is not installed (Debian: rtpengine-daemon); our own relay carries every call"
        assert edge.alarms() == [("rtpengine_missing", True)]
        relay.carry((RelayedStream(RelayEnd(17408), RelayEnd(17410)),))
        await eventually_async(lambda: edge.orders and edge.orders[-1][0] == "carry")


async def test_one_that_somebody_else_runs_is_spoken_with_and_seen_when_it_goes() -> None:
    edge = Edge()
    async with AsyncExitStack() as stack:
        transport, fake = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: FakeRtpengine({"127.0.0.1": "127.0.0.1"}), local_addr=("127.0.0.1", 0)
        )
        stack.push_async_callback(fake.close)
        port = transport.get_extra_info("sockname")[1]
        wanted = settings(relay="rtpengine", rtpengine_control=f"127.0.0.1:{port}")
        async with running(edge, wanted) as relay:
            await eventually_async(lambda: edge.offered() == AHEAD)
            await fake.close()
            await eventually_async(lambda: edge.offered() == 0)
            await eventually_async(lambda: ("process_restarted", True) in edge.alarms())
            assert relay.status is not None
            assert "does not answer" in relay.status.problem


@pytest.mark.peer("rtpengine")
async def test_ours_is_started_at_the_first_relayed_call_and_again_when_it_is_killed() -> None:
    edge, first = Edge(), free_ports()
    wanted = settings(rtpengine_first_port=str(first), rtpengine_last_port=str(first + 199))
    async with running(edge, wanted) as relay:
        relay.carry((RelayedStream(RelayEnd(17408), RelayEnd(17410)),))
        await eventually_async(lambda: edge.offered() == AHEAD, 30)
        assert relay.status is not None
        before = relay.status.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await eventually_async(lambda: relay.status is not None and relay.status.restarts == 1, 30)
        await eventually_async(lambda: edge.offered() == AHEAD, 30)
        assert relay.status.pid not in (None, before)
        assert relay.status.problem == "ended by signal 9"
        await eventually_async(lambda: ("process_restarted", False) in edge.alarms(), 30)
        after = relay.status.pid
        assert after is not None
    with pytest.raises(ProcessLookupError):
        os.kill(after, 0)


def test_a_host_that_is_none_of_this_machines_addresses_is_reached_at_the_one_that_it_sends_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtpengine, "address_outwards", lambda: "127.0.0.8")
    content = {"sip": {"address": "127.0.0.1", "public_host": "198.51.100.7"}}
    assert places_of(settings_from(content, {})) == {"127.0.0.1": "127.0.0.1", "198.51.100.7": "127.0.0.8"}


@pytest.mark.parametrize(
    ("media", "problem"),
    [
        ({"rtpengine_control": "127.0.0.1:70000"}, "has to end with a port"),
        ({"rtpengine_control": "300.0.0.1:2223"}, "has to be a numeric address"),
        ({"rtpengine_first_port": "20000", "rtpengine_last_port": "20050"}, "at least 63 above"),
    ],
)
def test_settings_that_cannot_be_used_are_named(media: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        settings(**media)
