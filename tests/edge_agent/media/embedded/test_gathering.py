"""What came on many sockets is read once a tick, and is known to have come when it did."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from edge_agent.clock import SystemClock
from edge_agent.media.embedded.gathering import Gathering
from edge_agent.media.embedded.source import Address
from tests.support.waiting import eventually_async


class Taken:
    """What a socket's taker was given."""

    def __init__(self, gathering: Gathering, here: socket.socket) -> None:
        self.here, self.port = here, here.getsockname()[1]
        self.found: list[tuple[bytes, Address, float]] = []
        gathering.add(here, lambda *each: self.found.append(each))


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    with ExitStack() as held:
        made = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(3)]
        for each in made:
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        yield made


async def test_each_datagram_is_handed_over_once_with_its_sender_and_when_it_came(
    sockets: list[socket.socket],
) -> None:
    gathering, (phone, *here) = Gathering(SystemClock()), sockets
    first, second = (Taken(gathering, each) for each in here)
    before = time.monotonic()
    for data, to in ((b"1", first), (b"2", first), (b"3", second)):
        phone.sendto(data, ("127.0.0.1", to.port))
    after = time.monotonic()
    later = after + 0.3
    while time.monotonic() < later:
        pass
    gathering.gather(time.monotonic())
    gathering.gather(time.monotonic())
    assert [data for data, _, _ in first.found] == [b"1", b"2"]
    assert [data for data, _, _ in second.found] == [b"3"]
    for _, source, came in first.found + second.found:
        assert source == phone.getsockname()
        assert before - 0.05 <= came <= after + 0.2, "not when it was read"


async def test_a_socket_that_a_datagram_of_another_ended_is_read_no_more(sockets: list[socket.socket]) -> None:
    gathering, (phone, *here) = Gathering(SystemClock()), sockets
    found: list[bytes] = []

    def end_both(data: bytes, source: Address, now: float) -> None:
        del source, now
        found.append(data)
        for each in here:
            gathering.remove(each)

    for each in here:
        gathering.add(each, end_both)
        phone.sendto(b"end", each.getsockname())
    gathering.gather(time.monotonic())
    gathering.remove(here[0])
    assert found == [b"end"]


async def test_what_a_flood_brings_is_read_on_without_waiting_for_the_next_tick(sockets: list[socket.socket]) -> None:
    gathering, (phone, here, _) = Gathering(SystemClock()), sockets
    taken = Taken(gathering, here)
    for _ in range(20):
        phone.sendto(b"much", here.getsockname())
    gathering.gather(time.monotonic())
    assert len(taken.found) == 20
    phone.sendto(b"more", here.getsockname())
    await eventually_async(lambda: len(taken.found) == 21)
    gathering.remove(here)


async def test_a_clock_that_was_set_meanwhile_moves_no_datagram_beyond_this_moment_or_a_second_back(
    sockets: list[socket.socket],
) -> None:
    class SetClock(SystemClock):
        def __init__(self, offset: float) -> None:
            self._offset = offset

        def now(self) -> datetime:
            return super().now() + timedelta(seconds=self._offset)

    phone, *here = sockets
    for each, offset in zip(here, (-3600, 3600), strict=True):
        gathering = Gathering(SetClock(offset))
        taken = Taken(gathering, each)
        phone.sendto(b"x", each.getsockname())
        now = time.monotonic()
        gathering.gather(now)
        assert now - 1.0 <= taken.found[0][2] <= now
