"""What is told of call queues: how they stand when somebody asks, and what became of each caller."""

import asyncio
from datetime import timedelta

import pytest

from contract.sync.queue_events import QueueCallEnded
from contract.sync.state import Stamp, StateRecord
from edge_agent.media.applications.queue.live import BadWish, Supervisors, shown
from tests.edge_agent.media.applications.test_queue import QUEUE, Call, CallCentre, centre
from tests.support.waiting import eventually_async

__all__ = ["centre"]


async def gone(centre: CallCentre, call: Call) -> QueueCallEnded:
    """What is told once the call is over."""
    call.hangs_up()
    await eventually_async(lambda: bool(centre.told))
    return centre.told[-1]


async def test_an_answered_call_is_told_with_its_wait_its_talk_and_everybody_who_was_rung(centre: CallCentre) -> None:
    caller = await centre.wait()
    await eventually_async(lambda: "200" in centre.phones.ringing)
    centre.clock.advance(4.0)
    await centre.phones.refuse("200")
    await eventually_async(lambda: "201" in centre.phones.ringing)
    centre.clock.advance(3.0)
    await centre.phones.answer("201")
    await eventually_async(lambda: caller.seat is not None)
    centre.clock.advance(60.0)
    told = await gone(centre, caller)
    assert (told.outcome, told.agent_id, told.queue_id, told.queue_name) == ("answered", "u-201", "q", "Support")
    assert (told.caller, told.caller_name, told.wrap_up_seconds) == ("+4930123456", "Ann", 30)
    assert told.answered_at is not None
    assert told.answered_at - told.came_at == timedelta(seconds=7)
    assert told.ended_at - told.answered_at == timedelta(seconds=60)
    assert [(one.user_id, one.seconds, one.result) for one in told.offers] == [
        ("u-200", 4.0, "no_answer"),
        ("u-201", 3.0, "answered"),
    ]


async def test_a_caller_who_hangs_up_is_told_as_one_who_gave_up_and_so_is_who_was_being_rung(
    centre: CallCentre,
) -> None:
    caller = await centre.wait()
    await eventually_async(lambda: "200" in centre.phones.ringing)
    centre.clock.advance(12.0)
    told = await gone(centre, caller)
    assert (told.outcome, told.agent_id, told.answered_at) == ("abandoned", None, None)
    assert told.ended_at - told.came_at == timedelta(seconds=12)
    assert [(one.user_id, one.result) for one in told.offers] == [("u-200", "other")]


async def test_where_a_caller_went_on_to_is_told_and_why(centre: CallCentre) -> None:
    centre.set(most_waiting=1)
    first = await centre.wait()
    second = centre.call()
    await eventually_async(lambda: len(centre.told) == 1)
    first.press("0")
    await eventually_async(lambda: len(centre.told) == 2)
    centre.set(dict.fromkeys(("u-200", "u-201", "u-202"), "out"))
    third = centre.call()
    await eventually_async(lambda: len(centre.told) == 3)
    centre.set()
    await centre.wait()
    centre.clock.advance(float(QUEUE.longest_wait_seconds))
    await eventually_async(lambda: len(centre.told) == 4)
    assert [(one.outcome, one.sent_to) for one in centre.told] == [
        ("full", "300"),
        ("left_by_key", "300"),
        ("closed", "301"),
        ("too_long", "300"),
    ]
    assert second.transferred == "300"
    assert third.transferred == "301"
    assert len({one.call_id for one in centre.told}) == 4


async def test_a_caller_who_says_strange_things_of_himself_is_told_on_one_line_of_bounded_length(
    centre: CallCentre,
) -> None:
    call = centre.call("+49" + "3" * 400)
    call.caller_name = "A\r\nB"
    await eventually_async(lambda: bool(centre.queues.waiting("q")))
    assert shown(centre.queues, centre.config, {}, centre.clock).queues[0].callers[0].name == "AB"
    told = await gone(centre, call)
    assert len(told.caller) == 255
    assert "\n" not in told.caller_name


async def test_how_queues_stand_shows_who_waits_who_talks_and_the_day_so_far(centre: CallCentre) -> None:
    centre.set({"u-200": "in", "u-201": "paused", "u-202": "out"}, wrap_up_seconds=30)
    first = await centre.wait()
    centre.clock.advance(5.0)
    await centre.phones.answer("200")
    await eventually_async(lambda: first.seat is not None)
    centre.clock.advance(10.0)
    await centre.wait()
    record = StateRecord(key="queue_agent/q/u-200", value="in", stamp=Stamp(wall_ms=1_000, node="edge"))
    told = shown(centre.queues, centre.config, {record.key: record}, centre.clock)
    (queue,) = told.queues
    assert (queue.queue_id, queue.extension, queue.answered, queue.in_time) == ("q", "600", 1, 1)
    assert (queue.abandoned, queue.longest_wait_seconds, queue.average_wait_seconds) == (0, 5.0, 5.0)
    assert [(one.number, one.name, one.ringing) for one in queue.callers] == [("+4930123456", "Ann", False)]
    assert queue.callers[0].came_at == told.at
    talks, pauses, out = queue.agents
    assert (talks.doing, talks.queue_id, talks.since) == ("talking", "q", told.at - timedelta(seconds=10))
    assert talks.presence_since is not None
    assert (pauses.presence, pauses.doing, pauses.presence_since) == ("paused", "idle", None)
    assert out.presence == "out"
    first.hangs_up()
    await eventually_async(lambda: centre.doing("200") == "wrapping_up")
    centre.clock.advance(2.0)
    wraps = shown(centre.queues, centre.config, {}, centre.clock).queues[0].agents[0]
    assert (wraps.doing, wraps.since) == ("wrapping_up", centre.clock.now() - timedelta(seconds=2))


async def test_only_who_was_answered_in_time_counts_so(centre: CallCentre) -> None:
    caller = await centre.wait()
    centre.clock.advance(21.0)
    await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    assert centre.queues.figures("q").in_time == 0


async def test_a_supervisor_who_is_rung_from_afar_is_in_the_call_once_he_answers(centre: CallCentre) -> None:
    supervisors = Supervisors(centre.queues, lambda: centre.config, centre.phones, centre.clock)
    assert supervisors.attend("u-200", "u-202", "listen").refused == "no_call"
    assert supervisors.attend("u-unknown", "u-202", "listen").refused == "no_call"
    caller = await centre.wait()
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None and agent.seat is not None)
    assert supervisors.attend("u-200", "u-unknown", "listen").refused == "no_phone"
    with pytest.raises(BadWish):
        supervisors.attend("u-200", "u-202", "record")
    assert supervisors.attend("u-200", "u-202", "listen").refused is None
    supervisor = await centre.phones.answer("202")
    await eventually_async(lambda: supervisor.seat is not None)
    (table,) = centre.tables.values()
    assert table.seats[supervisor].muted
    assert centre.phones.rung[-1].name == "Support: Desk 200"
    caller.hangs_up()
    await eventually_async(lambda: supervisor.is_over)


async def test_a_supervisor_who_does_not_answer_is_rung_no_longer(centre: CallCentre) -> None:
    supervisors = Supervisors(centre.queues, lambda: centre.config, centre.phones, centre.clock)
    caller = await centre.wait()
    await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    before = asyncio.all_tasks()
    assert supervisors.attend("u-200", "u-202", "barge").refused is None
    await centre.phones.refuse("202")
    await eventually_async(lambda: not centre.phones.ringing and asyncio.all_tasks() <= before)
    assert [len(one.seats) for one in centre.tables.values()] == [2]


async def test_a_supervisor_of_another_queue_is_not_rung_and_who_is_no_longer_one_hears_nothing(
    centre: CallCentre,
) -> None:
    supervisors = Supervisors(centre.queues, lambda: centre.config, centre.phones, centre.clock)
    caller = await centre.wait()
    await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    centre.set_another(supervisors=("u-201",))
    assert supervisors.attend("u-200", "u-201", "listen").refused == "no_call"
    assert supervisors.attend("u-200", "u-202", "listen").refused is None
    centre.set(supervisors=())
    supervisor = await centre.phones.answer("202")
    await eventually_async(lambda: supervisor.is_over)
    assert supervisor.said == ["declined"]
