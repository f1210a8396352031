"""Real peers over TLS: openssl's client, and baresip registering and calling through the endpoint."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cloud.local.baresip import Baresip, PhoneAccount
from edge_agent.clock import SystemClock
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.message import DropReason
from edge_agent.sip.registrar import SqliteBindingStore
from edge_agent.sip.transport import SipTransport, TlsIdentity
from edge_agent.tokens import SystemTokens
from tests.support.certificates import Authority
from tests.support.sip_site import DOMAIN, KEY, SiteLog, password_of, sip_config
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def running(folder: Path, log: SiteLog) -> AsyncIterator[tuple[Endpoint, SipTransport, Authority]]:
    """An endpoint that is reached by TLS only."""
    clock, authority = SystemClock(), Authority(folder)
    identity = TlsIdentity(*authority.issue(LOOPBACK, "edge"))
    transport = SipTransport(clock, tls=(LOOPBACK, 0), server_tls=identity.server, client_tls=identity.client)
    await transport.open()
    store = SqliteBindingStore(folder / "sip.db")
    endpoint = Endpoint(
        sip_config(),
        clock=clock,
        tokens=SystemTokens(),
        reporter=log,
        journal=log,
        store=store,
        transport=transport,
        key=KEY,
    )
    endpoint.start()
    try:
        yield endpoint, transport, authority
    finally:
        endpoint.stop()
        await transport.close()
        store.close()


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_openssl_verifies_the_certificate_and_is_answered(tmp_path: Path, version: str) -> None:
    async with running(tmp_path, SiteLog()) as (_, transport, authority):
        host, port = transport.local["tls"]
        arguments = [version, "-quiet", "-noservername", "-verify_return_error", "-CAfile", str(authority.file)]
        process = await asyncio.create_subprocess_exec(
            shutil.which("openssl") or "openssl",
            *("s_client", "-connect", f"{host}:{port}", "-verify_ip", host, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(
            f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS client.invalid;branch=z9hG4bK1;rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:a@{DOMAIN}>;tag=1\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: 1\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode()
        )
        answer = await asyncio.wait_for(process.stdout.readuntil(b"\r\n\r\n"), 10)
        process.kill()
        await process.communicate()
    assert answer.startswith(b"SIP/2.0 200 ")
    assert b"received=127.0.0.1" in answer


@pytest.mark.peer("baresip")
async def test_baresip_registers_and_calls_over_tls_and_its_binding_ends_with_its_connection(tmp_path: Path) -> None:
    log = SiteLog()
    async with running(tmp_path, log) as (endpoint, transport, _):
        registrar = "{}:{}".format(*transport.local["tls"])

        def phone(username: str) -> Baresip:
            account = PhoneAccount(
                username, f"auth{username}", password_of(username), DOMAIN, registrar, transport="tls"
            )
            return Baresip(tmp_path / username, account)

        def talk() -> None:
            with phone("200") as caller, phone("201") as callee:
                for one in (caller, callee):
                    one.registered()
                caller.dial(f"sip:201@{DOMAIN}")
                callee.accept()
                caller.wait_for("CALL_ESTABLISHED")
                caller.hang_up()
                callee.wait_for("CALL_CLOSED")

        await asyncio.to_thread(talk)
        await eventually_async(lambda: not len(endpoint.location), what="no binding is left")
        assert endpoint.drops[DropReason.INTERNAL_ERROR] == 0
    assert {one.transport for one in log.registrations} == {"tls"}
    assert [record.disposition for record in log.records] == ["answered"]
