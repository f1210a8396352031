"""Digest with a client that shares no code with us, over a real socket (RFC 7616, RFC 8760)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from edge_agent.clock import SystemClock
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.message import DropReason
from edge_agent.sip.transport import SipTransport
from edge_agent.tokens import SystemTokens
from tests.support.raw_sip import RawPhone
from tests.support.sip_site import KEY, MemoryStore, SiteLog, password_of, sip_config


@asynccontextmanager
async def running(*algorithms: str) -> AsyncIterator[tuple[Endpoint, int]]:
    """An endpoint on a real UDP socket, and its port."""
    clock = SystemClock()
    transport = SipTransport(clock, udp=("127.0.0.1", 0))
    await transport.open()
    log = SiteLog()
    endpoint = Endpoint(
        sip_config(algorithms=algorithms),
        clock=clock,
        tokens=SystemTokens(),
        reporter=log,
        journal=log,
        store=MemoryStore(),
        transport=transport,
        key=KEY,
    )
    endpoint.start()
    try:
        yield endpoint, transport.local["udp"][1]
    finally:
        endpoint.stop()
        await transport.close()


@contextmanager
def raw_phone(port: int, algorithm: str, password: str = "", reuse: bool = False) -> Iterator[RawPhone]:
    """The independent client as user 200."""
    account = ("200", "auth200", password or password_of("200"))
    with RawPhone(("127.0.0.1", port), *account, algorithm=algorithm, reuse=reuse) as phone:
        yield phone


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("offered", [("MD5", "SHA-256"), ("SHA-256", "MD5")])
async def test_a_peer_registers_and_calls_by_either_algorithm_whatever_the_order(
    offered: tuple[str, str], algorithm: str
) -> None:
    async with running(*offered) as (endpoint, port):
        with raw_phone(port, algorithm) as phone:
            assert (await asyncio.to_thread(phone.register)).status == 200
            assert (await asyncio.to_thread(phone.invite, "201")).status == 480
            assert phone.statuses == [401, 200, 407, 480]
        assert endpoint.drops[DropReason.WRONG_CREDENTIALS] == 0


async def test_a_peer_registers_where_sha_256_is_all_there_is() -> None:
    async with running("SHA-256") as (_, port):
        with raw_phone(port, "SHA-256") as phone:
            assert (await asyncio.to_thread(phone.register)).status == 200


async def test_a_wrong_password_is_refused_by_sha_256_too() -> None:
    async with running("SHA-256") as (endpoint, port):
        with raw_phone(port, "SHA-256", "wrong") as phone:
            assert (await asyncio.to_thread(phone.register)).status == 401
        assert endpoint.drops[DropReason.WRONG_CREDENTIALS] == 1


async def test_a_nonce_is_used_again_with_a_higher_count_without_another_challenge() -> None:
    async with running("SHA-256") as (_, port):
        with raw_phone(port, "SHA-256", reuse=True) as phone:
            for _ in range(3):
                assert (await asyncio.to_thread(phone.register)).status == 200
            assert phone.statuses == [401, 200, 200, 200]
