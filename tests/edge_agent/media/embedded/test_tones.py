"""Keys as tones: what the standard says has to be heard, and what must not be taken for a key."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.applications.tone import CONFIRMED
from edge_agent.media.embedded import wav
from edge_agent.media.embedded.g711 import Samples, decode, encode
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.stream import AudioStream, Digit
from edge_agent.media.embedded.tones import ToneReader
from edge_agent.media.sdp import AudioPlan, Direction
from tests.edge_agent.media.embedded.test_stream import PHONE
from tests.support.counted_tokens import CountedTokens
from tests.support.voice_sounds import speech

KEYS = "123A456B789C*0#D"
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def pressed(
    keys: str,
    on: float = 0.04,
    off: float = 0.04,
    level: float = 4000.0,
    twist_db: float = 0.0,
    offset: float = 0.0,
    delay: int = 0,
) -> Samples:
    """Keys one after the other, seconds on and off; `twist_db` is how much louder the high tone is."""
    parts = [np.zeros(delay)]
    at = np.arange(int(8000 * on)) / 8000
    for key in keys:
        row, column = divmod(KEYS.index(key), 4)
        low = np.sin(2 * np.pi * LOW[row] * (1 + offset) * at)
        high = np.sin(2 * np.pi * HIGH[column] * (1 + offset) * at + 1.0)
        parts += [level * (low + 10 ** (twist_db / 20) * high), np.zeros(int(8000 * off))]
    samples: Samples = np.concatenate((*parts, np.zeros(480))).astype(np.int16)
    return samples


def heard(samples: Samples) -> str:
    reader = ToneReader()
    return "".join(reader.hear(samples[at : at + 160]) for at in range(0, len(samples) - 159, 160))


@given(st.text(KEYS, max_size=12), st.integers(0, 400))
def test_every_key_of_40_ms_is_heard_once_wherever_it_begins(keys: str, delay: int) -> None:
    assert heard(pressed(keys, delay=delay)) == keys


@pytest.mark.parametrize("codec", [0, 8])
@pytest.mark.parametrize(
    "changed",
    [
        {"level": 400.0},
        {"level": 12_000.0},
        {"twist_db": 4.0},
        {"twist_db": -8.0},
        {"offset": 0.015},
        {"offset": -0.015},
        {"on": 2.0},
        {"off": 0.5},
    ],
)
def test_keys_are_heard_as_q_24_wants_them(codec: int, changed: dict[str, float]) -> None:
    samples = pressed(KEYS, **changed)  # type: ignore[arg-type]
    assert heard(decode(codec, encode(codec, samples))) == KEYS


def test_keys_are_heard_in_noise_of_15_db() -> None:
    samples = pressed(KEYS * 4, level=5000)
    noise = np.random.default_rng(1).normal(0, 5000 / 10 ** (15 / 20), len(samples))
    assert heard((samples + noise).astype(np.int16)) == KEYS * 4


@pytest.mark.parametrize("offset", [0.04, -0.04])
def test_tones_beside_those_of_keys_are_none(offset: float) -> None:
    assert heard(pressed(KEYS, on=0.2, offset=offset)) == ""


def test_single_tones_noise_and_a_voice_are_no_keys() -> None:
    at = np.arange(8000 * 2) / 8000
    for hertz in (*LOW, *HIGH, 440):
        assert heard((8000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)) == ""
    assert heard(np.random.default_rng(2).normal(0, 4000, 8000 * 60).astype(np.int16)) == ""
    assert heard(speech(60.0)) == ""


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_nothing_that_our_prompts_say_is_a_key(language: str) -> None:
    for path in sorted((CONFIRMED.path.parent / language).glob("*.wav")):
        assert heard(wav.load(path).samples) == "", path.name


@pytest.mark.parametrize(("event_type", "found"), [(None, "42#"), (101, "")])
def test_a_stream_listens_for_tones_where_no_events_were_agreed_on(event_type: int | None, found: str) -> None:
    made = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    made.agree(AudioPlan(PHONE, 0, frozenset({0}), event_type, Direction.SENDRECV), 0.0)
    samples = pressed("42#", on=0.1, off=0.1)
    digits = ""
    for number in range(len(samples) // 160 + 5):
        frame = samples[160 * number : 160 * number + 160]
        if len(frame) == 160:
            made.receive(Packet(0, number, 160 * number, 5, encode(0, frame)).to_bytes(), PHONE, 0.0)
        digits += "".join(action.digit for action in made.tick(0.0) if isinstance(action, Digit))
    assert digits == found
