"""Calls of the user agent over TCP and TLS on loopback: one connection for a dialog (RFC 3261 §18, RFC 5923)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from edge_agent.clock import SystemClock
from edge_agent.ports import CallRefused
from edge_agent.sip.message import Uri, parse, response_bytes
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.resolver import Resolver
from edge_agent.sip.resolver.dns_lookup import DnsLookup
from edge_agent.sip.transport import SipTransport, TlsIdentity
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from edge_agent.sip.user_agent.leg import PlacedLeg
from edge_agent.tokens import SystemTokens
from tests.support.call_partner import ANSWER, OFFER, RecordingListener
from tests.support.certificates import Authority
from tests.support.dns_server import dns_server
from tests.support.media_plane import RecordingPlane
from tests.support.sipp import Sipp
from tests.support.waiting import eventually_async

LOCAL = Uri.parse(b"sip:900@demo.tandem.test")


@dataclass
class Party:
    """A user agent on sockets of its own."""

    agent: UserAgent
    transport: SipTransport
    plane: RecordingPlane

    def uri(self, kind: Transport, host: str = "") -> Uri:
        """Where it is called."""
        own, port = self.transport.local[kind]
        own = f"[{own}]" if ":" in own else own
        return Uri.parse(f"sip:echo@{host or own}:{port};transport={kind}".encode())

    def call(self, to: Uri, listener: RecordingListener) -> PlacedLeg:
        """Call somebody."""
        return self.agent.place(to, LOCAL, listener, OFFER)


@asynccontextmanager
async def party(
    identity: TlsIdentity | None = None, dns_port: int = 0, host: str = "127.0.0.1", *, listens: bool = True
) -> AsyncIterator[Party]:
    clock, tokens = SystemClock(), SystemTokens()
    transport = SipTransport(
        clock,
        udp=(host, 0),
        tcp=(host, 0) if listens else None,
        tls=(host, 0) if identity is not None and listens else None,
        server_tls=identity.server if identity is not None else None,
        client_tls=identity.client if identity is not None else None,
        resolver=Resolver(DnsLookup(["127.0.0.1"], dns_port), clock, tokens) if dns_port else None,
    )
    await transport.open()
    plane = RecordingPlane()
    ports: dict[Transport, int] = {"tcp": transport.local["udp"][1], "tls": transport.local["udp"][1]}
    ports |= {kind: transport.local[kind][1] for kind in ("tcp", "tls") if kind in transport.local}
    settings = UserAgentSettings(host, transport.local["udp"][1], stream_ports=ports)
    finder = transport if dns_port else None
    agent = UserAgent(settings, transport.send, plane, clock, tokens, finder)
    transport.attach(agent)
    try:
        yield Party(agent, transport, plane)
    finally:
        await transport.close()


async def talk(caller: Party, callee: Party, to: Uri) -> tuple[RecordingListener, PlacedLeg]:
    """A call that is answered."""
    listener = RecordingListener()
    leg = caller.call(to, listener)
    await eventually_async(lambda: len(callee.plane.legs) == 1)
    callee.plane.legs[0].answer(ANSWER)
    await eventually_async(lambda: ("answered", ANSWER) in listener.heard)
    await eventually_async(lambda: len(callee.plane.confirmed_with) == 1)
    return listener, leg


def identity(folder: Path, name: str, host: str = "127.0.0.1") -> TlsIdentity:
    folder.joinpath(name).mkdir()
    authority = Authority(folder / name)
    return TlsIdentity(*authority.issue(host), authority.file)


@pytest.mark.parametrize("kind", ["tcp", "tls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_call_is_placed_answered_and_hung_up_by_the_callee_on_one_connection(
    tmp_path: Path, kind: Transport, host: str
) -> None:
    own = identity(tmp_path, "both", host)
    async with party(own, host=host) as caller, party(own, host=host) as callee:
        listener, _ = await talk(caller, callee, callee.uri(kind))
        leg = callee.plane.legs[0]
        leg.hang_up()
        await eventually_async(lambda: ("ended", "peer", 0) in listener.heard)
        await eventually_async(lambda: callee.agent.calls == caller.agent.calls == 0)
        # The callee's BYE came back by the connection that it was called on.
        assert len(caller.transport.streams.open_streams) == len(callee.transport.streams.open_streams) == 1


async def test_a_caller_that_cannot_be_connected_to_is_hung_up_on_by_the_connection_that_it_opened() -> None:
    async with party(listens=False) as caller, party() as callee:
        listener, _ = await talk(caller, callee, callee.uri("tcp"))
        callee.plane.legs[0].hang_up()
        await eventually_async(lambda: ("ended", "peer", 0) in listener.heard)


async def test_when_the_connection_of_a_call_breaks_the_next_request_opens_another() -> None:
    async with party() as caller, party() as callee:
        listener, _ = await talk(caller, callee, callee.uri("tcp"))
        for stream in caller.transport.streams.open_streams:
            stream.close()
        await eventually_async(lambda: not callee.transport.streams.open_streams)
        callee.plane.legs[0].hang_up()
        await eventually_async(lambda: ("ended", "peer", 0) in listener.heard)


async def test_the_contact_names_the_transport_of_the_call() -> None:
    """RFC 3261 §8.1.1.8: in-dialog requests come by it."""
    async with party() as caller, party() as callee:
        _, leg = await talk(caller, callee, callee.uri("tcp"))
        leg.hang_up()
        await eventually_async(lambda: callee.plane.causes == ["caller"])
        assert caller.transport.local["tcp"][1] != caller.transport.local["udp"][1]


async def test_a_named_callee_is_looked_up_and_its_certificate_has_to_be_for_the_name(tmp_path: Path) -> None:
    """RFC 3263 §4, RFC 5922 §7."""
    authority = Authority(tmp_path)
    ours = TlsIdentity(*authority.issue("127.0.0.1", "ours"), authority.file)
    theirs = TlsIdentity(*authority.issue("callee.test", "theirs"), authority.file)
    zone = {("callee.test", "A"): ["127.0.0.1"], ("other.test", "A"): ["127.0.0.1"]}
    async with AsyncExitStack() as open_:
        server = await open_.enter_async_context(dns_server(zone))
        caller = await open_.enter_async_context(party(ours, server.port))
        callee = await open_.enter_async_context(party(theirs))
        listener, leg = await talk(caller, callee, callee.uri("tls", "callee.test"))
        leg.hang_up()
        await eventually_async(lambda: callee.plane.causes == ["caller"])
        refused = RecordingListener()
        caller.call(callee.uri("tls", "other.test"), refused)
        await eventually_async(lambda: refused.heard == [("ended", "unreachable", 503)])
        assert listener.heard[-1] == ("ended", "local", 0)


async def test_a_name_that_nobody_looks_up_and_a_transport_that_is_not_spoken_are_no_way() -> None:
    async with party() as caller:
        for to in (b"sip:a@callee.test", b"sip:a@127.0.0.1;transport=ws", b"sip:a@127.0.0.1;transport=sctp"):
            with pytest.raises(CallRefused):
                caller.call(Uri.parse(to), RecordingListener())


@pytest.mark.peer("sipp")
async def test_sipp_is_called_by_tcp_answers_and_is_hung_up_on(tmp_path: Path) -> None:
    listener = RecordingListener()
    async with party() as caller:
        with Sipp(tmp_path, "answer", transport="t1") as sipp:
            await eventually_async(lambda: listens(sipp.port), 10)
            leg = caller.call(Uri.parse(f"sip:201@127.0.0.1:{sipp.port};transport=tcp".encode()), listener)
            await eventually_async(lambda: any(one[0] == "answered" for one in listener.heard), 10)
            leg.hang_up()
            await eventually_async(lambda: sipp.status is not None, 20)
            sipp.finish(1)
        assert caller.agent.calls == 0
        assert not caller.agent.drops


def listens(port: int) -> bool:
    """Whether somebody listens by TCP at this port of loopback, as the kernel tells (proc(5))."""
    table = Path("/proc/net/tcp").read_text(encoding="ascii")
    return f":{port:04X} 00000000:0000 0A" in table


class Full(asyncio.DatagramProtocol):
    """A server that takes nothing more."""

    def __init__(self) -> None:
        self.methods: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = parse(data)
        self.methods.append(request.method)
        if request.method != b"ACK" and self._transport is not None:
            self._transport.sendto(response_bytes(request, 503, to_tag=b"full"), addr)


@pytest.mark.peer("sipp")
async def test_sipp_answers_what_the_first_server_of_its_name_refused_with_503(tmp_path: Path) -> None:
    """RFC 3263 §4.3, with DNS and both servers on loopback."""
    listener, loop = RecordingListener(), asyncio.get_running_loop()
    full, server = await loop.create_datagram_endpoint(Full, local_addr=("127.0.0.1", 0))
    with Sipp(tmp_path, "answer") as sipp:
        ports = full.get_extra_info("sockname")[1], sipp.port
        zone = {
            ("_sip._udp.itsp.test", "SRV"): [f"{number} 0 {port} a.itsp.test." for number, port in enumerate(ports)],
            ("a.itsp.test", "A"): ["127.0.0.1"],
        }
        async with dns_server(zone) as dns, party(dns_port=dns.port) as caller:
            leg = caller.call(Uri.parse(b"sip:201@itsp.test"), listener)
            await eventually_async(lambda: any(one[0] == "answered" for one in listener.heard), 20)
            leg.hang_up()
            await eventually_async(lambda: sipp.status is not None, 20)
            sipp.finish(1)
            assert not caller.agent.drops
    full.close()
    assert server.methods == [b"INVITE", b"ACK"]
    assert [one[0] for one in listener.heard if one[0] != "progressed"] == ["answered", "ended"]
