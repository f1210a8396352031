"""Sending to names: looked up without waiting, moved on when a hop fails (RFC 3263 §4.3), verified (RFC 5922 §4)."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from edge_agent.clock import Clock, SystemClock
from edge_agent.sip.message import DropReason, Flow
from edge_agent.sip.message.flow import TO_A_NAME, TO_A_NAME_ANYHOW, Transport
from edge_agent.sip.resolver import Resolver
from edge_agent.sip.resolver.dns_lookup import DnsLookup
from edge_agent.sip.transport import SipTransport, TlsIdentity
from tests.support.certificates import Authority
from tests.support.counted_tokens import CountedTokens
from tests.support.dns_server import DnsServer, dns_server
from tests.support.hand_clock import HandClock
from tests.support.transport_listener import MESSAGE, listening
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


def sending(server: DnsServer, clock: Clock | None = None, identity: TlsIdentity | None = None) -> SipTransport:
    clock = clock or SystemClock()
    return SipTransport(
        clock,
        udp=(LOOPBACK, 0),
        client_tls=identity.client if identity is not None else None,
        resolver=Resolver(DnsLookup([LOOPBACK], server.port), clock, CountedTokens()),
    )


def named(transport: Transport, port: int = 0) -> Flow:
    return Flow(transport, "itsp.test", port, TO_A_NAME)


@contextmanager
def datagrams() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.bind((LOOPBACK, 0))
        peer.setblocking(False)
        yield peer


async def received(peer: socket.socket) -> tuple[bytes, tuple[str, int]]:
    loop = asyncio.get_running_loop()
    return await asyncio.wait_for(loop.sock_recvfrom(peer, 65_535), 10)


def table(*peers: socket.socket) -> dict[tuple[str, str], list[str]]:
    servers = [f"{number} 0 {peer.getsockname()[1]} host.itsp.test." for number, peer in enumerate(peers)]
    return {("_sip._udp.itsp.test", "SRV"): servers, ("host.itsp.test", "A"): [LOOPBACK]}


async def test_datagrams_wait_for_the_look_up_and_then_go_to_the_best_hop() -> None:
    with datagrams() as peer:
        async with dns_server(table(peer)) as server:
            transport = sending(server)
            async with listening(transport) as listener:
                for number in range(3):
                    transport.send(b"%d" % number + MESSAGE, named("udp"))
                for number in range(3):
                    assert (await received(peer))[0] == b"%d" % number + MESSAGE
                assert not listener.failed


async def test_a_request_goes_on_to_the_next_hop_when_one_leaves_its_retransmissions_unanswered() -> None:
    with ExitStack() as peers:
        first, second = (peers.enter_context(datagrams()) for _ in range(2))
        clock = HandClock()
        async with dns_server(table(first, second)) as server:
            transport = sending(server, clock)
            async with listening(transport) as listener:
                transport.send(MESSAGE, named("udp"))
                assert (await received(first))[0] == MESSAGE
                clock.advance(2.9)
                transport.send(MESSAGE, named("udp"))
                assert (await received(first))[0] == MESSAGE
                clock.advance(0.2)
                transport.send(MESSAGE, named("udp"))
                data, edge = await received(second)
                assert data == MESSAGE
                # The second one answers and keeps the traffic.
                second.sendto(MESSAGE, edge)
                await eventually_async(lambda: len(listener.heard) == 1)
                clock.advance(30)
                transport.send(b"next" + MESSAGE, named("udp"))
                assert (await received(second))[0] == b"next" + MESSAGE
                assert not listener.failed


async def test_the_flow_fails_when_no_hop_is_left() -> None:
    with datagrams() as peer:
        clock = HandClock()
        async with dns_server(table(peer)) as server:
            transport = sending(server, clock)
            async with listening(transport) as listener:
                transport.send(MESSAGE, named("udp"))
                await received(peer)
                clock.advance(4)
                transport.send(MESSAGE, named("udp"))
                await eventually_async(lambda: listener.failed == [named("udp")])
                assert listener.drops == {DropReason.UNREACHABLE: 1}


async def test_a_name_that_does_not_exist_and_servers_that_fail_are_told_as_a_failed_flow() -> None:
    for failing in (False, True):
        async with dns_server({}) as server:
            server.failing = failing
            transport = sending(server)
            async with listening(transport) as listener:
                transport.send(MESSAGE, named("udp"))
                await eventually_async(lambda: listener.failed == [named("udp")])


async def test_without_a_resolver_a_name_fails_at_once() -> None:
    transport = SipTransport(SystemClock(), udp=(LOOPBACK, 0))
    async with listening(transport) as listener:
        transport.send(MESSAGE, named("udp"))
        await eventually_async(lambda: listener.failed == [named("udp")])


async def test_what_one_server_refuses_by_tcp_reaches_the_next_in_the_same_moment() -> None:
    with socket.socket() as closed:
        closed.bind((LOOPBACK, 0))
        refusing = closed.getsockname()[1]
    peer = SipTransport(SystemClock(), tcp=(LOOPBACK, 0))
    async with listening(peer) as heard:
        servers = [f"1 0 {refusing} host.itsp.test.", f"2 0 {peer.local['tcp'][1]} host.itsp.test."]
        zone = {("_sip._tcp.itsp.test", "SRV"): servers, ("host.itsp.test", "A"): [LOOPBACK]}
        async with dns_server(zone) as server:
            transport = sending(server)
            async with listening(transport) as listener:
                for _ in range(2):
                    transport.send(MESSAGE, named("tcp"))
                transport.send(b"x" + MESSAGE, named("tcp"))
                await eventually_async(lambda: len(heard.heard) == 2)
                assert named("tcp") not in listener.failed
                # The dead one is remembered: a new look-up begins with the living.
                transport.send(b"y" + MESSAGE, named("tcp"))
                await eventually_async(lambda: len(heard.heard) == 3)


@pytest.mark.parametrize(
    ("names", "good"),
    [
        (["itsp.test"], True),
        (["other.test", "ITSP.test"], True),
        (["sip:itsp.test"], True),
        (["other.test"], False),
        (["*.test"], False),
        (["sip:user@itsp.test"], False),
        (["http://itsp.test"], False),
        (["127.0.0.1"], False),
        ([], False),
    ],
)
async def test_the_certificate_of_a_named_peer_has_to_be_for_the_name_as_rfc_5922_7_reads_it(
    tmp_path: Path, names: list[str], good: bool
) -> None:
    authority = Authority(tmp_path)
    ours = TlsIdentity(*authority.issue(LOOPBACK, "ours"), authority.file)
    shown = TlsIdentity(*authority.issue("itsp.test", "shown", names))
    peer = SipTransport(SystemClock(), tls=(LOOPBACK, 0), server_tls=shown.server)
    async with listening(peer) as heard, dns_server({("itsp.test", "A"): [LOOPBACK]}) as server:
        transport, flow = sending(server, identity=ours), named("tls", peer.local["tls"][1])
        async with listening(transport) as listener:
            transport.send(MESSAGE, flow)
            await eventually_async(lambda: heard.heard or flow in listener.failed)
            assert bool(heard.heard) is good


async def test_a_connection_that_was_verified_for_one_name_is_not_used_for_another_at_the_same_address(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    ours = TlsIdentity(*authority.issue(LOOPBACK, "ours"), authority.file)
    shown = TlsIdentity(*authority.issue("itsp.test", "shown"))
    peer = SipTransport(SystemClock(), tls=(LOOPBACK, 0), server_tls=shown.server)
    zone = {("itsp.test", "A"): [LOOPBACK], ("bank.test", "A"): [LOOPBACK]}
    async with listening(peer) as heard, dns_server(zone) as server:
        transport, port = sending(server, identity=ours), peer.local["tls"][1]
        async with listening(transport) as listener:
            transport.send(MESSAGE, named("tls", port))
            await eventually_async(lambda: len(heard.heard) == 1)
            other = Flow("tls", "bank.test", port, TO_A_NAME)
            transport.send(MESSAGE, other)
            await eventually_async(lambda: other in listener.failed)
            # The peer's bare address, as it stands in the Contact of a dialog with it, is reached while it stands.
            transport.send(MESSAGE, Flow("tls", LOOPBACK, port))
            transport.send(MESSAGE, named("tls", port))
            await eventually_async(lambda: len(heard.heard) == 3)
            assert len({flow for _, flow in heard.heard}) == 1
            transport.streams.open_streams[0].close()
            await eventually_async(lambda: not transport.streams.open_streams)
            # A new connection there needs a certificate for the address.
            transport.send(MESSAGE, Flow("tls", LOOPBACK, port))
            await eventually_async(lambda: Flow("tls", LOOPBACK, port) in listener.failed[2:])


async def test_a_transaction_is_told_the_hops_by_the_transport_that_naptr_prefers_and_keeps_to_what_answered() -> None:
    zone = {
        ("itsp.test", "NAPTR"): [
            '10 10 "s" "SIP+D2T" "" _sip._tcp.itsp.test.',
            '20 10 "s" "SIP+D2U" "" _sip._udp.itsp.test.',
        ],
        ("_sip._tcp.itsp.test", "SRV"): ["1 0 5070 a.itsp.test.", "2 0 5071 a.itsp.test."],
        ("_sip._udp.itsp.test", "SRV"): ["1 0 5072 a.itsp.test."],
        ("a.itsp.test", "A"): [LOOPBACK],
    }
    name = Flow("udp", "itsp.test", 0, TO_A_NAME_ANYHOW)
    told: list[tuple[Flow, ...]] = []
    async with dns_server(zone) as server:
        transport = sending(server)
        async with listening(transport):
            transport.find(name, lambda hops, _: told.append(hops), 0.0)
            await eventually_async(lambda: len(told) == 1)
            tcp, other, udp = told[0]
            assert [(hop.transport, hop.port) for hop in told[0]] == [("tcp", 5070), ("tcp", 5071), ("udp", 5072)]
            # What is known is told at once.
            transport.failed(name, tcp, 0.0)
            transport.find(name, lambda hops, _: told.append(hops), 0.0)
            assert told[1] == (other, udp, tcp)
            transport.answered(name, udp)
            transport.find(name, lambda hops, _: told.append(hops), 0.0)
            assert told[2] == (udp, other, tcp)


async def test_look_ups_that_never_end_are_given_up_and_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.sip.transport.named.LOOK_UP_SECONDS", 0.1)
    monkeypatch.setattr("edge_agent.sip.transport.named.WAITING", 2)
    told: list[tuple[Flow, ...]] = []
    async with dns_server({}) as server:
        server.mute = True
        transport = sending(server)
        async with listening(transport) as listener:
            for _ in range(3):
                transport.find(named("udp"), lambda hops, _: told.append(hops), 0.0)
            assert told == []
            await eventually_async(lambda: told == [(), (), ()])
            assert listener.drops[DropReason.UNREACHABLE] == 2
            assert not listener.failed
