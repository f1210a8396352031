"""A call with G.722: prompts, echoes, keys, recordings and a change of the codec, without sockets."""

import wave
from pathlib import Path

import numpy as np
import pytest

from edge_agent.media.codecs import PCMA, STATIC
from edge_agent.media.embedded import coding, rtp, wav
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.recorder import Recorder
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.embedded.stream import AudioStream, Digit, Played, Send
from edge_agent.media.sdp import AudioPlan, Direction
from tests.edge_agent.media.embedded.test_coding import frames, level, tone
from tests.support.counted_tokens import CountedTokens

PHONE = ("192.0.2.10", 4000)
TONE_OF_5 = (770, 1336)


def plan(codec: int, event_type: int | None = 101) -> AudioPlan:
    return AudioPlan(PHONE, codec, frozenset({codec}), event_type, Direction.SENDRECV)


class Talk:
    """The peer of a stream: it says a sound and hears what comes of it."""

    def __init__(self, codec: int = 9, event_type: int | None = 101) -> None:
        self.stream = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
        self.stream.agree(plan(codec, event_type), 0.0)
        self.use(codec)
        self.sequence = 0
        self.events: list[object] = []
        self.packets: list[Packet] = []

    def use(self, codec: int) -> None:
        self.codec, self.rate = codec, STATIC[codec].rate
        self.coder, self.hearing = (coding.coder(STATIC[codec], self.rate) for _ in range(2))

    def says(self, sound: Samples) -> Samples:
        """What is heard while this is said."""
        heard = [np.zeros(0, np.int16)]
        for frame in frames(sound, self.rate // 50):
            payload = self.coder.encode(frame)
            self.stream.receive(Packet(self.codec, self.sequence, 160 * self.sequence, 5, payload).to_bytes(), PHONE, 0)
            self.sequence += 1
            for action in self.stream.tick(0.0):
                if isinstance(action, Send):
                    packet = rtp.parse(action.data)
                    assert isinstance(packet, Packet)
                    self.packets.append(packet)
                    heard.append(self.hearing.decode(packet.payload))
                else:
                    self.events.append(action)
        return np.concatenate(heard)


def test_what_is_echoed_keeps_what_a_telephone_would_lose() -> None:
    talk = Talk()
    talk.stream.echoing = True
    assert level(talk.says(tone(6000, 1.0)), 6000) == pytest.approx(6000, rel=0.1)
    first = talk.packets[0]
    assert [(p.timestamp - first.timestamp) & 0xFFFFFFFF for p in talk.packets[:3]] == [0, 160, 320]
    assert {(p.payload_type, len(p.payload)) for p in talk.packets} == {(9, 160)}


@pytest.mark.parametrize(("rate", "codec"), [(8000, 9), (16_000, 9), (16_000, 8)])
def test_a_prompt_of_either_rate_is_heard_at_its_pitch_and_for_its_length(rate: int, codec: int) -> None:
    talk = Talk(codec)
    talk.stream.play(Sound(tone(1000, 0.5, rate), rate))
    heard = talk.says(np.zeros(STATIC[codec].rate * 24 // 50, np.int16))
    assert level(heard, 1000, talk.rate) == pytest.approx(6000, rel=0.1)
    assert talk.stream.played_seconds == pytest.approx(0.48)
    talk.says(np.zeros(STATIC[codec].rate // 50, np.int16))
    assert talk.events == [Played()]


def test_keys_as_tones_are_heard_in_wideband_audio() -> None:
    talk = Talk(event_type=None)
    key = tone(TONE_OF_5[0], 0.1) + tone(TONE_OF_5[1], 0.1)
    talk.says(np.concatenate([key, np.zeros(1600, np.int16), key, np.zeros(3200, np.int16)]))
    assert talk.events == [Digit("5"), Digit("5")]
    talk.says(tone(6000))
    assert len(talk.events) == 2


def test_a_call_that_changes_its_codec_goes_on_in_the_other_one() -> None:
    talk = Talk()
    talk.stream.echoing = True
    talk.says(tone(6000))
    talk.stream.agree(plan(8), 0.0)
    talk.use(8)
    assert level(talk.says(tone(1000, 1.0, 8000)), 1000, 8000) == pytest.approx(6000, rel=0.05)
    assert talk.stream.rate == PCMA.rate
    talk.stream.agree(plan(9), 0.0)
    talk.use(9)
    assert level(talk.says(tone(6000, 1.0)), 6000) == pytest.approx(6000, rel=0.1)


def test_a_description_that_only_moves_the_audio_leaves_the_codec_where_it_was() -> None:
    talk = Talk()
    talk.stream.echoing = True
    before = talk.says(tone(6000))[-3200:]
    talk.stream.agree(plan(9, event_type=None), 0.0)
    after = talk.says(tone(6000))
    assert level(np.concatenate([before, after[:3200]]), 6000) == pytest.approx(6000, rel=0.1)


@pytest.mark.parametrize(("rate", "kept"), [(16_000, 6000), (8000, 0)])
def test_a_recording_has_the_rate_that_it_began_with(tmp_path: Path, rate: int, kept: int) -> None:
    recorder = Recorder(tmp_path / "said.wav", rate, 60.0, 0.0, lambda: None)
    for frame in frames(tone(6000, 1.0), 320):
        recorder.hear(frame)
    for frame in frames(tone(1000, 1.0, 8000), 160):
        recorder.hear(frame)
    recorder.close()
    assert recorder.seconds == 2.0
    with wave.open(str(tmp_path / "said.wav"), "rb") as file:
        assert (file.getframerate(), file.getnframes()) == (rate, 2 * rate)
    sound = wav.load(tmp_path / "said.wav")
    first, second = sound.samples[:rate], sound.samples[rate:]
    assert level(first, 6000, 16_000 if kept else 8000) == pytest.approx(kept, abs=30)
    assert level(second, 1000, rate) == pytest.approx(6000, rel=0.01)
    assert sound.rate == rate
