"""Looking names up at a real name server of the test's own (RFC 3263 §4.1, §4.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge_agent.sip.message import Flow, Uri
from edge_agent.sip.message.flow import TO_A_NAME, TO_A_NAME_ANYHOW
from edge_agent.sip.resolver import LookupFailed, Resolver, Unresolvable, Wanted, flow_for
from edge_agent.sip.resolver import resolver as limits
from edge_agent.sip.resolver.dns_lookup import DnsLookup
from tests.support.counted_tokens import CountedTokens
from tests.support.dns_server import DnsServer, dns_server
from tests.support.hand_clock import HandClock

TABLE = {
    ("itsp.test", "NAPTR"): [
        '10 1 "s" "SIPS+D2T" "" _sips._tcp.itsp.test.',
        '20 1 "s" "SIP+D2U" "" _sip._udp.itsp.test.',
    ],
    ("_sips._tcp.itsp.test", "SRV"): ["1 0 5071 a.itsp.test."],
    ("_sip._udp.itsp.test", "SRV"): ["2 0 5070 b.itsp.test.", "1 0 5080 a.itsp.test."],
    ("a.itsp.test", "A"): ["192.0.2.1", "192.0.2.2"],
    ("b.itsp.test", "AAAA"): ["2001:db8::1"],
    ("plain.test", "A"): ["192.0.2.3"],
    ("only-tcp.test", "A"): ["192.0.2.9"],
    ("_sip._tcp.only-tcp.test", "SRV"): ["1 0 5090 plain.test."],
    ("alias.test", "A"): ["192.0.2.4"],
}


@asynccontextmanager
async def resolving(clock: HandClock | None = None) -> AsyncIterator[tuple[Resolver, DnsServer]]:
    async with dns_server(dict(TABLE)) as server:
        resolver = Resolver(DnsLookup(["127.0.0.1"], server.port), clock or HandClock(), CountedTokens())
        try:
            yield resolver, server
        finally:
            await resolver.close()


async def hops(wanted: Wanted) -> list[tuple[str, str, int]]:
    async with resolving() as (resolver, _):
        return [(one.transport, one.host, one.port) for one in await resolver.find(wanted)]


async def test_naptr_gives_the_transports_srv_the_servers_and_a_and_aaaa_their_addresses() -> None:
    found = await hops(Wanted("itsp.test"))
    # Name servers give the addresses of one name in turning order.
    assert sorted(found[:2]) == [("tls", "192.0.2.1", 5071), ("tls", "192.0.2.2", 5071)]
    assert sorted(found[2:4]) == [("udp", "192.0.2.1", 5080), ("udp", "192.0.2.2", 5080)]
    assert found[4:] == [("udp", "2001:db8::1", 5070)]


async def test_a_transport_in_the_uri_asks_for_its_servers_only() -> None:
    async with resolving() as (resolver, server):
        found = await resolver.find(Wanted("itsp.test", transport="udp"))
        ports = [(one.transport, one.port) for one in found]
        assert ports == [("udp", 5080), ("udp", 5080), ("udp", 5070)]
        assert ("itsp.test", "NAPTR") not in server.asked


async def test_without_naptr_the_srv_records_of_each_transport_are_tried() -> None:
    assert await hops(Wanted("only-tcp.test")) == [("tcp", "192.0.2.3", 5090)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted("plain.test"), ("udp", "192.0.2.3", 5060)),
        (Wanted("plain.test", transport="tls"), ("tls", "192.0.2.3", 5061)),
        (Wanted("plain.test", port=5099), ("udp", "192.0.2.3", 5099)),
        (Wanted("plain.test", secure=True), ("tls", "192.0.2.3", 5061)),
        (Wanted("plain.test", 5099, "tcp", secure=True), ("tls", "192.0.2.3", 5099)),
        (Wanted("192.0.2.5"), ("udp", "192.0.2.5", 5060)),
        (Wanted("2001:db8::5", transport="tcp"), ("tcp", "2001:db8::5", 5060)),
    ],
)
async def test_a_port_or_an_address_or_a_name_without_srv_needs_addresses_only(
    wanted: Wanted, found: tuple[str, str, int]
) -> None:
    assert await hops(wanted) == [found]


async def test_a_name_that_does_not_exist_leads_nowhere_and_sips_never_to_udp() -> None:
    assert await hops(Wanted("nobody.test")) == []
    assert await hops(Wanted("plain.test", transport="udp", secure=True)) == []


async def test_answers_are_remembered_as_long_as_they_are_valid_and_asked_for_once_by_many() -> None:
    clock = HandClock()
    async with resolving(clock) as (resolver, server):
        wanted = Wanted("plain.test", 5060)
        await asyncio.gather(*(resolver.find(wanted) for _ in range(20)))
        assert server.asked == [("plain.test", "A"), ("plain.test", "AAAA")]
        clock.advance(59)
        await resolver.find(wanted)
        assert len(server.asked) == 2
        clock.advance(2)
        await resolver.find(wanted)
        assert len(server.asked) == 4


async def test_that_there_is_nothing_is_remembered_for_a_short_time() -> None:
    clock = HandClock()
    async with resolving(clock) as (resolver, server):
        for seconds, asked in ((0, 2), (29, 2), (2, 4)):
            clock.advance(seconds)
            assert await resolver.find(Wanted("nobody.test", 5060)) == []
            assert len(server.asked) == asked


async def test_servers_that_fail_are_an_error_and_not_an_answer() -> None:
    async with resolving() as (resolver, server):
        server.failing = True
        with pytest.raises(LookupFailed):
            await resolver.find(Wanted("plain.test", 5060))
        server.failing = False
        assert await resolver.find(Wanted("plain.test", 5060))


async def test_a_hop_that_failed_lately_is_tried_last() -> None:
    async with resolving() as (resolver, _):
        wanted = Wanted("a.itsp.test", 5060)
        first, second = await resolver.find(wanted)
        resolver.dead.failed(first, 1000.0)
        assert await resolver.find(wanted) == [second, first]


async def test_lookups_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_LIMIT", 2)
    async with resolving() as (resolver, server):
        server.mute = True
        waiting = [asyncio.ensure_future(resolver.find(Wanted(f"{one}.test", 5060))) for one in "ab"]
        await asyncio.wait(waiting, timeout=0.05)
        with pytest.raises(LookupFailed, match="Too Many"):
            await resolver.find(Wanted("c.test", 5060))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def test_a_uri_with_a_name_gives_a_flow_to_the_name_and_one_with_an_address_a_flow_to_it() -> None:
    assert flow_for(Uri.parse(b"sip:a@ITSP.test;transport=tls")) == Flow("tls", "itsp.test", 0, TO_A_NAME)
    assert flow_for(Uri.parse(b"sip:a@itsp.test")) == Flow("udp", "itsp.test", 0, TO_A_NAME_ANYHOW)
    assert flow_for(Uri.parse(b"sip:a@itsp.test:5070")) == Flow("udp", "itsp.test", 5070, TO_A_NAME)
    assert flow_for(Uri.parse(b"sip:a@192.0.2.1;transport=tls")) == Flow("tls", "192.0.2.1", 5061)
    with pytest.raises(Unresolvable):
        flow_for(Uri.parse(b"sip:a@x.invalid;transport=ws"))
