"""A real browser calls the embedded engine by WebRTC: ICE, DTLS-SRTP and audio, both ways."""

import asyncio
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from edge_agent.clock import SystemClock
from edge_agent.media.embedded.engine import EmbeddedEngine, EngineSettings
from edge_agent.media.session import Collected, Prompt
from edge_agent.tokens import SystemTokens
from tests.support.browser_caller import BrowserCaller, browser_caller
from tests.support.call_leg import RecordingLeg
from tests.support.waiting import eventually_async

SAID_BY_US, SAID_BY_THE_PAGE = 700, 1100


async def until(check: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something that has to be asked for."""
    try:
        async with asyncio.timeout(20):
            while not await check():
                pass
    except TimeoutError:
        raise AssertionError(f"not within 20 s: {what}") from None


def tone(path: Path) -> Prompt:
    samples = (9000 * np.sin(2 * np.pi * SAID_BY_US * np.arange(8000 * 60) / 8000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return Prompt(path)


def loudest_in(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)[-rate:]
    assert len(samples) == rate
    assert float(np.sqrt(np.mean(samples**2))) > 500
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(rate)))))


async def hears_us(page: BrowserCaller) -> bool:
    return abs(await page.heard_hz() - SAID_BY_US) < 12


@pytest.mark.peer("chromium")
@pytest.mark.parametrize("codec", ["opus", "G722", "PCMU"])
async def test_a_browser_and_the_engine_hear_each_other_and_keys_and_a_restart_of_ice_go_through(
    tmp_path: Path, codec: str
) -> None:
    prompt = tone(tmp_path / "tone.wav")
    engine = EmbeddedEngine(EngineSettings("127.0.0.1", 20_000, 39_999), [prompt], SystemClock(), SystemTokens())
    async with browser_caller() as page:
        leg = RecordingLeg(await page.offer(SAID_BY_THE_PAGE, codec))
        session = engine.session(leg)
        answering = asyncio.create_task(session.answer())
        session.confirmed(None)
        await page.answered(session.description)
        await answering
        playing = asyncio.create_task(session.play(prompt))
        await until(lambda: hears_us(page), "the page hears our tone")
        assert (await page.stats("transport"))["dtlsState"] == "connected"
        assert (await page.stats("transport"))["srtpCipher"] == "SRTP_AES128_CM_HMAC_SHA1_80"
        recorded = await session.record(tmp_path / "said.wav", 3.0)
        assert recorded.seconds == pytest.approx(3.0, abs=0.1)
        assert loudest_in(tmp_path / "said.wav") == pytest.approx(SAID_BY_THE_PAGE, abs=12)
        await page.press("5")
        assert await session.collect(1, 10.0) == Collected("5", True)
        before = session.stream.packets_received
        await page.answered(session.reoffered(await page.restart()))
        await eventually_async(lambda: session.stream.packets_received > before + 100)
        await until(lambda: hears_us(page), "the page hears us after a restart of ICE")
        assert await page.state() == "connected"
        playing.cancel()
        await asyncio.wait([playing])
        await session.hang_up()
    assert engine.sessions == 0
