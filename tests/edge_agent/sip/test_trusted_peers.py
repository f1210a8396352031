"""Peers that prove themselves by a certificate (RFC 3325 §5, RFC 5922 §7), over real TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from contract.snapshot import TrustedPeer
from edge_agent.clock import SystemClock
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.transport import SipTransport, TlsIdentity
from edge_agent.tokens import SystemTokens
from tests.support.certificates import Authority
from tests.support.sip_site import DOMAIN, KEY, MemoryStore, SiteLog, sip_config

LOOPBACK = "127.0.0.1"
MESSAGE = (
    f"MESSAGE sip:201@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS peer.test;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    f"From: <sip:200@{DOMAIN}>;tag=1\r\nTo: <sip:201@{DOMAIN}>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n\r\n"
).encode()
LET_IN, CHALLENGED = b"480", b"407"
"""201 has no phone: who is let in hears of that, who is not is asked who he is."""


@asynccontextmanager
async def edge(folder: Path, ours: Authority) -> AsyncIterator[tuple[str, int]]:
    """An edge of a site that trusts edge-2.site.test by a certificate of `ours`; the address that it listens at."""
    identity = TlsIdentity(*Authority(folder, "another").issue(LOOPBACK, "edge"), ours.file)
    transport = SipTransport(SystemClock(), tls=(LOOPBACK, 0), server_tls=identity.server)
    await transport.open()
    log, other = SiteLog(), TrustedPeer(name="Other edge", certificate_names=("edge-2.site.test",))
    endpoint = Endpoint(
        replace(sip_config(), peers=(other,)),
        clock=SystemClock(),
        tokens=SystemTokens(),
        reporter=log,
        journal=log,
        store=MemoryStore(),
        transport=transport,
        key=KEY,
    )
    endpoint.start()
    try:
        yield transport.local["tls"]
    finally:
        endpoint.stop()
        await transport.close()


async def status(address: tuple[str, int], certificate: tuple[Path, Path] | None) -> bytes:
    """What a peer that shows this certificate is answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(*certificate)
    reader, writer = await asyncio.open_connection(*address, ssl=context)
    writer.write(MESSAGE)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    return answer.split(b" ")[1]


@pytest.mark.parametrize(
    ("host", "names", "found"),
    [
        ("edge-2.site.test", None, LET_IN),
        ("some.test", ["other.test", "EDGE-2.site.test"], LET_IN),
        ("edge-2.site.test", ["other.test"], CHALLENGED),
        ("edge-2.site.test", [LOOPBACK], CHALLENGED),
        ("some.test", ["*.site.test"], CHALLENGED),
    ],
)
async def test_a_certificate_of_ours_lets_in_by_its_dns_names_only(
    tmp_path: Path, host: str, names: Sequence[str] | None, found: bytes
) -> None:
    """The common name, an address and a wildcard prove nothing (RFC 5922 §7.1, §7.2)."""
    ours = Authority(tmp_path, "ours")
    async with edge(tmp_path, ours) as address:
        assert await status(address, ours.issue(host, "peer", names)) == found


async def test_who_shows_no_certificate_is_challenged_and_one_of_another_authority_is_not_even_heard(
    tmp_path: Path,
) -> None:
    async with edge(tmp_path, Authority(tmp_path, "ours")) as address:
        assert await status(address, None) == CHALLENGED
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await status(address, Authority(tmp_path, "others").issue("edge-2.site.test"))
