"""Callers of queues who wish to be called back: what is offered, promised, kept on the disk, and done."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.snapshot import CallBackOffer
from contract.sync.queue_events import QueueCallEnded
from edge_agent.media.applications.queue.calling_back import MOST_GIVEN_UP
from edge_agent.media.applications.queue.kept import MAX_BYTES, CallerFolder, KeptCaller
from edge_agent.media.applications.queue.live import shown
from edge_agent.media.calling import Ringing
from tests.edge_agent.media.applications.test_queue import Call, CallCentre, centre
from tests.support.meeting_call import MeetingCall
from tests.support.waiting import eventually_async

__all__ = ["centre"]

OWN = "+4930123456"
DIALLED = "0030123456"
OFFER = CallBackOffer(after_seconds=0, attempts=2, retry_minutes=5, keep_hours=2)


def begin(centre: CallCentre, folder: Path | None = None, offer: CallBackOffer = OFFER, **more: Any) -> None:
    """Everybody pauses, so that callers wait, and the queue calls back."""
    centre.folder = CallerFolder(folder) if folder is not None else None
    centre.set(dict.fromkeys(("u-200", "u-201", "u-202"), "paused"), call_back=offer, wrap_up_seconds=0, **more)


def let_one_answer(centre: CallCentre, offer: CallBackOffer = OFFER, **more: Any) -> None:
    """One agent is ready."""
    centre.set({"u-200": "in", "u-201": "out", "u-202": "out"}, call_back=offer, **{"wrap_up_seconds": 0, **more})
    centre.queues.changed()


async def wish(centre: CallCentre, keys: str = "1", number: str = OWN) -> Call:
    """A caller who presses the key, and what he is asked for, and is told goodbye."""
    before = len(centre.queues.waiting("q"))
    caller = centre.call(number)
    await eventually_async(lambda: len(centre.queues.waiting("q")) > before)
    caller.press("1")
    await caller.hears("queue_call_back_at" if keys[0] != "2" else "queue_call_back_menu")
    caller.press(keys)
    await eventually_async(lambda: caller.is_over)
    return caller


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_it_is_offered_in_time_and_again_with_each_announcement(centre: CallCentre) -> None:
    begin(centre, announce_seconds=0)
    caller = await centre.wait()
    await caller.hears("queue_call_back")
    assert caller.said[:4] == ["queue_welcome", "music", "queue_call_back", "number.1"]


async def test_it_is_not_offered_where_the_queue_does_not_or_the_number_may_not_be_called(centre: CallCentre) -> None:
    begin(centre, offer=OFFER.model_copy(update={"other_number": False}), announce_seconds=0)
    centre.callable.clear()
    caller = await centre.wait()
    await caller.hears("music")
    caller.press("1")
    await eventually_async(lambda: caller.said.count("music") > 1)
    assert "queue_call_back" not in caller.said
    assert "queue_call_back_at" not in caller.said


async def test_who_confirms_keeps_the_place_and_is_called_once_an_agent_answers(
    centre: CallCentre, tmp_path: Path
) -> None:
    begin(centre, tmp_path)
    caller = await wish(centre)
    assert caller.said[-2:] == ["queue_call_back_promised", "goodbye"]
    second = await centre.wait()
    (queue,) = shown(centre.queues, centre.config, {}, centre.clock).queues
    assert [(one.number, one.wants_call_back) for one in queue.callers] == [(OWN, True), (OWN, False)]
    await eventually_async(lambda: [one.wish is not None for one in CallerFolder(tmp_path).load()] == [True, False])
    centre.clock.advance(60.0)
    let_one_answer(centre)
    agent = await centre.phones.answer("200")
    await agent.hears("queue_call_back_agent")
    customer = await centre.phones.answer(DIALLED)
    assert centre.phones.rung[-1] == Ringing(DIALLED, "600", "Support", "call_back", "q")
    await eventually_async(lambda: customer.seat is not None and agent.seat is not None)
    assert [one.session for one in centre.queues.waiting("q")] == [second]
    centre.clock.advance(30.0)
    customer.hangs_up()
    await eventually_async(lambda: agent.is_over and bool(centre.told))
    told = centre.told[0]
    assert (told.outcome, told.agent_id, told.sent_to, told.caller) == ("called_back", "u-200", OWN, OWN)
    assert told.answered_at is not None
    assert told.answered_at - told.came_at == timedelta(seconds=60)
    assert told.ended_at - told.answered_at == timedelta(seconds=30)
    assert [(one.user_id, one.result) for one in told.offers] == [("u-200", "answered")]
    assert centre.queues.figures("q").answered == 1


async def test_another_number_is_keyed_in_checked_and_said_again(centre: CallCentre) -> None:
    begin(centre)
    centre.callable["555"] = "0555"
    caller = await centre.wait()
    caller.press("1")
    await caller.hears("queue_call_back_menu")
    caller.press("2")
    await caller.hears("queue_call_back_number")
    caller.press("0900#")
    await caller.hears("queue_call_back_refused")
    caller.press("555#")
    await caller.hears("queue_call_back_menu", 2)
    assert caller.said[caller.said.index("queue_call_back_refused") :][2:5] == [
        "queue_call_back_at",
        "number.5",
        "number.5",
    ]
    caller.press("1")
    await eventually_async(lambda: caller.is_over)
    assert centre.queues.waiting("q")[0].wish is not None
    let_one_answer(centre)
    await centre.phones.answer("200")
    await centre.phones.answer("0555")


async def test_who_changes_his_mind_waits_on_and_an_agent_who_answers_meanwhile_has_the_call(
    centre: CallCentre,
) -> None:
    begin(centre)
    caller = await centre.wait()
    caller.press("1")
    await caller.hears("queue_call_back_at")
    caller.press("*")
    await eventually_async(lambda: caller.said[-1] == "music")
    caller.press("1")
    await caller.hears("queue_call_back_at", 2)
    let_one_answer(centre)
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None and agent.seat is not None)
    assert centre.told == []


async def test_who_does_not_answer_is_called_again_later_and_given_up_after_the_last_time(
    centre: CallCentre, tmp_path: Path
) -> None:
    begin(centre, tmp_path)
    await wish(centre)
    let_one_answer(centre)
    for attempt in (1, 2):
        agent = await centre.phones.answer("200")
        await centre.phones.refuse(DIALLED)
        await agent.hears("not_reached")
        await eventually_async(lambda agent=agent: agent.is_over)  # type: ignore[misc]
        if attempt == 1:
            assert "200" not in centre.phones.ringing
            assert len(centre.queues.waiting("q")) == 1
            await eventually_async(
                lambda: [one.wish.attempts for one in CallerFolder(tmp_path).load() if one.wish] == [1]
            )
            centre.clock.advance(301.0)
            centre.queues.changed()
    await eventually_async(lambda: bool(centre.told))
    assert (centre.told[0].outcome, centre.told[0].agent_id) == ("not_reached", None)
    assert [one.result for one in centre.told[0].offers] == ["answered", "answered"]
    assert centre.queues.waiting("q") == []
    assert centre.queues.figures("q").overflowed == 1


async def test_an_agent_who_hangs_up_while_the_caller_is_called_costs_no_attempt(centre: CallCentre) -> None:
    begin(centre, offer=OFFER.model_copy(update={"attempts": 1}))
    await wish(centre)
    let_one_answer(centre, OFFER.model_copy(update={"attempts": 1}))
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: DIALLED in centre.phones.ringing)
    agent.hangs_up()
    await eventually_async(lambda: DIALLED not in centre.phones.ringing)
    assert centre.doing("200") == "resting"
    centre.clock.advance(59.0)
    centre.queues.changed()
    assert not centre.queues.waiting("q")[0].ringing
    centre.clock.advance(1.0)
    centre.queues.changed()
    await centre.phones.answer("200")
    customer = await centre.phones.answer(DIALLED)
    await eventually_async(lambda: customer.seat is not None)


async def test_a_second_wish_for_the_same_number_keeps_the_first_place(centre: CallCentre) -> None:
    begin(centre)
    await wish(centre)
    await wish(centre)
    assert len(centre.queues.waiting("q")) == 1
    assert [(one.outcome, one.sent_to) for one in centre.told] == [("left_by_key", OWN)]


async def test_a_wish_that_nobody_has_time_for_lapses_and_is_told_as_too_long(centre: CallCentre) -> None:
    begin(centre)
    await wish(centre)
    centre.clock.advance(7201.0)
    centre.queues.changed()
    await eventually_async(lambda: bool(centre.told))
    assert centre.told[0].outcome == "too_long"
    assert centre.queues.waiting("q") == []


async def test_who_was_rung_ten_times_while_agents_went_is_rung_no_more(centre: CallCentre) -> None:
    begin(centre)
    await wish(centre)
    let_one_answer(centre)
    for _ in range(MOST_GIVEN_UP):
        assert not centre.told
        agent = await centre.phones.answer("200")
        await eventually_async(lambda: DIALLED in centre.phones.ringing)
        agent.hangs_up()
        await eventually_async(lambda: DIALLED not in centre.phones.ringing and centre.doing("200") == "resting")
        centre.clock.advance(60.0)
        centre.queues.changed()
    await eventually_async(lambda: bool(centre.told))
    assert (centre.told[0].outcome, centre.queues.waiting("q")) == ("not_reached", [])


async def test_wishes_leave_room_for_those_who_wait_and_are_as_many_themselves(centre: CallCentre) -> None:
    begin(centre, most_waiting=1)
    centre.callable["+4930654321"] = "0030654321"
    await wish(centre)
    late = centre.call("+4930654321")
    await eventually_async(lambda: len(centre.queues.waiting("q")) == 2)
    late.press("1")
    await late.hears("queue_call_back_at")
    late.press("1")
    await eventually_async(lambda: late.said[-1] == "music" and not centre.queues.waiting("q")[1].arranging)
    assert not late.transferred
    third = centre.call()
    await eventually_async(lambda: third.transferred == "300")


async def test_one_caller_has_two_numbers_called_back_at_most(centre: CallCentre) -> None:
    begin(centre)
    centre.callable |= {"551": "0551", "552": "0552"}
    for number in ("551", "552"):
        caller = await centre.wait()
        caller.press("1")
        await caller.hears("queue_call_back_menu")
        caller.press("2")
        await caller.hears("queue_call_back_number")
        caller.press(f"{number}#")
        await caller.hears("queue_call_back_menu", 2)
        caller.press("1")
        await eventually_async(lambda caller=caller: caller.is_over)  # type: ignore[misc]
    third = await centre.wait()
    third.press("1")
    await third.hears("queue_call_back_at")
    third.press("1")
    await eventually_async(lambda: third.said[-1] == "music" and not centre.queues.waiting("q")[2].arranging)
    assert [one.wish is not None for one in centre.queues.waiting("q")] == [True, True, False]


async def test_a_wish_that_is_over_is_not_one_for_the_next_process(centre: CallCentre, tmp_path: Path) -> None:
    begin(centre, tmp_path)
    await wish(centre)
    await wish(centre)
    centre.clock.advance(7201.0)
    centre.queues.changed()
    await eventually_async(lambda: len(centre.told) == 2)
    await eventually_async(lambda: [one.wish for one in CallerFolder(tmp_path).load()] == [None, None])


async def test_nothing_is_promised_that_the_disk_would_not_keep(centre: CallCentre, tmp_path: Path) -> None:
    begin(centre, tmp_path / "callers")
    caller = await centre.wait()
    caller.press("1")
    await caller.hears("queue_call_back_at")
    await eventually_async(lambda: len(entries(tmp_path / "callers")) == 1)
    for file in entries(tmp_path / "callers"):
        file.unlink()
    (tmp_path / "callers").rmdir()
    (tmp_path / "callers").touch()
    caller.press("1")
    await eventually_async(lambda: caller.said[-1] == "music" and not centre.queues.waiting("q")[0].arranging)
    assert "queue_call_back_promised" not in caller.said
    assert not caller.is_over


async def test_after_a_kill_who_was_promised_it_is_called_and_who_waited_or_talked_is_told_of(
    centre: CallCentre, tmp_path: Path
) -> None:
    begin(centre, tmp_path)
    await wish(centre)
    waits = await centre.wait()
    let_one_answer(centre)
    await centre.phones.answer("200")
    customer = await centre.phones.answer(DIALLED)
    await eventually_async(lambda: customer.seat is not None)
    centre.set(dict.fromkeys(("u-200", "u-201", "u-202"), "paused"), call_back=OFFER)
    waits.press("1")
    await waits.hears("queue_call_back_at")
    waits.press("1")
    await eventually_async(lambda: waits.is_over)
    third = await centre.wait()
    await eventually_async(lambda: len(CallerFolder(tmp_path).load()) == 3)

    again = CallCentre()
    again.clock.advance(centre.clock.monotonic() - again.clock.monotonic() + 10.0)
    let_one_answer(again)
    again.queues.restore(CallerFolder(tmp_path).load())
    assert [(one.outcome, one.agent_id) for one in again.told] == [("called_back", "u-200"), ("abandoned", None)]
    assert all(one.ended_at == again.clock.now() for one in again.told)
    (kept,) = again.queues.waiting("q")
    assert kept.story.number == OWN
    again.queues.changed()
    await again.phones.answer("200")
    customer = await again.phones.answer(DIALLED)
    await eventually_async(lambda: customer.seat is not None)
    customer.hangs_up()
    await eventually_async(lambda: len(again.told) == 3)
    assert again.told[-1].outcome == "called_back"
    third.hangs_up()
    await again.queues.close()


async def test_who_ends_is_forgotten_and_what_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    folder = CallerFolder(tmp_path)
    told = QueueCallEnded.model_validate(
        {
            "call_id": "c1",
            "queue_id": "q",
            "queue_name": "Support",
            "caller": "1",
            "came_at": "2026-01-01T00:00:00Z",
            "ended_at": "2026-01-01T00:00:00Z",
            "outcome": "abandoned",
        }
    )
    await folder.keep(KeptCaller(told=told))
    (tmp_path / "torn.json").write_bytes(b'{"told": {"call')
    (tmp_path / "large.json").write_bytes(b" " * (MAX_BYTES + 1))
    assert [one.told for one in folder.load()] == [told]
    folder.forget("c1")
    folder.close()
    assert CallerFolder(tmp_path).load() == []
    assert {one.name for one in entries(tmp_path)} == {"torn.json.corrupt", "large.json.corrupt"}


@given(content=st.binary(max_size=300))
def test_any_file_is_a_caller_or_is_set_aside(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("callers")
    (folder / "one.json").write_bytes(content)
    assert CallerFolder(folder).load() == []


async def test_the_call_of_a_customer_who_answers_as_the_agent_goes_is_hung_up(centre: CallCentre) -> None:
    begin(centre)
    await wish(centre)
    let_one_answer(centre)
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: DIALLED in centre.phones.ringing)
    customer = MeetingCall(centre.tables, DIALLED)
    centre.phones.ringing[DIALLED].set_result(customer)
    agent.hangs_up()
    await eventually_async(lambda: customer.is_over and agent.is_over)
