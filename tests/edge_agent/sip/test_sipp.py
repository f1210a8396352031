"""A real peer: sipp registers with digest and calls through the endpoint, over UDP and TCP on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.location import Binding
from edge_agent.sip.message import DropReason, Flow
from edge_agent.sip.registrar import SqliteBindingStore
from edge_agent.sip.transport import SipTransport
from edge_agent.tokens import SystemTokens
from tests.support.sip_site import KEY, SiteLog, password_of, sip_config
from tests.support.sipp import Sipp, SippAccount
from tests.support.waiting import eventually_async

CALLS = 40


@asynccontextmanager
async def running(folder: Path, log: SiteLog) -> AsyncIterator[tuple[Endpoint, SipTransport]]:
    """An endpoint on real sockets, as the composition builds it."""
    clock = SystemClock()
    transport = SipTransport(clock, udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0))
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
        yield endpoint, transport
    finally:
        endpoint.stop()
        await transport.close()
        store.close()


def account(username: str) -> SippAccount:
    """A user of the test site."""
    return SippAccount(username, f"auth{username}", password_of(username))


def listening(port: int) -> Binding:
    """A phone that waits for streams on a port."""
    return Binding(
        user_id="user-201",
        line_id="line-201",
        device_id=None,
        contact=f"sip:201@127.0.0.1:{port};transport=tcp".encode(),
        flow=Flow("tcp", "127.0.0.1", port),
        source="",
        expires=SystemClock().monotonic() + 600,
        q=1000,
        call_id=b"x",
        cseq=1,
    )


async def finished(sipp: Sipp) -> None:
    """Wait for sipp while the endpoint works."""
    await eventually_async(lambda: sipp.status is not None, within=60, what="sipp ends")
    sipp.finish(1)


@pytest.mark.peer("sipp")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_sipp_registers_and_calls_through_the_endpoint(tmp_path: Path, transport: str) -> None:
    log = SiteLog()
    mode = "u1" if transport == "udp" else "t1"
    async with running(tmp_path, log) as (endpoint, sockets):
        host, port = sockets.local[transport]
        target = f"{host}:{port}"
        with Sipp(tmp_path, "answer", calls=CALLS, transport=mode) as callee:
            if transport == "udp":
                with Sipp(tmp_path, "register", target, (account("201").row(str(callee.port)),)) as registering:
                    await finished(registering)
                assert [one.state for one in log.registrations] == ["registered"]
            else:
                # sipp's registering process takes its stream, and with it the binding, away; calls find the listener.
                endpoint.location.put(listening(callee.port))
            assert len(endpoint.location) == 1
            with Sipp(
                tmp_path, "call", target, (account("200").row("201"),), calls=CALLS, rate=40, talk_ms=50, transport=mode
            ) as caller:
                await finished(caller)
            await finished(callee)
        assert endpoint.drops[DropReason.INTERNAL_ERROR] == 0
    assert [record.disposition for record in log.records] == ["answered"] * CALLS
    assert log.open_calls == {}


@pytest.mark.peer("sipp")
async def test_a_binding_made_by_sipp_over_tcp_ends_with_its_connection(tmp_path: Path) -> None:
    log = SiteLog()
    async with running(tmp_path, log) as (endpoint, sockets):
        target = "{}:{}".format(*sockets.local["tcp"])
        with Sipp(tmp_path, "register", target, (account("201").row("5070"),), transport="t1") as registering:
            await finished(registering)
        await eventually_async(lambda: not len(endpoint.location), what="the binding is gone")
    assert [(one.state, one.transport) for one in log.registrations] == [("registered", "tcp"), ("removed", "tcp")]
