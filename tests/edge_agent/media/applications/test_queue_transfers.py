"""An agent of a queue sends the caller whom he talks with to somebody else."""

import asyncio

import pytest

from edge_agent.ports import CallRefused, Transfer
from tests.edge_agent.media.applications.test_queue import Call, CallCentre, centre
from tests.support.meeting_call import MeetingCall
from tests.support.waiting import eventually_async

__all__ = ["centre"]

TO = Transfer("sip:300@demo.tandem.test", voucher="u-200.1.abc")


async def talk(centre: CallCentre) -> tuple[Call, MeetingCall]:
    caller = await centre.wait()
    agent = await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    return caller, agent


def ask(centre: CallCentre, told: list[int], transfer: Transfer = TO) -> None:
    """The agent's phone asks for it."""
    wanted = centre.phones.rung[-1].transfers
    assert wanted is not None
    wanted(transfer, told.append)


async def test_the_caller_goes_there_the_agent_is_told_and_free_and_history_says_so(centre: CallCentre) -> None:
    caller, agent = await talk(centre)
    told: list[int] = []
    ask(centre, told)
    await eventually_async(lambda: caller.is_over and agent.is_over and bool(centre.told))
    assert told == [200]
    assert caller.transferred == TO.target
    assert (centre.told[0].outcome, centre.told[0].agent_id, centre.told[0].sent_to) == ("answered", "u-200", "300")
    assert centre.doing("200") == "wrapping_up"


async def test_a_caller_who_does_not_get_there_talks_on_and_it_may_be_tried_again(centre: CallCentre) -> None:
    caller, agent = await talk(centre)
    caller.transfer_status = 486
    told: list[int] = []
    ask(centre, told)
    await eventually_async(lambda: told == [486])
    assert not caller.is_over
    assert not agent.is_over
    ask(centre, told)
    await eventually_async(lambda: told == [486, 486])
    caller.hangs_up()
    await eventually_async(lambda: bool(centre.told))
    assert centre.told[0].sent_to == ""


async def test_nobody_is_sent_elsewhere_before_he_talks_and_nobody_two_ways(centre: CallCentre) -> None:
    caller = await centre.wait()
    await eventually_async(lambda: "200" in centre.phones.ringing)
    with pytest.raises(CallRefused, match="nobody yet"):
        ask(centre, [])
    await centre.phones.answer("200")
    await eventually_async(lambda: caller.seat is not None)
    caller.may_go = asyncio.Event()
    ask(centre, [])
    with pytest.raises(CallRefused, match="already"):
        ask(centre, [])


async def test_an_agent_who_hangs_up_as_soon_as_he_asked_leaves_the_caller_on_the_way(centre: CallCentre) -> None:
    caller, agent = await talk(centre)
    caller.may_go = asyncio.Event()
    ask(centre, [])
    await eventually_async(lambda: bool(caller.transferred))
    agent.hangs_up()
    await eventually_async(lambda: caller.seat is None)
    assert not caller.is_over
    caller.may_go.set()
    await eventually_async(lambda: bool(centre.told))
    assert centre.told[0].sent_to == "300"
