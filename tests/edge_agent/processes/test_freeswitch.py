"""Calls that voice services place by FreeSWITCH; with the real one the tests of the whole place them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.processes.freeswitch import FreeSwitchMedia, FreeSwitchPlacer
from edge_agent.settings import MediaSettings
from edge_agent.sip.message import Flow
from edge_agent.tokens import SystemTokens
from tests.support.stand_in import stand_in
from tests.support.waiting import eventually_async

PROXY = Flow("udp", "127.0.0.1", 5060)
DOMAIN = "site.tandem.test"


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[FreeSwitchMedia]:
    program = stand_in(tmp_path / "bin")
    settings = MediaSettings(engine="freeswitch", freeswitch_program=str(program), address="127.0.0.1")
    found = await FreeSwitchMedia.open(settings, tmp_path / "fs", {}, SystemClock(), SystemTokens())
    await eventually_async(lambda: found.figures()["freeswitch_up"], 20)
    yield found
    await found.close()


def placer_of(media: FreeSwitchMedia) -> FreeSwitchPlacer:
    assert media.placer is not None
    return media.placer


async def test_a_phone_that_is_rung_answers(media: FreeSwitchMedia) -> None:
    session = await placer_of(media).place(Ringing("200", "300", 'Sales "x" {a=b}|c'), DOMAIN, PROXY)
    assert isinstance(session, FreeSwitchSession)
    assert session.call_id
    await eventually_async(lambda: media.figures()["calls"] == 1)
    await session.hang_up()
    await eventually_async(lambda: media.figures()["calls"] == 0)


async def test_who_is_busy_is_not_reached(media: FreeSwitchMedia) -> None:
    with pytest.raises(NotReached) as refused:
        await placer_of(media).place(Ringing("486", "300"), DOMAIN, PROXY)
    assert refused.value.status == 486


async def test_whoever_waits_may_give_up(media: FreeSwitchMedia) -> None:
    waiting = asyncio.create_task(placer_of(media).place(Ringing("180", "300"), DOMAIN, PROXY))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await waiting
    assert media.figures()["calls"] == 0


async def test_nobody_is_rung_while_freeswitch_is_down(media: FreeSwitchMedia) -> None:
    placer = placer_of(media)
    await media.close()
    with pytest.raises(NotReached) as refused:
        await placer.place(Ringing("200", "300"), DOMAIN, PROXY)
    assert refused.value.status == 503
