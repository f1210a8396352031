"""The relay on real sockets."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from edge_agent.clock import SystemClock
from edge_agent.media.relay import relay as relay_module
from edge_agent.media.relay.relay import RtpRelay
from edge_agent.ports import RelayedStream, RelayEnd
from tests.edge_agent.media.relay.test_forwarding import rtcp, rtp
from tests.support.waiting import eventually_async


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def party(stack: ExitStack, host: str = "127.0.0.1") -> socket.socket:
    opened = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM))
    opened.bind((host, 0))
    opened.setblocking(False)
    return opened


def even_port() -> int:
    """An even port that is free with the three that follow it."""
    for port in range(41_000, 60_000, 4):
        with ExitStack() as stack:
            try:
                for one in range(port, port + 4):
                    stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("0.0.0.0", one))
            except OSError:
                continue
            return port
    raise AssertionError("no free ports")


def end(port: int, who: socket.socket) -> RelayEnd:
    host, at = who.getsockname()[:2]
    return RelayEnd(port, ":" in host, (host, at), (host, at))


async def received(who: socket.socket) -> tuple[bytes, int]:
    """What came, and from which port."""
    data, source = await asyncio.wait_for(asyncio.get_running_loop().sock_recvfrom(who, 2048), 5)
    return data, source[1]


async def test_two_parties_hear_each_other_through_it_also_across_families(sockets: ExitStack) -> None:
    port = even_port()
    phone, provider = party(sockets), party(sockets, "::1")
    relay = RtpRelay("0.0.0.0", SystemClock())
    relay.carry([RelayedStream(end(port, phone), end(port + 2, provider))])
    phone.sendto(rtp(1), ("127.0.0.1", port))
    assert await received(provider) == (rtp(1), port + 2)
    provider.sendto(rtp(9), ("::1", port + 2))
    assert await received(phone) == (rtp(9), port)
    phone.sendto(rtcp(), ("127.0.0.1", port + 1))
    assert await received(provider) == (rtcp(), port + 3)
    assert relay.figures() == {
        "relay.streams": 1,
        "relay.packets": 3,
        "relay.dropped": 0,
        "relay.silent": 0,
        "relay.failed": 0,
    }
    relay.close()


async def test_a_stream_that_is_named_again_goes_on_and_one_that_is_not_gives_its_ports_back(
    sockets: ExitStack,
) -> None:
    port = even_port()
    phone, provider = party(sockets), party(sockets)
    relay = RtpRelay("127.0.0.1", SystemClock())
    stream = RelayedStream(end(port, phone), end(port + 2, provider))
    relay.carry([stream])
    relay.carry([stream])
    phone.sendto(rtp(1), ("127.0.0.1", port))
    await received(provider)
    relay.carry([])
    assert relay.figures()["relay.streams"] == 0
    assert relay.figures()["relay.packets"] == 1
    for one in range(port, port + 4):
        sockets.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", one))


async def test_a_port_that_is_taken_fails_that_stream_only_and_is_tried_again(sockets: ExitStack) -> None:
    port = even_port()
    phone, provider = party(sockets), party(sockets)
    taken = socket.socket(type=socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", port + 3))
    relay = RtpRelay("127.0.0.1", SystemClock())
    stream = RelayedStream(end(port, phone), end(port + 2, provider))
    relay.carry([stream])
    assert (relay.figures()["relay.streams"], relay.figures()["relay.failed"]) == (0, 1)
    taken.close()
    relay.carry([stream])
    assert (relay.figures()["relay.streams"], relay.figures()["relay.failed"]) == (1, 0)
    relay.close()


async def test_a_stream_in_which_nothing_flows_is_told_of_until_something_does(
    sockets: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "LOOK_SECONDS", 0.2)
    port = even_port()
    phone, provider = party(sockets), party(sockets)
    relay = RtpRelay("127.0.0.1", SystemClock())
    relay.carry([RelayedStream(end(port, phone), end(port + 2, provider))])
    await eventually_async(lambda: relay.figures()["relay.silent"] == 1)

    def flows() -> bool:
        phone.sendto(rtp(1), ("127.0.0.1", port))
        return relay.figures()["relay.silent"] == 0

    await eventually_async(flows)
    relay.close()


async def test_streams_end_when_nobody_names_them_any_more(sockets: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "LEASE_SECONDS", 0.3)
    port = even_port()
    relay = RtpRelay("127.0.0.1", SystemClock())
    relay.carry([RelayedStream(end(port, party(sockets)), end(port + 2, party(sockets)))])
    await eventually_async(lambda: relay.figures()["relay.streams"] == 0)
