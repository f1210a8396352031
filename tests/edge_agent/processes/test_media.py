"""The media process as the agent drives it."""

import asyncio
import socket
from pathlib import Path

import pytest

from contract.sync.quality import CallQuality
from edge_agent.clock import SystemClock
from edge_agent.media.codecs import CodecName
from edge_agent.media.freeswitch.process import FreeSwitchFailed
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder
from edge_agent.processes.freeswitch import free_port
from edge_agent.processes.link import Prepare, Start
from edge_agent.processes.media import MediaSubsystem
from edge_agent.settings import MediaSettings, Settings
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support import esl_recordings
from tests.support.media_caller import MediaCaller
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.stand_in import stand_in
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


async def test_a_codec_that_is_switched_off_is_not_taken_and_the_figures_say_so(tmp_path: Path) -> None:
    media = MediaSubsystem(Bell())
    narrow = start().settings.media.model_copy(update={"codecs": (CodecName.PCMU,)})
    ports = await media.start(Start(settings=Settings(state_dir=tmp_path, media=narrow), ports={}))
    figures = media.figures()
    assert [figures[f"codecs.{name}"] for name in ("pcmu", "pcma", "g722", "opus")] == [1, 0, 0, 0]
    async with MediaCaller(ports["media_sip"], payload_type=9) as wide, MediaCaller(ports["media_sip"]) as telephone:
        assert [await wide.invite(), await telephone.invite()] == [488, 200]
    await media.stop()


async def test_as_many_calls_are_taken_as_the_settings_say_and_the_figures_count_them(tmp_path: Path) -> None:
    media = MediaSubsystem(Bell())
    one = start().settings.media.model_copy(update={"most_calls": 1})
    ports = await media.start(Start(settings=Settings(state_dir=tmp_path, media=one), ports={}))
    async with (
        MediaCaller(ports["media_sip"]) as first,
        MediaCaller(ports["media_sip"]) as second,
        MediaCaller(ports["media_sip"]) as third,
    ):
        assert [await first.invite(), await second.invite()] == [200, 503]
        assert media.figures()["sessions"] == 1
        assert await first.bye() == 200
        await eventually_async(lambda: media.figures()["sessions"] == 0)
        assert await third.invite() == 200
    await media.stop()


async def test_how_a_call_was_heard_is_in_the_outbox_when_it_has_ended(tmp_path: Path) -> None:
    media = MediaSubsystem(Bell())
    wanted = MediaSettings(address="127.0.0.1", sip_port=0, rtp_first_port=20_000, rtp_last_port=39_999)
    ports = await media.start(Start(settings=Settings(state_dir=tmp_path, media=wanted), ports={}))
    async with MediaCaller(ports["media_sip"], payload_type=8) as caller:
        assert await caller.invite() == 200
        caller.start_sending(lambda number: b"\xd5" * 160)
        await eventually_async(lambda: len(caller.heard.payloads) > 75)
        assert await caller.bye() == 200
    await media.stop()
    outbox = Outbox.open(tmp_path / "outbox.db", SystemClock(), SystemTokens())
    (told,) = [one.body.what for one in outbox.read(0, 10) if isinstance(one.body.what, CallQuality)]
    outbox.close()
    assert told.sip_call_id.startswith("media-caller-")
    assert (told.source, told.heard, told.codec, told.lost) == ("engine", "caller", "PCMA", 0)
    assert told.packets is not None
    assert told.packets > 50
    assert told.mos is not None
    assert told.mos > 4


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
    settings = MediaSettings(engine="freeswitch", freeswitch="running", sip_port=5099, event_port=free_port())
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


def test_a_freeswitch_that_is_running_needs_the_ports_of_its_profile_and_dialplan() -> None:
    with pytest.raises(ValueError, match="needs sip_port and event_port"):
        MediaSettings(engine="freeswitch", freeswitch="running", sip_port=5090)


async def test_its_own_freeswitch_keeps_its_ports_and_is_told_of_in_the_figures(tmp_path: Path) -> None:
    program = stand_in(tmp_path / "bin")
    settings = MediaSettings(engine="freeswitch", freeswitch_program=str(program), address="127.0.0.1")
    started = Start(settings=Settings(state_dir=tmp_path, media=settings), ports={})
    first = MediaSubsystem(Bell())
    ports = await first.start(started)
    await eventually_async(lambda: first.figures().get("freeswitch_up") == 1, 20)
    assert first.figures()["freeswitch_starts"] == 1
    await first.stop()
    second = MediaSubsystem(Bell())
    assert await second.start(started) == ports
    await eventually_async(lambda: second.figures().get("freeswitch_up") == 1, 20)
    await second.stop()


async def test_a_freeswitch_that_is_not_there_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    settings = MediaSettings(engine="freeswitch", freeswitch_program=str(tmp_path / "missing"))
    with pytest.raises(FreeSwitchFailed, match=r"media\.freeswitch_program"):
        await MediaSubsystem(Bell()).start(Start(settings=Settings(state_dir=tmp_path, media=settings), ports={}))


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
