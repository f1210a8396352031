"""The media process as the agent drives it."""

import asyncio
import socket

import pytest

from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder
from edge_agent.processes.link import Prepare, Start
from edge_agent.processes.media import MediaSubsystem
from edge_agent.settings import MediaSettings, Settings
from tests.support import esl_recordings
from tests.support.media_caller import MediaCaller
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.waiting import eventually_async

PREPARE = Prepare.model_validate({"version": 1, "snapshot": small_snapshot(), "secrets": SMALL_SECRETS})


def start(sip_port: int = 0, earlier: int = 0) -> Start:
    media = MediaSettings(address="127.0.0.1", sip_port=sip_port, rtp_first_port=20_000, rtp_last_port=39_999)
    return Start(settings=Settings(media=media), ports={"media_sip": earlier} if earlier else {})


async def test_it_takes_calls_from_its_start_on_and_keeps_its_port_over_a_configuration() -> None:
    media = MediaSubsystem(Bell())
    assert media.figures() == {"calls": 0}
    ports = await media.start(start())
    await media.prepare(PREPARE)
    assert await media.commit() == ports
    async with MediaCaller(ports["media_sip"]) as caller:
        assert await caller.invite() == 200
        assert media.figures()["calls"] == 1
        assert await caller.bye() == 200
        await eventually_async(lambda: media.figures()["calls"] == 0)
    await media.stop()
    assert media.figures() == {"calls": 0}


async def test_a_restart_takes_the_earlier_port_where_it_is_free_and_another_where_it_is_not() -> None:
    first = MediaSubsystem(Bell())
    port = (await first.start(start()))["media_sip"]
    second = MediaSubsystem(Bell())
    assert (await second.start(start(earlier=port)))["media_sip"] != port
    await first.stop()
    third = MediaSubsystem(Bell())
    assert (await third.start(start(earlier=port)))["media_sip"] == port
    await second.stop()
    await third.stop()


async def test_a_port_that_the_settings_ask_for_and_that_is_taken_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            await MediaSubsystem(Bell()).start(start(sip_port=taken.getsockname()[1]))


async def test_on_freeswitch_it_serves_the_calls_that_its_dialplan_brings() -> None:
    media = MediaSubsystem(Bell())
    settings = MediaSettings(engine="freeswitch", sip_port=5099, event_port=0)
    ports = await media.start(Start(settings=Settings(media=settings), ports={}))
    assert ports["media_sip"] == 5099
    frames = esl_recordings.frames("02-caller-hangup-during-playback")
    reader, writer = await asyncio.open_connection("127.0.0.1", ports["media_events"])
    assert await reader.readuntil(b"\n\n") == b"connect\n\n"
    writer.write(frames[1].data.replace(b"Channel-Destination-Number: 1002", b"Channel-Destination-Number: echo"))
    await eventually_async(lambda: media.figures().items() >= {"calls": 1, "refused": 0}.items())
    writer.close()
    await writer.wait_closed()
    await eventually_async(lambda: media.figures().items() >= {"calls": 0, "refused": 0}.items())
    await media.stop()


def test_freeswitch_as_the_engine_needs_the_port_of_its_profile() -> None:
    with pytest.raises(ValueError, match="needs sip_port"):
        MediaSettings(engine="freeswitch")


async def test_before_its_start_it_refuses_a_configuration_and_it_knows_no_order() -> None:
    media = MediaSubsystem(Bell())
    with pytest.raises(ConfigurationRefused):
        await media.prepare(PREPARE)
    with pytest.raises(UnknownOrder):
        await media.order("dance", {})
    await media.stop()


async def test_it_relays_what_it_is_ordered_to_and_says_what_it_cannot_read() -> None:
    media = MediaSubsystem(Bell())
    await media.start(start())
    assert await media.order("carry", {"streams": "[]"}) == "0 streams"
    with pytest.raises(UnknownOrder, match="no streams to carry"):
        await media.order("carry", {"streams": '[{"first": 1}]'})
    assert media.figures()["relay.streams"] == 0
    await media.stop()
