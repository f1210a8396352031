"""Real sockets on loopback: batches, streams, keep-alive and limits."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from edge_agent.clock import Clock, SystemClock
from edge_agent.sip.message import DropReason, Flow, Limits
from edge_agent.sip.transport import SipTransport, TlsIdentity
from edge_agent.sip.transport.listener import Listener
from tests.support.certificates import Authority
from tests.support.hand_clock import HandClock
from tests.support.transport_listener import MESSAGE, TransportListener, listening
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def opened(
    limits: Limits | None = None, clock: Clock | None = None
) -> AsyncIterator[tuple[SipTransport, TransportListener]]:
    transport = SipTransport(
        clock or SystemClock(), udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0), limits=limits or Limits()
    )
    await transport.open()
    listener = TransportListener()
    transport.attach(listener)
    try:
        yield transport, listener
    finally:
        await transport.close()


async def test_datagrams_that_wait_are_handled_in_one_batch_and_answered_after_it() -> None:
    async with opened() as (transport, listener):
        listener.transport = transport
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.setblocking(False)
            for number in range(5):
                peer.sendto(b"%d" % number + MESSAGE, transport.local["udp"])
            peer.sendto(b"\r\n\r\n", transport.local["udp"])
            await eventually_async(lambda: len(listener.heard) == 5)
            assert listener.batches[-1] == 5
            assert [flow for _, flow in listener.heard] == [Flow("udp", *peer.getsockname())] * 5
            loop = asyncio.get_running_loop()
            assert await loop.sock_recv(peer, 1000) == b"answer to 0" + MESSAGE


async def test_a_stream_is_cut_answered_on_itself_and_kept_alive() -> None:
    async with opened() as (transport, listener):
        listener.transport = transport
        reader, writer = await asyncio.open_connection(*transport.local["tcp"])
        writer.write(MESSAGE[:20])
        await writer.drain()
        writer.write(MESSAGE[20:] + b"\r\n\r\n" + MESSAGE)
        answers = await reader.readexactly(2 * len(b"answer to " + MESSAGE) + 2)
        assert answers.count(b"answer to ") == 2
        assert answers.startswith(b"\r\n")
        flow = listener.heard[0][1]
        assert (flow.transport, flow.connection > 0, transport.is_open(flow)) == ("tcp", True, True)
        writer.close()
        await writer.wait_closed()
        await eventually_async(lambda: flow in listener.failed)
        assert not transport.is_open(flow)


async def test_the_second_of_two_messages_on_a_stream_does_not_wait_for_the_peer_to_acknowledge_the_first() -> None:
    accepted: asyncio.Queue[socket.socket] = asyncio.Queue()
    listener = Listener(("127.0.0.1", 0), lambda connection, host, port: accepted.put_nowait(connection))
    listener.start()
    with socket.create_connection(("127.0.0.1", listener.port)), await accepted.get() as connection:
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    listener.close()


async def test_one_connection_is_opened_to_a_peer_and_used_again() -> None:
    async with opened() as (transport, _), opened() as (other, heard):
        target = Flow("tcp", *other.local["tcp"])
        for _ in range(3):
            transport.send(MESSAGE, target)
        await eventually_async(lambda: len(heard.heard) == 3)
        transport.send(MESSAGE, target)
        await eventually_async(lambda: len(heard.heard) == 4)
        assert len({flow for _, flow in heard.heard}) == 1


async def test_what_cannot_be_delivered_is_told() -> None:
    async with opened() as (transport, listener):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            refused = Flow("tcp", *closed.getsockname())
        gone, impossible = Flow("tcp", "127.0.0.1", 5060, 999), Flow("udp", "127.0.0.1", 0)
        for flow in (refused, gone, impossible):
            transport.send(MESSAGE, flow)
        await eventually_async(lambda: {refused, gone, impossible} <= set(listener.failed))


async def test_connections_are_limited_in_all_and_for_each_host() -> None:
    for limits in (Limits(tcp_connections=2), Limits(tcp_connections_per_host=2)):
        async with opened(limits) as (transport, listener):
            streams = [await asyncio.open_connection(*transport.local["tcp"]) for _ in range(3)]
            drops = listener.drops
            await eventually_async(partial(drops.__contains__, DropReason.TOO_MANY_CONNECTIONS))
            assert drops[DropReason.TOO_MANY_CONNECTIONS] == 1
            for _, writer in streams:
                writer.close()


async def test_a_stream_that_is_no_sip_is_closed() -> None:
    async with opened(Limits(message_bytes=1000)) as (transport, listener):
        reader, writer = await asyncio.open_connection(*transport.local["tcp"])
        writer.write(b"x" * 1001)
        with suppress(ConnectionResetError):
            assert await reader.read(10) == b""
        assert listener.drops[DropReason.TOO_LARGE] == 1
        writer.close()


async def test_timers_are_advanced_when_the_receiver_waits_for_something() -> None:
    transport = SipTransport(SystemClock(), udp=("127.0.0.1", 0))
    await transport.open()
    listener = TransportListener()
    listener.deadline = 0.0
    transport.attach(listener)
    await eventually_async(lambda: listener.advanced == 1)
    await transport.close()


async def test_a_stream_without_a_byte_or_stuck_in_one_message_is_closed() -> None:
    for begun, seconds, reason in (
        (b"", 3901, DropReason.IDLE_CONNECTION),
        (MESSAGE[:10], 31, DropReason.SLOW_CONNECTION),
    ):
        clock = HandClock()
        async with opened(clock=clock) as (transport, listener):
            reader, writer = await asyncio.open_connection(*transport.local["tcp"])
            writer.write(MESSAGE + begun)
            await eventually_async(partial(list.__len__, listener.heard))
            clock.advance(seconds - 2)
            transport.streams.sweep()
            assert not listener.drops
            clock.advance(2)
            transport.streams.sweep()
            assert listener.drops == {reason: 1}
            with suppress(ConnectionResetError):
                assert await reader.read(1) == b""
            writer.close()


async def test_a_peer_that_does_not_read_is_cut_off() -> None:
    async with opened(Limits(tcp_buffer_bytes=10_000)) as (transport, listener):
        _, writer = await asyncio.open_connection(*transport.local["tcp"], limit=1)
        writer.write(MESSAGE)
        await eventually_async(partial(list.__len__, listener.heard))
        flow = listener.heard[0][1]
        for _ in range(200):
            transport.send(b"x" * 60_000, flow)
        await eventually_async(lambda: flow in listener.failed)
        writer.close()


async def test_a_peer_that_promised_to_be_heard_is_cut_off_when_it_falls_silent_and_no_other() -> None:
    """RFC 5626 §4.4.1: the time of a Flow-Timer is over."""
    clock = HandClock()
    async with opened(clock=clock) as (transport, listener):
        _, promised = await asyncio.open_connection(*transport.local["tcp"])
        promised.write(MESSAGE)
        await eventually_async(lambda: len(listener.heard) == 1)
        _, other = await asyncio.open_connection(*transport.local["tcp"])
        other.write(MESSAGE)
        await eventually_async(lambda: len(listener.heard) == 2)
        (_, first), (_, second) = listener.heard
        transport.expect(first, 180.0)
        transport.expect(Flow("tcp", "127.0.0.1", 1, 999), 180.0)
        clock.advance(170)
        promised.write(b"\r\n\r\n")
        await eventually_async(lambda: transport.streams._by_number[first.connection].heard == clock.monotonic())
        clock.advance(170)
        transport.streams.sweep()
        assert transport.is_open(first)
        clock.advance(20)
        transport.streams.sweep()
        assert (transport.is_open(first), transport.is_open(second)) == (False, True)
        promised.close()
        other.close()


async def test_a_connection_that_we_opened_is_closed_when_nothing_went_either_way_and_opened_again_when_needed() -> (
    None
):
    clock = HandClock()
    peer = SipTransport(SystemClock(), tcp=(LOOPBACK, 0))
    transport = SipTransport(clock, tcp=(LOOPBACK, 0), limits=Limits(tcp_opened_idle_seconds=60))
    async with listening(peer) as heard, listening(transport) as listener:
        flow = Flow("tcp", *peer.local["tcp"])
        transport.send(MESSAGE, flow)
        await eventually_async(lambda: len(heard.heard) == 1)
        clock.advance(50)
        transport.send(MESSAGE, flow)
        await eventually_async(lambda: len(heard.heard) == 2)
        transport.streams.sweep()
        clock.advance(50)
        transport.streams.sweep()
        assert len(transport.streams.open_streams) == 1
        clock.advance(11)
        transport.streams.sweep()
        assert not transport.streams.open_streams
        assert listener.drops == {DropReason.IDLE_CONNECTION: 1}
        transport.send(MESSAGE, flow)
        await eventually_async(lambda: len(heard.heard) == 3)


async def test_one_address_gets_its_share_of_the_connections_that_we_open_and_others_theirs() -> None:
    peers = [SipTransport(SystemClock(), tcp=(LOOPBACK, 0)) for _ in range(3)]
    elsewhere = SipTransport(SystemClock(), tcp=("::1", 0))
    transport = SipTransport(SystemClock(), udp=(LOOPBACK, 0), limits=Limits(tcp_opened_per_host=2))
    async with AsyncExitStack() as open_:
        heard = [await open_.enter_async_context(listening(peer)) for peer in (*peers, elsewhere)]
        listener = await open_.enter_async_context(listening(transport))
        flows = [Flow("tcp", *peer.local["tcp"]) for peer in (*peers, elsewhere)]
        for flow in flows:
            transport.send(MESSAGE, flow)
        await eventually_async(lambda: [len(one.heard) for one in heard] == [1, 1, 0, 1])
        assert listener.failed == [flows[2]]
        assert listener.drops[DropReason.TOO_MANY_CONNECTIONS] == 1


async def test_a_tls_handshake_that_the_peer_never_answers_is_given_up_and_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    identity = TlsIdentity(*authority.issue(LOOPBACK), authority.file)
    transport = SipTransport(
        SystemClock(), udp=(LOOPBACK, 0), client_tls=identity.client, limits=Limits(tcp_connect_seconds=0.2)
    )
    async with listening(transport) as listener:
        with socket.socket() as silent:
            silent.bind((LOOPBACK, 0))
            silent.listen()
            flow = Flow("tls", *silent.getsockname())
            transport.send(MESSAGE, flow)
            await eventually_async(lambda: listener.failed == [flow])
            assert len(transport.streams.admission) == 0


async def test_one_socket_serves_both_address_families_and_writes_ipv4_addresses_as_such() -> None:
    transport = SipTransport(
        SystemClock(), udp=("::", 0), tcp=("::", 0), advertised="192.0.2.1", advertised_six="2001:db8::1"
    )
    async with listening(transport, answers=True) as listener:
        port = transport.local["udp"][1]
        assert transport.local_six["udp"] == ("2001:db8::1", port)
        for family, host in ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as peer:
                peer.setblocking(False)
                peer.bind((host, 0))
                peer.sendto(MESSAGE, (host, port))
                answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(peer, 65_535), 10)
                assert answer == b"answer to " + MESSAGE
                assert listener.heard[-1][1] == Flow("udp", host, peer.getsockname()[1])
            reader, writer = await asyncio.open_connection(host, transport.local["tcp"][1])
            writer.write(MESSAGE)
            assert await reader.readexactly(len(answer)) == answer
            assert listener.heard[-1][1][:2] == ("tcp", host)
            writer.close()
        # STUN tells each its address as it is.
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            peer.setblocking(False)
            peer.bind((LOOPBACK, 0))
            peer.sendto(b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12), (LOOPBACK, port))
            told = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(peer, 65_535), 10)
            assert told[25] == 1
