"""The client, against what speaks the protocol as rtpengine does and against rtpengine itself: the same tests twice."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.media.rtpengine.control import ControlSocket, RtpengineAway, RtpengineError, open_control
from edge_agent.media.rtpengine.requests import (
    Party,
    call_ids_of,
    deleted,
    described,
    interface_name,
    listed,
    opened,
    parties_of,
    ping,
    queried,
)
from edge_agent.tokens import SystemTokens
from tests.edge_agent.media.relay.test_forwarding import rtcp, rtp
from tests.support.rtpengines import fake_rtpengine, free_port, real_rtpengine
from tests.support.waiting import eventually_async

HOSTS = ("127.0.0.1", "198.51.100.1")


def free_ports() -> int:
    """The first of two hundred ports that are free at both addresses, as far as a look at some of them says."""
    for first in range(42_000, 60_000, 200):
        with ExitStack() as stack:
            try:
                for port in range(first, first + 200, 20):
                    for host in ("127.0.0.1", "127.0.0.2"):
                        stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind((host, port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.peer("rtpengine"))])
async def control(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ControlSocket]:
    async with AsyncExitStack() as stack:
        if request.param == "fake":
            yield (await fake_rtpengine(stack))[1]
        else:
            yield await real_rtpengine(stack, tmp_path / "log", free_ports())


async def open_stream(control: ControlSocket, call_id: str = "one") -> tuple[tuple[str, int], tuple[str, int]]:
    """Where its parties send to."""
    for request in opened(call_id, HOSTS):
        await control.ask(request)
    first, second = parties_of(await control.ask(queried(call_id)))
    return (first.address, first.port), (second.address, second.port)


async def test_a_stream_has_a_port_at_the_address_of_each_host_and_keeps_it_when_parties_are_described(
    control: ControlSocket,
) -> None:
    before = await open_stream(control)
    assert [host for host, _ in before] == ["127.0.0.1", "127.0.0.2"]
    places: tuple[tuple[Party, int], ...] = (("a", 4000), ("b", 5000), ("a", 4002))
    for party, port in places:
        await control.ask(described("one", HOSTS, party, ("127.0.0.1", port), ("127.0.0.1", port + 1)))
    await control.ask(described("one", HOSTS, "b", None, None))
    first, second = parties_of(await control.ask(queried("one")))
    assert ((first.address, first.port), (second.address, second.port)) == before
    assert (first.packets, second.packets) == (0, 0)


async def test_streams_are_listed_until_they_are_deleted(control: ControlSocket) -> None:
    await open_stream(control, "one")
    await open_stream(control, "two")
    assert call_ids_of(await control.ask(listed())) == {"one", "two"}
    await control.ask(deleted("one"))
    assert call_ids_of(await control.ask(listed())) == {"two"}
    with pytest.raises(RtpengineError, match="it refuses: Unknown call-id"):
        await control.ask(queried("one"))
    await control.ask(deleted("one"))  # nothing to be sorry about


async def test_what_it_does_not_know_is_refused_with_its_reason(control: ControlSocket) -> None:
    with pytest.raises(RtpengineError, match="it refuses: Unrecognized command"):
        await control.ask({"command": "dance"})


async def test_many_requests_at_once_are_all_answered(control: ControlSocket) -> None:
    answers = await asyncio.gather(*(control.ask(ping()) for _ in range(200)))
    assert {bytes(str(one[b"result"]), "ascii") for one in answers} == {b"b'pong'"}


async def test_who_is_not_there_is_seen_at_once() -> None:
    control = await open_control(("127.0.0.1", free_port()), SystemClock(), SystemTokens())
    try:
        with pytest.raises(RtpengineAway, match="does not answer"):
            await control.ask(ping())
    finally:
        await control.close()
    with pytest.raises(RtpengineAway, match="closed"):
        await control.ask(ping())


async def test_a_request_that_is_lost_is_made_again_and_one_that_nobody_answers_is_given_up() -> None:
    async with AsyncExitStack() as stack:
        fake, control = await fake_rtpengine(stack)
        fake.silent = True
        asking = asyncio.create_task(control.ask(ping()))
        await eventually_async(lambda: fake.asked["ping"] == 1)
        fake.silent = False
        assert await asking == {b"result": b"pong"}
        assert fake.asked["ping"] == 2
        fake.silent = True
        with pytest.raises(RtpengineAway, match="it does not answer"):
            await control.ask(ping())
        assert fake.asked["ping"] == 5


async def test_who_waits_when_the_socket_closes_waits_no_longer() -> None:
    async with AsyncExitStack() as stack:
        fake, control = await fake_rtpengine(stack)
        fake.silent = True
        asking = asyncio.create_task(control.ask(ping()))
        await eventually_async(lambda: fake.asked["ping"])
        await control.close()
        with pytest.raises(RtpengineAway, match="closed"):
            await asking


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {b"tags": []},
        {b"tags": {b"a": {b"medias": []}}},
        {
            b"tags": {
                b"a": {b"medias": [{b"streams": [{b"local port": 0, b"local address": b"127.0.0.1", b"stats": {}}]}]}
            }
        },
        {b"tags": {b"a": {b"medias": [{b"streams": [{b"local port": 9, b"local address": b"::1", b"stats": {}}]}]}}},
    ],
)
def test_an_answer_that_says_nothing_of_ports_is_refused(answer: dict[bytes, object]) -> None:
    with pytest.raises(RtpengineError, match=r"^its? "):
        parties_of(answer)  # type: ignore[arg-type]


def test_names_of_interfaces_have_no_colons_and_differ() -> None:
    assert interface_name("2001:db8::1") == "at-2001-db8--1"
    assert interface_name("10.0.0.1") == "at-10-0-0-1"


@pytest.mark.peer("rtpengine")
async def test_the_real_one_passes_on_rtp_rtcp_and_what_begins_a_secure_session_and_no_stranger(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        control = await real_rtpengine(stack, tmp_path / "log", free_ports())
        (at_one, at_other) = await open_stream(control)
        one, other, stranger = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(3))
        for opened_socket, host in ((one, "127.0.0.1"), (other, "127.0.0.3"), (stranger, "127.0.0.4")):
            opened_socket.bind((host, 0))
            opened_socket.setblocking(False)
        await control.ask(described("one", HOSTS, "a", one.getsockname(), None))
        # The other is behind a NAT: what it says of its port is not where it sends from.
        await control.ask(described("one", HOSTS, "b", ("127.0.0.3", 1025), None))
        other.sendto(rtp(1), at_other)
        assert await received(one) == rtp(1)
        dtls = b"\x16\xfe\xfd" + bytes(60)
        for data in (rtp(7), rtcp(), dtls):
            one.sendto(data, at_one)
            assert await received(other) == data

        async with asyncio.timeout(20):  # strangers are heard while sources are learned, some seconds
            while not parties_of(await control.ask(queried("one")))[0].refused:
                stranger.sendto(rtp(9), at_one)
                one.sendto(rtp(8), at_one)
                while (heard := await received(other)) != rtp(8):
                    assert heard == rtp(9)
        one.sendto(rtp(10), at_one)
        while (heard := await received(other)) != rtp(10):
            assert heard == rtp(9)
        stranger.sendto(rtp(9), at_one)
        one.sendto(rtp(11), at_one)
        assert await received(other) == rtp(11)


async def received(who: socket.socket) -> bytes:
    """What came."""
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(who, 2048), 5)
