"""Paging groups: who is called, what is streamed, and when a page ends."""

import asyncio
from typing import Any

import pytest

from contract.snapshot import Multicast, Paging, User
from edge_agent.media.applications import paging
from edge_agent.media.applications.paging import PagingGroups, paging_config
from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.session import MulticastTo
from tests.support.counted_tokens import CountedTokens
from tests.support.meeting_call import NO_WAY, MeetingCall, Table
from tests.support.waiting import eventually_async

USERS = tuple(User(user_id=f"u{n}", username=str(n), display_name=f"Desk {n}") for n in (200, 201, 202, 203))
TO = Multicast(address="239.1.2.3", port=5000, codec="g722", hops=4)


class Office:
    """Everybody who is rung answers, but those who are `away`.

    Args:
        group: that is dialled.
        listening: users who have a phone that hears its stream.
        away: user names.
    """

    def __init__(self, group: Paging, listening: set[str], away: tuple[str, ...] = ()) -> None:
        self.tables: dict[str, Table] = {}
        self.rung: list[str] = []
        self.answered: list[MeetingCall] = []
        self._away = away
        config = paging_config((group,), USERS, {group.service_id: listening})
        self._groups = PagingGroups(lambda: config, self, CountedTokens())

    can_ring = True

    async def ring(self, wanted: Ringing) -> MeetingCall:
        self.rung.append(wanted.username)
        if wanted.username in self._away:
            raise NotReached(480)
        self.answered.append(MeetingCall(self.tables, wanted.username))
        return self.answered[-1]

    def pages(self) -> "tuple[MeetingCall, asyncio.Task[None]]":
        """Somebody at 200 dials the group."""
        call = MeetingCall(self.tables, "200", arguments={"service": "hall", "user": "u200"})

        async def served() -> None:
            await self._groups.run(call)
            await call.hang_up()

        return call, asyncio.create_task(served())

    @property
    def streams(self) -> list[MulticastTo]:
        return [stream for table in self.tables.values() for stream in table.streams]

    @property
    def tones(self) -> list[str]:
        return [tone for table in self.tables.values() for tone in table.heard]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "GATHER_SECONDS", 0.2)


def hall(**more: Any) -> Paging:
    members = ("u200", "u201", "u202", "u203")
    return Paging.model_validate(
        {"service_id": "hall", "name": "Hall", "extension": "750", "members": members, "multicast": TO} | more
    )


async def test_a_page_is_streamed_and_only_those_are_called_whose_phones_do_not_listen() -> None:
    office = Office(hall(), {"u201", "u203"})
    call, served = office.pages()
    await eventually_async(lambda: office.tones == ["beep"])
    assert office.rung == ["202"]
    assert office.streams == [MulticastTo("239.1.2.3", 5000, "g722", 4)]
    call.hangs_up()
    await served
    assert office.streams == []
    assert all(each.is_over for each in office.answered)


async def test_a_page_that_is_streamed_goes_on_while_nobody_answers_and_after_the_last_one_hung_up() -> None:
    office = Office(hall(), {"u201"}, away=("203",))
    call, served = office.pages()
    await eventually_async(lambda: office.tones == ["beep"])
    assert sorted(office.rung) == ["202", "203"]
    office.answered[0].hangs_up()
    await eventually_async(lambda: sum(len(table.seats) for table in office.tables.values()) == 1)
    assert (len(office.streams), served.done()) == (1, False)
    call.hangs_up()
    await served


async def test_without_a_tone_there_is_none() -> None:
    office = Office(hall(beep=False), {"u201", "u202", "u203"})
    call, served = office.pages()
    await eventually_async(lambda: office.streams)
    call.hangs_up()
    await served
    assert (office.tones, office.rung, call.said) == ([], [], [])


async def test_a_second_page_to_the_same_address_is_declined_and_the_first_goes_on() -> None:
    office = Office(hall(), {"u201", "u202", "u203"})
    first, served = office.pages()
    await eventually_async(lambda: office.tones == ["beep"])
    second, declined = office.pages()
    await declined
    assert second.said == ["declined"]
    assert (len(office.streams), served.done()) == (1, False)
    first.hangs_up()
    await served
    third, again = office.pages()
    await eventually_async(lambda: office.streams)
    third.hangs_up()
    await again
    assert third.said == []


async def test_where_nothing_can_be_sent_everybody_is_called(caplog: pytest.LogCaptureFixture) -> None:
    office = Office(hall(multicast=TO.model_copy(update={"address": NO_WAY})), {"u201"})
    call, served = office.pages()
    await eventually_async(lambda: office.tones == ["beep"])
    assert sorted(office.rung) == ["201", "202", "203"]
    assert "multicast_failed" in caplog.messages
    call.hangs_up()
    await served


async def test_a_streamed_page_ends_after_its_longest_time() -> None:
    group = hall().model_copy(update={"longest_seconds": 0.4})
    office = Office(group, {"u201", "u202", "u203"})
    _, served = office.pages()
    await asyncio.wait_for(served, 5)
    assert office.streams == []
