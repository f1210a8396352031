"""The relay on real sockets."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contract.sync.quality import CallQuality
from edge_agent.clock import SystemClock
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.recording.announcing import Announcement
from edge_agent.media.recording.recorder import Recorders
from edge_agent.media.relay import relay as relay_module
from edge_agent.media.relay.relay import RtpRelay
from edge_agent.ports import RecordingOrder, RelayedStream, RelayEnd, WatchedKeys
from edge_agent.processes.call_recordings import open_call_recordings
from edge_agent.tokens import SystemTokens
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


async def test_how_both_parties_of_a_call_were_heard_is_told_when_it_is_over(sockets: ExitStack) -> None:
    port = even_port()
    caller, callee = party(sockets), party(sockets)
    told: list[CallQuality] = []
    relay = RtpRelay("127.0.0.1", SystemClock(), told.append)
    unnamed = RelayedStream(end(port, caller), end(port + 2, callee))
    relay.carry([unnamed])
    relay.carry([replace(unnamed, call_id="a@phone", caller=0)])
    for number in (1, 2, 3, 4, 6, 7, 8, 9, 10):
        caller.sendto(rtp(number), ("127.0.0.1", port))
        await received(callee)
    callee.sendto(rtp(1), ("127.0.0.1", port + 2))
    await received(caller)
    relay.carry([])
    first, second = told
    assert (first.sip_call_id, first.source, first.heard, first.codec) == ("a@phone", "relay", "caller", "PCMU")
    assert (first.packets, first.lost, first.lost_percent) == (9, 1, 10.0)
    assert first.mos is not None
    assert first.mos < 4
    assert (second.heard, second.packets, second.lost) == ("callee", 1, 0)
    assert second.mos is not None
    assert second.mos > 4


async def test_a_stream_that_is_no_calls_or_that_stayed_silent_tells_nothing(sockets: ExitStack) -> None:
    port = even_port()
    one, other = party(sockets), party(sockets)
    told: list[CallQuality] = []
    relay = RtpRelay("127.0.0.1", SystemClock(), told.append)
    stream = RelayedStream(end(port, one), end(port + 2, other))
    relay.carry([replace(stream, call_id="a@phone")])
    relay.carry([])
    relay.carry([stream])
    one.sendto(rtp(1), ("127.0.0.1", port))
    await received(other)
    relay.close()
    assert told == []


def key(event: int, timestamp: int, ends: bool = False, kind: int = 101) -> bytes:
    """A packet of a key (RFC 4733 §2.3)."""
    return Packet(kind, timestamp % 65536, timestamp, 7, bytes([event, 0x8A if ends else 0x0A, 0, 160])).to_bytes()


async def test_keys_of_the_end_that_is_watched_are_told_once_each_and_go_on(sockets: ExitStack) -> None:
    port = even_port()
    phone, provider = party(sockets), party(sockets)
    told: list[tuple[str, str]] = []
    relay = RtpRelay("127.0.0.1", SystemClock(), pressed=lambda call_id, one: told.append((call_id, one)))
    watched = WatchedKeys(0, (101,))
    stream = RelayedStream(end(port, phone), end(port + 2, provider), call_id="call-1", keys=watched)
    relay.carry([stream])
    for data in (key(10, 800), key(10, 800), key(10, 800, ends=True), key(1, 1600), key(2, 2400, kind=96), b"\x80\xe5"):
        phone.sendto(data, ("127.0.0.1", port))
    for _ in range(5):
        await received(provider)
    provider.sendto(key(5, 800), ("127.0.0.1", port + 2))
    await received(phone)
    assert told == [("call-1", "*"), ("call-1", "1")]
    relay.carry([replace(stream, keys=None)])
    phone.sendto(key(3, 4000), ("127.0.0.1", port))
    await received(provider)
    assert len(told) == 2
    relay.close()


async def test_another_address_family_of_one_side_does_not_end_a_recording(sockets: ExitStack, tmp_path: Path) -> None:
    port = even_port()
    phone, provider, six = party(sockets), party(sockets), party(sockets, "::1")
    store = open_call_recordings(tmp_path, SystemClock(), SystemTokens())
    told: list[str | None] = []
    silent = Announcement(Sound(np.zeros(0, dtype=np.int16)))
    recorders = Recorders(store, lambda: silent, told.append, SystemClock())
    relay = RtpRelay("127.0.0.1", SystemClock(), recorders=recorders)
    order = RecordingOrder("recording-1")
    stream = RelayedStream(end(port, phone), end(port + 2, provider), call_id="call-1", record=order)
    relay.carry([stream])
    await eventually_async(lambda: told == [None])
    phone.sendto(rtp(1), ("127.0.0.1", port))
    await received(provider)
    relay.carry([replace(stream, first=end(port, six))])
    six.sendto(rtp(1), ("::1", port))
    await received(provider)
    assert len(recorders) == 1
    assert store.unended() == ("recording-1",)
    assert told == [None]
    relay.close()
    await asyncio.to_thread(recorders.close)
    assert [one.recording_id for one in store.all()] == ["recording-1"]
    assert told == [None]
