"""Speech over 5 % loss and 30 ms of jitter on real UDP, recorded and played by the engine, scored by STOI.

STOI (Taal, Hendriks, Heusdens and Jensen, 2011) predicts how many words listeners understand. By the curve of that
paper for English sentences, 100 / (1 + exp(-17.4906 d + 9.6921)), a score of 0.75 is 97 words of 100: the threshold,
which was set before anything was measured.
"""

import asyncio
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pystoi import stoi

from edge_agent.media import spoken
from edge_agent.media.codecs import NARROW
from edge_agent.media.embedded import g711, wav
from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.processes.media import MediaProcessSettings, build_media_process
from tests.support.impaired_relay import ImpairedRelay
from tests.support.media_caller import MediaCaller
from tests.support.waiting import eventually_async

UNDERSTOOD = 0.75
LOST, JITTER_SECONDS = 0.05, 0.03
TEXTS = (
    "The delivery for the second floor arrives on Thursday morning.",
    "Please call the workshop back before the end of the week.",
    "Nobody told the night shift that the north gate is closed.",
)
_PAUSE = 4000
"""Samples between two sentences, and before the first."""
_SEARCHED = 6400
"""Samples: how late a sentence may be against the one before it."""

Sound = npt.NDArray[np.float64]
pytestmark = [pytest.mark.peer("espeak-ng"), pytest.mark.timeout(180)]


@dataclass
class Recording:
    """Records a caller as voicemail does, until he hangs up."""

    path: Path
    prompts: tuple[Prompt, ...] = ()

    async def run(self, session: MediaSession) -> None:
        await session.answer()
        await session.record(self.path, 60)


@dataclass
class Playing:
    """Plays a message as voicemail does."""

    path: Path
    prompts: tuple[Prompt, ...] = ()

    async def run(self, session: MediaSession) -> None:
        await session.answer()
        await session.play(Prompt(self.path))


class FarCaller(MediaCaller):
    """A caller at the other end of a bad network."""

    def __init__(self, server_port: int, user: str, network: ImpairedRelay) -> None:
        super().__init__(server_port, user=user)
        self._network = network

    def _description(self, direction: str) -> str:
        own = f"m=audio {self._rtp.getsockname()[1]} "
        return super()._description(direction).replace(own, f"m=audio {self._network.far[1]} ")

    def _learn_media(self, description: str) -> None:
        super()._learn_media(description)
        self._network.phone, self._network.engine = self._rtp.getsockname(), self.remote_rtp
        self.remote_rtp = self._network.near

    def heard_sound(self) -> Sound:
        """What came, each packet at its time; what did not is silence, as with a phone that conceals nothing."""
        first = min(self.heard.timestamps)
        sound = np.zeros(max(self.heard.timestamps) - first + 160)
        for at, payload in zip(self.heard.timestamps, self.heard.payloads, strict=True):
            sound[at - first : at - first + len(payload)] = g711.decode(0, payload)
        return sound


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> list[Sound]:
    """What is said."""
    folder = tmp_path_factory.mktemp("said")
    found = []
    for number, text in enumerate(TEXTS):
        spoken.speak("en-us", text, folder / f"{number}.wav")
        found.append(wav.load(folder / f"{number}.wav").samples.astype(np.float64))
    return found


def together(sentences: list[Sound]) -> npt.NDArray[np.int16]:
    parts = [np.zeros(_PAUSE)]
    for one in sentences:
        parts += [one, np.zeros(_PAUSE)]
    return np.concatenate(parts).astype(np.int16)


def score(sentences: list[Sound], heard: Sound) -> float:
    """The mean of the sentences' scores, each found where it fits best: a jitter buffer moves in the pauses."""
    scores, at = [], 0
    for one in sentences:
        part = heard[at : at + _PAUSE + len(one) + _SEARCHED]
        part = np.pad(part, (0, max(0, len(one) - len(part))))
        size = len(part) + len(one)
        found = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(one, size)), size)
        start = int(np.argmax(found[: len(part) - len(one) + 1]))
        scores.append(float(stoi(one, part[start : start + len(one)], NARROW)))
        at += start + len(one)
    return float(np.mean(scores))


async def test_a_message_that_was_left_and_one_that_is_played_are_understood(
    tmp_path: Path, sentences: list[Sound]
) -> None:
    said, left, kept = together(sentences), tmp_path / "left.wav", tmp_path / "kept.wav"
    with wave.open(str(kept), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(NARROW)
        file.writeframes(said.astype("<i2").tobytes())
    settings = MediaProcessSettings(engine=EngineSettings("127.0.0.1", 20_000, 39_999))
    process = await build_media_process(settings, applications={"leave": Recording(left), "hear": Playing(kept)})
    frames = [g711.encode(0, said[at : at + 160]) for at in range(0, len(said) - 159, 160)]
    silence = b"\xff" * 160
    async with ImpairedRelay(LOST, JITTER_SECONDS, 1) as network:
        async with FarCaller(process.sip_port, "leave", network) as caller:
            assert await caller.invite() == 200
            sent = asyncio.Event()

            def frame(number: int) -> bytes:
                if number >= len(frames) + 25:
                    sent.set()
                return frames[number] if number < len(frames) else silence

            caller.start_sending(frame)
            await asyncio.wait_for(sent.wait(), 90)
            caller.stop_sending()
            assert await caller.bye() == 200
        assert network.paths[0].dropped > 5
        assert network.paths[0].sent > len(frames)
    async with (
        ImpairedRelay(LOST, JITTER_SECONDS, 3) as network,
        FarCaller(process.sip_port, "hear", network) as caller,
    ):
        assert await caller.invite() == 200
        caller.start_sending(lambda number: silence)
        await eventually_async(lambda: "BYE" in caller.requests, within=90, what="the message is over")
        played = caller.heard_sound()
        assert network.paths[1].dropped > 5
    await process.close()
    recorded = score(sentences, wav.load(left).samples.astype(np.float64))
    heard = score(sentences, played)
    print(f"STOI of what was left {recorded:.3f}, of what is played {heard:.3f}; understood from {UNDERSTOOD}")
    assert recorded >= UNDERSTOOD
    assert heard >= UNDERSTOOD


def test_the_measure_tells_what_was_said_from_other_words_and_from_speech_that_is_half_gone(
    sentences: list[Sound],
) -> None:
    said = together(sentences).astype(np.float64)
    assert score(sentences, said) > 0.99
    others = together([sentences[1], sentences[2], sentences[0]]).astype(np.float64)
    assert score(sentences, others) < UNDERSTOOD - 0.2
    holes = np.random.default_rng(1).random(len(said) // 160 + 1) < 0.5
    assert score(sentences, np.where(np.repeat(holes, 160)[: len(said)], 0.0, said)) < UNDERSTOOD
