"""Callers over real UDP who are brought together: what each hears is told by the tones of the others."""

import asyncio
import wave
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_agent.media.codecs import ALL
from edge_agent.media.embedded import coding
from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.media.errors import NobodyLeft, RecordingFailed, SessionEnded
from edge_agent.media.session import EndCause, MediaSession, Prompt, Seat
from edge_agent.processes.media import MediaProcess, MediaProcessSettings, build_media_process
from tests.support.media_caller import OPUS, MediaCaller
from tests.support.waiting import eventually_async

PORTS = EngineSettings("127.0.0.1", 20_000, 39_999)
SECOND = 50
"""Packets."""
CODECS = {codec.payload_type: codec for codec in ALL}


class Scene:
    """An application that does what the test says."""

    def __init__(self, play: Callable[[MediaSession], Awaitable[object]], *prompts: Prompt) -> None:
        self._play, self.prompts = play, prompts
        self.sessions: list[MediaSession] = []
        self.causes: list[EndCause] = []

    async def run(self, session: MediaSession) -> None:
        self.sessions.append(session)
        await session.answer()
        try:
            await self._play(session)
        except SessionEnded as ended:
            self.causes.append(EndCause(ended.cause))
            raise


async def joined(session: MediaSession) -> None:
    await session.join("blue")
    await session.over()


async def media(scene: Scene) -> MediaProcess:
    return await build_media_process(MediaProcessSettings(engine=PORTS), applications={"scene": scene})


def says(hertz: float, codec: int = 0) -> Callable[[int], bytes]:
    """A tone without a seam between its frames."""
    rate = CODECS[codec].rate
    coder, size = coding.coder(CODECS[codec], rate), rate // SECOND

    def frame(number: int) -> bytes:
        at = np.arange(size * number, size * (number + 1))
        return coder.encode((6000 * np.sin(2 * np.pi * hertz * at / rate)).astype(np.int16))

    return frame


def tones(caller: MediaCaller, codec: int = 0, packets: int = SECOND // 2) -> set[int]:
    """The frequencies, to 100 Hz, in what was heard last."""
    rate = CODECS[codec].rate
    coder = coding.coder(CODECS[codec], rate)
    decoded = np.concatenate([coder.decode(payload) for payload in caller.heard.payloads])
    samples = decoded[-packets * rate // SECOND :].astype(np.float64)
    spectrum: npt.NDArray[np.float64] = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) / len(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    return {round(float(each) / 100) * 100 for each in hertz[spectrum > 300]}


async def packets_more(caller: MediaCaller, count: int = SECOND) -> None:
    wanted = len(caller.heard.payloads) + count
    await eventually_async(lambda: len(caller.heard.payloads) >= wanted)


async def test_three_callers_in_a_mix_hear_the_other_two() -> None:
    process = await media(scene := Scene(joined))
    async with AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(MediaCaller(process.sip_port, codec, "scene")) for codec in (0, 8, 0)
        ]
        for caller, hertz, codec in zip(callers, (500, 900, 1700), (0, 8, 0), strict=True):
            assert await caller.invite() == 200
            caller.start_sending(says(hertz, codec))
        await packets_more(callers[2])
        assert [tones(caller, codec) for caller, codec in zip(callers, (0, 8, 0), strict=True)] == [
            {900, 1700},
            {500, 1700},
            {500, 900},
        ]
        await scene.sessions[1].join("blue", Seat(muted=True))
        await packets_more(callers[0])
        assert tones(callers[0]) == {1700}
        assert await callers[2].bye() == 200
        await packets_more(callers[0])
        assert tones(callers[0]) == set()
        await scene.sessions[1].leave()
        await packets_more(callers[1])
        assert tones(callers[1], 8) == set()
    await process.close()


@pytest.mark.parametrize("other", [9, pytest.param(OPUS, marks=pytest.mark.peer("baresip"))])
async def test_two_with_wideband_phones_hear_each_other_so_and_a_third_with_a_telephone_as_it_can(other: int) -> None:
    process = await media(scene := Scene(joined))
    async with AsyncExitStack() as stack:
        codecs = (9, other, 0)
        callers = [await stack.enter_async_context(MediaCaller(process.sip_port, codec, "scene")) for codec in codecs]
        for caller, hertz, codec in zip(callers, (5500, 900, 1700), codecs, strict=True):
            assert await caller.invite() == 200
            caller.start_sending(says(hertz, codec))
        await eventually_async(lambda: len(scene.sessions) == 3)
        room = await scene.sessions[0].join("blue")
        await eventually_async(lambda: room.members == 3)
        await packets_more(callers[2])
        assert [tones(caller, codec) for caller, codec in zip(callers, codecs, strict=True)] == [
            {900, 1700},
            {1700, 5500},
            {900},
        ]
    await process.close()


async def test_a_sound_in_a_mix_is_heard_by_all_and_over_when_it_is(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((6000 * np.sin(2 * np.pi * 1200 * np.arange(12_000) / 8000)).astype("<i2").tobytes())
    prompt = Prompt(tmp_path / "tone.wav")
    process = await media(scene := Scene(joined, prompt))
    async with MediaCaller(process.sip_port, user="scene") as one, MediaCaller(process.sip_port, user="scene") as two:
        assert [await one.invite(), await two.invite()] == [200, 200]
        await packets_more(two)
        room = await scene.sessions[0].join("blue")
        assert room.members == 2
        playing = asyncio.create_task(room.play(prompt))
        await packets_more(one)
        assert (tones(one), tones(two)) == ({1200}, {1200})
        await playing
        await scene.sessions[0].leave()
        await scene.sessions[1].leave()
        with pytest.raises(NobodyLeft):
            await room.play(prompt)
    await process.close()


@pytest.mark.parametrize("first_leaves", [True, False])
async def test_two_callers_are_bridged_until_one_hangs_up(first_leaves: bool) -> None:
    waiting: list[MediaSession] = []

    async def meet(session: MediaSession) -> None:
        if waiting:
            await session.bridge(waiting[0])
        else:
            waiting.append(session)
            await session.over()

    process = await media(scene := Scene(meet))
    async with MediaCaller(process.sip_port, user="scene") as one, MediaCaller(process.sip_port, user="scene") as two:
        assert await one.invite() == 200
        one.start_sending(says(500))
        assert await two.invite() == 200
        two.start_sending(says(900))
        await packets_more(two)
        assert (tones(one), tones(two)) == ({900}, {500})
        assert await (one if first_leaves else two).bye() == 200
        if first_leaves:  # the bridge is over, and so is the application
            await eventually_async(lambda: two.requests == ["BYE"])
            assert scene.causes == []
        else:
            await eventually_async(lambda: scene.causes == [EndCause.CALLER])
            await packets_more(one)
            assert tones(one) == set()
    await process.close()


async def test_a_caller_who_hangs_up_leaves_the_mix() -> None:
    process = await media(scene := Scene(joined))
    async with MediaCaller(process.sip_port, user="scene") as one, MediaCaller(process.sip_port, user="scene") as two:
        assert [await one.invite(), await two.invite()] == [200, 200]
        room = await scene.sessions[0].join("blue")
        await eventually_async(lambda: room.members == 2)
        assert await two.bye() == 200
        await eventually_async(lambda: room.members == 1)
    await process.close()


async def test_a_mix_is_recorded_as_all_of_it_sounds_until_it_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "all.wav"
    process = await media(scene := Scene(joined))
    async with MediaCaller(process.sip_port, user="scene") as one, MediaCaller(process.sip_port, user="scene") as two:
        for caller, hertz in ((one, 500), (two, 900)):
            assert await caller.invite() == 200
            caller.start_sending(says(hertz))
        room = await scene.sessions[0].join("blue")
        await packets_more(two)
        await room.record(path, 60.0)
        with pytest.raises(RecordingFailed, match="already"):
            await room.record(tmp_path / "another.wav", 60.0)
        await packets_more(two, 2 * SECOND)
        await room.stop_recording(tmp_path / "another.wav")
        await room.stop_recording(path)
        size = path.stat().st_size
        await packets_more(two)
        assert path.stat().st_size == size
    await process.close()
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
    assert len(samples) >= 1.9 * 8000
    spectrum: npt.NDArray[np.float64] = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) / len(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / 8000)
    assert {round(float(each) / 100) * 100 for each in frequencies[spectrum > 300]} == {500, 900}


async def test_a_recording_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    process = await media(scene := Scene(joined))
    async with MediaCaller(process.sip_port, user="scene") as one:
        assert await one.invite() == 200
        room = await scene.sessions[0].join("blue")
        with pytest.raises(RecordingFailed):
            await room.record(tmp_path / "missing" / "all.wav", 60.0)
        await room.record(tmp_path / "all.wav", 60.0)
        await room.stop_recording(tmp_path / "all.wav")
    await process.close()
