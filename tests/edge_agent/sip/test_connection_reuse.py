"""Connection reuse with trunks (RFC 5923): `alias` in Via counts for peers that proved the name that they give."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.message import Flow
from edge_agent.sip.transport import SipTransport, TlsIdentity
from edge_agent.tokens import SystemTokens
from tests.support.certificates import Authority
from tests.support.sip_site import DOMAIN, KEY, MemoryStore, SiteLog, sip_config
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


class Trunk:
    """A peer's own connection to the edge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def ask(self, sent_by: str) -> None:
        """OPTIONS with this Via."""
        self.writer.write(
            f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS {sent_by};branch=z9hG4bK1;alias\r\nMax-Forwards: 70\r\n"
            f"From: <sip:a@{DOMAIN}>;tag=1\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n".encode()
        )
        assert (await self.receive()).startswith(b"SIP/2.0 200 ")

    async def receive(self) -> bytes:
        """The next message."""
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 10)


@asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[tuple[SipTransport, Trunk, Endpoint]]:
    """An edge, and a trunk on it that shows a certificate for trunk.test."""
    authority, trunks = Authority(folder), Authority(folder, "trunks")
    identity = TlsIdentity(*authority.issue(LOOPBACK, "edge"), trunks.file)
    transport = SipTransport(SystemClock(), tls=(LOOPBACK, 0), server_tls=identity.server)
    await transport.open()
    log = SiteLog()
    endpoint = Endpoint(
        sip_config(),
        clock=SystemClock(),
        tokens=SystemTokens(),
        reporter=log,
        journal=log,
        store=MemoryStore(),
        transport=transport,
        key=KEY,
    )
    endpoint.start()
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(*trunks.issue("trunk.test", "trunk"))
    trunk = Trunk(*await asyncio.open_connection(*transport.local["tls"], ssl=context))
    try:
        yield transport, trunk, endpoint
    finally:
        trunk.writer.close()
        endpoint.stop()
        await transport.close()


async def test_a_peer_is_reached_by_its_own_connection_under_the_name_that_it_proved(tmp_path: Path) -> None:
    async with connected(tmp_path) as (transport, trunk, _):
        await trunk.ask("trunk.test:5071")
        await trunk.ask("trunk.test")
        for port in (5071, 5061):
            transport.send(b"MESSAGE sip:%d SIP/2.0\r\n\r\n" % port, Flow("tls", LOOPBACK, port))
            assert (await trunk.receive()).startswith(b"MESSAGE sip:%d " % port)
        trunk.writer.close()
        await eventually_async(lambda: not transport.streams.open_streams)
        assert not transport.streams.send(b"x", Flow("tls", LOOPBACK, 5071))


async def test_a_name_that_was_not_proved_draws_nothing_to_the_connection(tmp_path: Path) -> None:
    async with connected(tmp_path) as (transport, trunk, _):
        await trunk.ask("other.test:5071")
        assert not transport.streams.send(b"x", Flow("tls", LOOPBACK, 5071))


async def test_one_connection_stands_for_four_ports_at_most(tmp_path: Path) -> None:
    async with connected(tmp_path) as (transport, trunk, _):
        for port in range(5071, 5077):
            await trunk.ask(f"trunk.test:{port}")
        reached = [transport.streams.send(b"\r\n", Flow("tls", LOOPBACK, port)) for port in range(5071, 5077)]
        assert reached == [True] * 4 + [False] * 2
