"""Floods of connections: what is refused, what gives way, and that an honest phone still gets in."""

import asyncio
import socket
import ssl
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.clock import Clock, SystemClock
from edge_agent.sip.message import DropReason, Limits
from edge_agent.sip.transport import SipTransport, TlsIdentity
from edge_agent.sip.transport.admission import NOBODY, StreamAdmission
from edge_agent.sip.transport.stream import Stream
from tests.support.certificates import Authority
from tests.support.hand_clock import HandClock
from tests.support.transport_listener import MESSAGE, TransportListener, listening
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


def reached(listener: TransportListener, reason: DropReason, times: int) -> bool:
    return listener.drops[reason] == times


def heard_at(stream: Stream, moment: float) -> bool:
    return stream.heard == moment


def plain(limits: Limits, clock: Clock | None = None) -> SipTransport:
    return SipTransport(clock or SystemClock(), tcp=(LOOPBACK, 0), limits=limits)


def connect(target: tuple[str, int], source: str, sockets: ExitStack) -> socket.socket:
    """A connection from one of loopback's many addresses."""
    made = sockets.enter_context(socket.socket())
    made.bind((source, 0))
    made.settimeout(5)
    made.connect(target)
    return made


async def test_beyond_the_limit_of_silent_streams_the_oldest_gives_way_to_the_newest() -> None:
    transport = plain(Limits(half_open=5))
    async with listening(transport, answers=True) as listener:
        with ExitStack() as sockets:
            flood = [
                await asyncio.to_thread(connect, transport.local["tcp"], f"127.0.1.{number}", sockets)
                for number in range(1, 26)
            ]
            await eventually_async(partial(reached, listener, DropReason.HALF_OPEN_EVICTED, 20))
            assert transport.streams.admission.half_open == 5
            assert flood[0].recv(1) == b""
            reader, writer = await asyncio.open_connection(*transport.local["tcp"])
            writer.write(MESSAGE)
            assert await reader.readexactly(len(b"answer to " + MESSAGE))
            # It has spoken: whatever comes now, it stays.
            for number in range(1, 26):
                await asyncio.to_thread(connect, transport.local["tcp"], f"127.0.2.{number}", sockets)
            await eventually_async(partial(reached, listener, DropReason.HALF_OPEN_EVICTED, 46 - 1))
            writer.write(MESSAGE)
            assert await reader.readexactly(len(b"answer to " + MESSAGE))
            writer.close()


async def test_one_address_takes_its_share_of_silent_streams_and_no_other_ones() -> None:
    transport = plain(Limits(half_open_per_host=3))
    async with listening(transport, answers=True) as listener:
        with ExitStack() as sockets:
            for _ in range(10):
                await asyncio.to_thread(connect, transport.local["tcp"], "127.0.1.1", sockets)
            await eventually_async(partial(reached, listener, DropReason.TOO_MANY_HALF_OPEN, 7))
            reader, writer = await asyncio.open_connection(*transport.local["tcp"])
            writer.write(MESSAGE)
            assert await reader.readexactly(len(b"answer to " + MESSAGE))
            writer.close()


async def test_thousands_of_tls_attempts_leave_nothing_behind_and_an_honest_phone_gets_in(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    identity = TlsIdentity(*authority.issue(LOOPBACK))
    limits = Limits(half_open=200, half_open_per_host=8)
    transport = SipTransport(SystemClock(), tls=(LOOPBACK, 0), server_tls=identity.server, limits=limits)
    attempts = 2_000

    def flood() -> None:
        for number in range(attempts):
            with ExitStack() as sockets:
                connect(transport.local["tls"], f"127.0.{number % 5 + 1}.{number % 250 + 1}", sockets)

    async with listening(transport, answers=True) as listener:
        flooding = asyncio.ensure_future(asyncio.to_thread(flood))
        context = ssl.create_default_context(cafile=str(authority.file))
        reader, writer = await asyncio.open_connection(*transport.local["tls"], ssl=context)
        writer.write(MESSAGE)
        assert await reader.readexactly(len(b"answer to " + MESSAGE))
        await flooding
        await eventually_async(lambda: len(transport.streams.admission) == 1)
        ended = sum(
            listener.drops[reason]
            for reason in (
                DropReason.HANDSHAKE_FAILED,
                DropReason.HALF_OPEN_EVICTED,
                DropReason.TOO_MANY_HALF_OPEN,
            )
        )
        assert ended >= attempts
        writer.write(MESSAGE)
        assert await reader.readexactly(len(b"answer to " + MESSAGE))
        writer.close()


async def test_a_stream_that_never_says_anything_and_one_that_says_it_byte_by_byte_are_closed() -> None:
    clock = HandClock()
    transport = plain(Limits(first_message_seconds=30, message_seconds=20), clock)
    async with listening(transport) as listener:
        _, silent = await asyncio.open_connection(*transport.local["tcp"])
        _, dripping = await asyncio.open_connection(*transport.local["tcp"])
        dripping.write(MESSAGE)
        await eventually_async(partial(list.__len__, listener.heard))
        (_, stream) = transport.streams.open_streams
        for number in range(7):
            dripping.write(MESSAGE[number : number + 1])
            clock.advance(3)
            await eventually_async(partial(heard_at, stream, clock.monotonic()))
            transport.streams.sweep()
        assert not listener.drops
        clock.advance(3)
        transport.streams.sweep()
        await eventually_async(partial(reached, listener, DropReason.SLOW_CONNECTION, 1))
        clock.advance(6)
        transport.streams.sweep()
        await eventually_async(partial(reached, listener, DropReason.SLOW_CONNECTION, 2))
        await eventually_async(lambda: not len(transport.streams.admission))
        silent.close()
        dripping.close()


async def test_a_handshake_given_up_for_another_lets_go_of_its_socket(tmp_path: Path) -> None:
    identity = TlsIdentity(*Authority(tmp_path).issue(LOOPBACK))
    limits = Limits(half_open=1)
    transport = SipTransport(SystemClock(), tls=(LOOPBACK, 0), server_tls=identity.server, limits=limits)
    async with listening(transport) as listener:
        first, one = await asyncio.open_connection(*transport.local["tls"])
        _, two = await asyncio.open_connection(*transport.local["tls"])
        await eventually_async(partial(reached, listener, DropReason.HALF_OPEN_EVICTED, 1))
        assert await asyncio.wait_for(first.read(1), 10) == b""
        one.close()
        two.close()


async def test_a_connection_that_never_carried_a_message_ends_without_a_search_for_what_relied_on_it() -> None:
    transport = plain(Limits())
    async with listening(transport, answers=True) as listener:
        _, silent = await asyncio.open_connection(*transport.local["tcp"])
        _, pinging = await asyncio.open_connection(*transport.local["tcp"])
        pinging.write(b"\r\n\r\n")
        reader, speaking = await asyncio.open_connection(*transport.local["tcp"])
        speaking.write(MESSAGE)
        assert await reader.readexactly(len(b"answer to " + MESSAGE))
        for writer in (silent, pinging, speaking):
            writer.close()
        await eventually_async(lambda: not len(transport.streams.admission))
        assert {flow.port for flow in listener.failed} == {speaking.get_extra_info("sockname")[1]}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["speak", "end"]), st.integers(1, 30)),
    ),
    max_size=40,
)


@given(steps)
@settings(max_examples=150)
def test_counts_hold_their_bounds_and_come_back_to_nothing(script: list[tuple[str, str | int]]) -> None:
    limits = Limits(tcp_connections=6, tcp_connections_per_host=4, half_open=3, half_open_per_host=2)
    admission = StreamAdmission(limits)
    alive: dict[int, str] = {}
    silent: list[int] = []
    number = 0
    for step, what in script:
        if isinstance(what, str):
            hosts, still = list(alive.values()), [alive[one] for one in silent]
            refused = admission.refuses(what)
            if len(alive) >= 6 or hosts.count(what) >= 4:
                assert refused is DropReason.TOO_MANY_CONNECTIONS
                continue
            assert (refused is DropReason.TOO_MANY_HALF_OPEN) is (still.count(what) >= 2)
            if refused is not None:
                continue
            number += 1
            evicted = admission.accepted(number, what, 0.0)
            assert evicted == (silent[0] if len(silent) >= 3 else NOBODY)
            alive[number] = what
            silent.append(number)
            if evicted != NOBODY:
                admission.ended(evicted)
                del alive[silent.pop(0)]
        else:
            if step == "speak":
                admission.spoke(what)
            else:
                admission.ended(what)
            if what in silent:
                silent.remove(what)
            if step == "end":
                alive.pop(what, None)
        assert (len(admission), admission.half_open) == (len(alive), len(silent))
    for one in list(alive):
        admission.ended(one)
    assert (len(admission), admission.half_open, admission.refuses("a")) == (0, 0, None)


@pytest.mark.parametrize("seconds", [29.0, 31.0])
def test_only_streams_that_waited_too_long_are_slow(seconds: float) -> None:
    admission = StreamAdmission(Limits(first_message_seconds=30))
    admission.accepted(1, "a", 0.0)
    admission.accepted(2, "a", 20.0)
    assert admission.slow(seconds) == ([1] if seconds > 30 else [])
