"""Whole calls over loopback: a small caller, the user agent, the application and the embedded engine."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.media.embedded.g711 import Samples, decode, encode
from edge_agent.media.embedded.session import SessionLimits
from edge_agent.processes.media import MediaProcess, MediaProcessSettings, build_media_process
from tests.support.media_caller import MediaCaller
from tests.support.waiting import eventually_async

RTP_PORTS = 20_000, 39_999
ANNOUNCEMENT_FRAMES = 301


def settings(most_sessions: int = 10, silence_seconds: float = 30.0) -> MediaProcessSettings:
    return MediaProcessSettings(
        engine=EngineSettings("127.0.0.1", *RTP_PORTS, most_sessions, SessionLimits(silence_seconds, 60.0))
    )


@pytest.fixture
async def process() -> AsyncIterator[MediaProcess]:
    made = await build_media_process(settings())
    yield made
    await made.close()


def tone(frequency: float, codec: int, number: int) -> bytes:
    at = np.arange(160 * number, 160 * number + 160)
    return encode(codec, (9000 * np.sin(2 * np.pi * frequency * at / 8000)).astype(np.int16))


def audio(caller: MediaCaller, codec: int, since: int = 0) -> Samples:
    return decode(codec, b"".join(caller.heard.payloads[since:]))


def pitch(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * 8000 / len(samples)


@pytest.mark.parametrize(("codec", "frequency"), [(0, 1000.0), (8, 650.0)])
async def test_the_echo_test_announces_itself_and_then_returns_the_callers_own_tone(
    process: MediaProcess, codec: int, frequency: float
) -> None:
    async with MediaCaller(process.sip_port, codec) as caller:
        assert await caller.invite() == 200
        caller.start_sending(lambda number: tone(frequency, codec, number))
        heard = caller.heard
        await eventually_async(lambda: len(heard.payloads) >= ANNOUNCEMENT_FRAMES + 60, within=20)
        announcement = audio(caller, codec)[: 8000 * 5].astype(np.float64)
        assert float(np.sqrt(np.mean(announcement**2))) > 500
        echoed = audio(caller, codec, ANNOUNCEMENT_FRAMES + 10)
        assert pitch(echoed) == pytest.approx(frequency, abs=10)
        steps = np.diff(np.array(heard.timestamps, dtype=np.uint32))
        assert set(steps.tolist()) == {160}
        assert heard.sources == {caller.remote_rtp}
        assert await caller.bye() == 200
    await eventually_async(lambda: process.engine.sessions == 0 and process.server.calls == 0)
    late = process.engine.lateness
    print(
        f"tick lateness over {late.ticks} ticks: median {late.quantile_seconds(0.5) * 1000:.1f} ms, "
        f"p99 {late.quantile_seconds(0.99) * 1000:.1f} ms, longest {late.longest_seconds * 1000:.1f} ms"
    )


async def test_a_call_without_an_offer_is_carried_on_the_codec_that_its_ack_names(process: MediaProcess) -> None:
    async with MediaCaller(process.sip_port, 8) as caller:
        assert await caller.invite(offer=False) == 200
        await eventually_async(lambda: len(caller.heard.payloads) >= 25)
        assert await caller.bye() == 200


async def test_hold_stops_the_sound_and_resuming_brings_it_back(process: MediaProcess) -> None:
    async with MediaCaller(process.sip_port) as caller:
        assert await caller.invite() == 200
        await eventually_async(lambda: len(caller.heard.payloads) >= 5)
        assert await caller.invite("inactive") == 200
        assert "a=inactive" in caller.responses[-1][2]
        held = len(caller.heard.payloads)
        assert await caller.invite("sendrecv") == 200
        assert len(caller.heard.payloads) <= held + 2
        await eventually_async(lambda: len(caller.heard.payloads) >= held + 20)
        assert await caller.bye() == 200


async def test_an_application_that_does_not_exist_is_not_found(process: MediaProcess) -> None:
    async with MediaCaller(process.sip_port, user="nobody") as caller:
        assert await caller.invite() == 404
    assert process.server.calls == 0


async def test_a_codec_that_we_do_not_have_is_not_acceptable_and_takes_no_port(process: MediaProcess) -> None:
    async with MediaCaller(process.sip_port, payload_type=18) as caller:
        assert await caller.invite() == 488
    assert process.engine.sessions == 0


async def test_a_call_that_sends_no_audio_is_hung_up() -> None:
    process = await build_media_process(settings(silence_seconds=0.3))
    async with MediaCaller(process.sip_port) as caller:
        assert await caller.invite() == 200
        await eventually_async(lambda: caller.requests == ["BYE"])
        await eventually_async(lambda: process.server.calls == 0)
    await process.close()


async def test_calls_beyond_the_limit_are_refused_and_a_place_that_is_given_back_is_used_again() -> None:
    process = await build_media_process(settings(most_sessions=1))
    async with (
        MediaCaller(process.sip_port) as first,
        MediaCaller(process.sip_port) as second,
        MediaCaller(process.sip_port) as third,
    ):
        assert await first.invite() == 200
        assert await second.invite() == 503
        assert await first.bye() == 200
        assert await third.invite() == 200
    await process.close()


async def test_stopping_hangs_up_every_call() -> None:
    process = await build_media_process(settings())
    async with MediaCaller(process.sip_port) as caller:
        assert await caller.invite() == 200
        await eventually_async(lambda: len(caller.heard.payloads) >= 2)
        await process.close()
        await eventually_async(lambda: caller.requests == ["BYE"])


async def test_packets_of_a_stranger_are_counted_and_not_echoed(process: MediaProcess) -> None:
    async with MediaCaller(process.sip_port) as caller, MediaCaller(process.sip_port) as stranger:
        assert await caller.invite() == 200
        caller.send_packet(0, 0, 0, tone(500, 0, 0))
        await eventually_async(lambda: len(caller.heard.payloads) >= 2)
        stranger.remote_rtp = caller.remote_rtp
        for number in range(20):
            stranger.send_packet(0, number, 160 * number, tone(2000, 0, number))
        await eventually_async(lambda: process.engine.drops["foreign_source"] == 20)
        assert stranger.heard.payloads == []
        assert await caller.bye() == 200
