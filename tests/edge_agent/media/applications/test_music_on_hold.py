"""Music on hold over loopback: it goes on and on, also for who only listens (RFC 7088)."""

import wave
from pathlib import Path

import numpy as np
import pytest

from edge_agent.media.applications.music_on_hold import MUSIC, HoldMusic, MusicOnHold
from edge_agent.media.embedded.wav import load
from edge_agent.media.session import Prompt
from edge_agent.processes.media import build_media_process
from tests.edge_agent.media.test_calls import audio, pitch, settings
from tests.support.media_caller import MediaCaller
from tests.support.waiting import eventually_async

PACKETS_A_SECOND = 50


def short_music(path: Path) -> Prompt:
    """A tenth of a second of 800 Hz."""
    samples = (8000 * np.sin(2 * np.pi * 800 * np.arange(800) / 8000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return Prompt(path)


async def test_music_goes_on_beyond_its_end_for_one_who_only_listens(tmp_path: Path) -> None:
    music = MusicOnHold(HoldMusic(short_music(tmp_path / "music.wav")))
    process = await build_media_process(settings(silence_seconds=0.3), applications={"music": music})
    async with MediaCaller(process.sip_port, user="music") as caller:
        assert await caller.invite("recvonly") == 200
        assert "a=sendonly" in caller.responses[-1][2]
        await eventually_async(lambda: len(caller.heard.payloads) >= PACKETS_A_SECOND, within=20)
        assert pitch(audio(caller, 0, 10)) == pytest.approx(800, abs=10)
        assert caller.requests == []
        assert await caller.bye() == 200
    await eventually_async(lambda: process.engine.sessions == 0)
    await process.close()


def test_the_music_that_ships_is_soft_and_has_no_break_where_it_begins_again() -> None:
    samples = load(MUSIC.path).samples.astype(np.float64)
    assert 20 < len(samples) / 8000 < 60
    assert np.abs(samples).max() < 8000
    assert np.sqrt(np.mean(samples**2)) > 500
    step = np.abs(np.diff(np.concatenate((samples[-400:], samples[:400]))))
    assert step.max() <= np.abs(np.diff(samples)).max()
    quarter = samples[: len(samples) // 4 * 4].reshape(4, -1)
    assert all(np.sqrt(np.mean(part**2)) > 500 for part in quarter)
