"""Call queues as callers and agents meet them: who is rung, who is sent on, who talks with whom."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from contract.queue_state import AgentPresence
from contract.snapshot import CallQueue, QueueAgent, User
from contract.sync.queue_events import QueueCallEnded
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.queue import CallQueues, QueueConfig
from edge_agent.media.applications.queue.agents import REST_SECONDS
from edge_agent.media.applications.queue.kept import CallerFolder
from edge_agent.media.applications.queue.waiting import Standing, announcement
from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import Seat
from edge_agent.media.speech import Languages
from edge_agent.ports import Transfer
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.meeting_call import MeetingCall, Table
from tests.support.waiting import eventually_async

LANGUAGES = Languages()
NAMES = ("200", "201", "202")
USERS = {f"u-{n}": User(user_id=f"u-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in NAMES}
QUEUE = CallQueue(
    service_id="q",
    name="Support",
    extension="600",
    agents=tuple(QueueAgent(user_id=one, skill=skill) for one, skill in zip(USERS, (3, 9, 9), strict=True)),
    supervisors=("u-202",),
    overflow_to="300",
    nobody_to="301",
    leave_key="0",
    wrap_up_seconds=30,
)


class Call(MeetingCall):
    transferred = ""
    transfer_status = 200
    may_go: asyncio.Event | None = None

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        self.transferred = to.target if isinstance(to, Transfer) else to
        if self.may_go is not None:
            await self.may_go.wait()
        if self.transfer_status < 300:
            self.hangs_up()
        return self.transfer_status


class Phones:
    """Agents' phones ring until the test lets one answer, or refuse."""

    can_ring = True

    def __init__(self, tables: dict[str, Table]) -> None:
        self._tables = tables
        self.rung: list[Ringing] = []
        self.ringing: dict[str, asyncio.Future[MeetingCall]] = {}

    async def ring(self, wanted: Ringing) -> MeetingCall:
        self.rung.append(wanted)
        waits: asyncio.Future[MeetingCall] = asyncio.get_running_loop().create_future()
        self.ringing[wanted.username] = waits
        try:
            return await waits
        finally:
            del self.ringing[wanted.username]

    async def answer(self, username: str) -> MeetingCall:
        await eventually_async(lambda: username in self.ringing)
        call = MeetingCall(self._tables, username)
        self.ringing[username].set_result(call)
        return call

    async def refuse(self, username: str) -> None:
        await eventually_async(lambda: username in self.ringing)
        self.ringing[username].set_exception(NotReached(486))


class CallCentre:
    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.phones, self.clock = Phones(self.tables), HandClock()
        self.tasks: list[asyncio.Task[None]] = []
        self.config = QueueConfig()
        self.told: list[QueueCallEnded] = []
        self.set()
        self.folder: CallerFolder | None = None
        self.callable = {"+4930123456": "0030123456"}
        self.queues = CallQueues(
            LANGUAGES,
            lambda: self.config,
            self.phones,
            self.clock,
            CountedTokens(),
            self.told.append,
            lambda: self.folder,
            lambda queue_id, number: self.callable.get(number),
            HoldMusic(),
        )

    def set(self, presences: Mapping[str, AgentPresence] | None = None, **changes: Any) -> None:
        queue = QUEUE.model_copy(update=changes)
        stands: Mapping[str, AgentPresence] = presences or dict.fromkeys(USERS, "in")
        self.config = QueueConfig({"q": queue}, USERS, {"q": stands})

    def set_another(self, **changes: Any) -> None:
        """A second queue, of the same agents."""
        other = QUEUE.model_copy(update={"service_id": "other", **changes})
        queues, presences = {**self.config.queues, "other": other}, {**self.config.presences, "other": {}}
        self.config = QueueConfig(queues, USERS, presences)

    def call(self, caller: str = "+4930123456", asserted: str = "", **told: str) -> Call:
        arguments = {"service": "q", **told}
        call = Call(self.tables, caller, arguments=arguments, asserted=asserted, caller_name="Ann")

        async def serve() -> None:
            try:
                await self.queues.run(call)
            except SessionEnded:
                return
            finally:
                await call.hang_up()

        self.tasks.append(asyncio.create_task(serve()))
        return call

    async def wait(self) -> Call:
        """One more caller who waits."""
        before = len(self.queues.waiting("q"))
        call = self.call()
        await eventually_async(lambda: len(self.queues.waiting("q")) > before)
        return call

    def doing(self, name: str) -> str:
        now = self.clock.monotonic()
        return self.queues.agents.of(f"u-{name}", now).doing(now)


@pytest.fixture
async def centre() -> AsyncIterator[CallCentre]:
    made = CallCentre()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    await made.queues.close()


async def test_a_caller_is_greeted_hears_music_and_talks_with_the_agent_who_answers(centre: CallCentre) -> None:
    caller = await centre.wait()
    await caller.hears("queue_welcome")
    await caller.hears("music")
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None and agent.seat is not None)
    assert [set(one.seats) for one in centre.tables.values()] == [{caller, agent}]
    assert centre.phones.rung == [Ringing("200", "+4930123456", "Support: Ann")]
    assert centre.doing("200") == "talking"
    assert centre.queues.waiting("q") == []
    caller.hangs_up()
    await eventually_async(lambda: agent.is_over)
    assert centre.doing("200") == "wrapping_up"
    centre.clock.advance(QUEUE.wrap_up_seconds)
    assert centre.doing("200") == "idle"
    assert centre.queues.figures("q").answered == 1


async def test_an_agent_who_hangs_up_ends_the_callers_call(centre: CallCentre) -> None:
    caller = await centre.wait()
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    agent.hangs_up()
    await eventually_async(lambda: caller.is_over)


@pytest.mark.parametrize(
    ("strategy", "rung"),
    [("ring_all", ["200", "201", "202"]), ("longest_idle", ["200"]), ("round_robin", ["200"]), ("skills", ["201"])],
)
async def test_the_strategy_says_whose_phones_ring(centre: CallCentre, strategy: str, rung: list[str]) -> None:
    centre.set(strategy=strategy)
    await centre.wait()
    await eventually_async(lambda: len(centre.phones.ringing) == len(rung))
    assert sorted(centre.phones.ringing) == rung


async def test_where_all_ring_the_first_to_answer_has_the_caller_and_the_others_ring_no_longer(
    centre: CallCentre,
) -> None:
    centre.set(strategy="ring_all")
    caller = await centre.wait()
    await eventually_async(lambda: len(centre.phones.ringing) == 3)
    await centre.phones.answer("202")
    await eventually_async(lambda: caller.seat is not None and not centre.phones.ringing)
    assert [centre.doing(one) for one in NAMES] == ["idle", "idle", "talking"]


async def test_who_was_idle_longer_and_whose_turn_was_longer_ago_is_rung_first(centre: CallCentre) -> None:
    for strategy in ("longest_idle", "round_robin"):
        centre.set(strategy=strategy, wrap_up_seconds=0)
        for expected in NAMES:
            caller = await centre.wait()
            agent = await centre.phones.answer(expected)
            await eventually_async(lambda caller=caller: caller.seat is not None)  # type: ignore[misc]
            centre.clock.advance(1.0)
            caller.hangs_up()
            await eventually_async(lambda agent=agent: agent.is_over)  # type: ignore[misc]
            centre.clock.advance(1.0)


async def test_two_callers_ring_two_agents_and_a_third_waits_for_whoever_is_free(centre: CallCentre) -> None:
    centre.set({"u-200": "in", "u-201": "in", "u-202": "out"}, wrap_up_seconds=0)
    first, second = await centre.wait(), await centre.wait()
    third = await centre.wait()
    await eventually_async(lambda: sorted(centre.phones.ringing) == ["200", "201"])
    agent = await centre.phones.answer("200")
    await centre.phones.answer("201")
    await eventually_async(lambda: first.seat is not None and second.seat is not None)
    assert len(centre.phones.rung) == 2
    agent.hangs_up()
    await centre.phones.answer("200")
    await eventually_async(lambda: third.seat is not None)


async def test_who_refuses_is_left_alone_for_a_while_and_the_next_one_rings(centre: CallCentre) -> None:
    centre.set({"u-200": "in", "u-201": "in", "u-202": "out"})
    caller = await centre.wait()
    await centre.phones.refuse("200")
    await eventually_async(lambda: "201" in centre.phones.ringing)
    assert centre.doing("200") == "resting"
    centre.clock.advance(REST_SECONDS)
    assert centre.doing("200") == "idle"
    caller.hangs_up()


async def test_nobody_rings_any_longer_once_the_caller_hangs_up(centre: CallCentre) -> None:
    caller = await centre.wait()
    await eventually_async(lambda: bool(centre.phones.ringing))
    caller.hangs_up()
    await eventually_async(lambda: not centre.phones.ringing)
    assert centre.doing("200") == "idle"
    assert centre.queues.figures("q").abandoned == 1
    assert centre.queues.waiting("q") == []


async def test_a_pause_keeps_callers_waiting_and_the_end_of_it_rings(centre: CallCentre) -> None:
    centre.set(dict.fromkeys(USERS, "paused"))
    caller = await centre.wait()
    await caller.hears("music")
    assert centre.phones.rung == []
    centre.set()
    centre.queues.changed()
    await eventually_async(lambda: bool(centre.phones.ringing))


async def test_a_caller_is_sent_on_while_nobody_is_logged_in_also_when_the_last_one_leaves(centre: CallCentre) -> None:
    waiting = await centre.wait()
    centre.set(dict.fromkeys(USERS, "out"))
    centre.queues.changed()
    await eventually_async(lambda: waiting.transferred == "301")
    late = centre.call()
    await eventually_async(lambda: late.transferred == "301")
    assert not late.said
    centre.set(dict.fromkeys(USERS, "out"), waits_for_agents=True)
    await (await centre.wait()).hears("music")


async def test_a_caller_is_sent_on_when_the_queue_is_full_by_the_key_and_after_the_longest_wait(
    centre: CallCentre,
) -> None:
    centre.set(most_waiting=1)
    first = await centre.wait()
    second = centre.call()
    await eventually_async(lambda: second.transferred == "300")
    first.press("50")
    await eventually_async(lambda: first.transferred == "300")
    third = await centre.wait()
    centre.clock.advance(QUEUE.longest_wait_seconds)
    await eventually_async(lambda: third.transferred == "300")
    assert centre.queues.figures("q").overflowed == 3


async def test_who_can_be_sent_nowhere_is_told_so(centre: CallCentre) -> None:
    centre.set(most_waiting=1, overflow_to=None)
    await centre.wait()
    caller = centre.call()
    await eventually_async(lambda: caller.is_over)
    assert caller.said[0] == "queue_full"
    centre.phones.can_ring = False
    caller = centre.call()
    await eventually_async(lambda: caller.transferred == "301")


def test_a_caller_is_told_the_place_and_the_wait_once_it_is_known() -> None:
    speech = LANGUAGES.speech("en")

    def told(queue: CallQueue, *standing: Any) -> list[str]:
        return [one.path.stem for one in announcement(queue, speech, Standing(*standing))]

    assert told(QUEUE, 3, None) == ["phrase.queue_position", "number.3"]
    assert told(QUEUE, 1, 61.0)[2:] == ["phrase.queue_wait", "number.2", "phrase.queue_minutes"]
    assert told(QUEUE, 1, 5.0)[2:] == ["phrase.queue_wait", "number.1", "phrase.queue_minute"]
    assert told(QUEUE.model_copy(update={"announce_position": False}), 1, None) == []


async def test_the_expected_wait_goes_by_the_last_calls_and_the_agents_who_are_ready(centre: CallCentre) -> None:
    caller = await centre.wait()
    await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    centre.clock.advance(60.0)
    caller.hangs_up()
    await eventually_async(lambda: centre.doing("200") == "wrapping_up")
    assert centre.queues.figures("q").expected_wait(4, 2) == pytest.approx(180.0)
    assert centre.queues.figures("q").expected_wait(1, 0) is None


async def test_a_supervisor_listens_whispers_and_barges_in_by_keys_and_goes_with_the_call(centre: CallCentre) -> None:
    caller = await centre.wait()
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    supervisor = centre.call("202", action="listen", agent="u-200")
    await eventually_async(lambda: supervisor.seat == Seat(muted=True))
    supervisor.press("2")
    await eventually_async(lambda: supervisor.seat == Seat(only_to=frozenset({agent})))
    supervisor.press("3")
    await eventually_async(lambda: supervisor.seat == Seat())
    assert not supervisor.said
    caller.hangs_up()
    await eventually_async(lambda: supervisor.is_over)
    early = centre.call("202", action="barge", agent="u-201")
    await eventually_async(lambda: early.is_over)
    assert early.said == ["declined"]


async def test_a_supervisor_of_another_queue_attends_no_call_of_this_one(centre: CallCentre) -> None:
    caller = await centre.wait()
    await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    centre.set_another(supervisors=("u-201",))
    for asserted in ("201", ""):
        refused = centre.call("201", asserted=asserted, service="other", action="barge", agent="u-200")
        await eventually_async(lambda refused=refused: refused.is_over)  # type: ignore[misc]
        assert refused.said == ["declined"]
    both = centre.call("202", asserted="202", service="other", action="barge", agent="u-200")
    await eventually_async(lambda: both.seat is not None)


async def test_an_agent_rings_no_longer_for_a_caller_who_left_in_the_same_moment(centre: CallCentre) -> None:
    centre.set(dict.fromkeys(USERS, "paused"))
    await centre.wait()
    (waiting,) = centre.queues.waiting("q")
    centre.set()
    centre.queues.changed()
    centre.queues._left("q", waiting)
    await eventually_async(lambda: waiting.ringing is None)
    assert centre.doing("200") == "idle"
