"""Prompts from files."""

import contextlib
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.applications.echo_test import ANNOUNCEMENT
from edge_agent.media.embedded import g711, wav
from edge_agent.media.errors import PromptError
from edge_agent.media.wav_head import linear_head


def write(path: Path, rate: int = 8000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(bytes(1600))
    return path


def test_the_announcement_that_is_shipped_loads_and_is_speech_of_a_few_seconds() -> None:
    sound = wav.load(ANNOUNCEMENT.path)
    assert 3 < sound.seconds < 10
    assert int(abs(sound.samples).max()) > 8000


def test_a_file_of_the_right_shape_loads(tmp_path: Path) -> None:
    assert wav.load(write(tmp_path / "p.wav")).seconds == 0.1
    assert wav.load(write(tmp_path / "p.wav", rate=16_000)).seconds == 0.05


@pytest.mark.parametrize("shape", [{"rate": 44_100}, {"channels": 2}, {"width": 1}])
def test_a_file_of_another_shape_is_refused_with_its_shape(tmp_path: Path, shape: dict[str, int]) -> None:
    with pytest.raises(PromptError, match="want 8000 Hz, 1, 16 linear or"):
        wav.load(write(tmp_path / "p.wav", **shape))


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"no wave at all" * 10])
def test_a_file_that_is_missing_or_no_wav_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "p.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PromptError, match=r"p\.wav: cannot be read"):
        wav.load(path)


def test_g711_in_a_file_is_what_g711_is_on_the_wire(tmp_path: Path) -> None:
    sound = np.arange(-8000, 8000, 100, dtype=np.int16)
    for kind, payload_type in ((7, 0), (6, 8)):
        data = g711.encode(payload_type, sound)
        shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, 1, 8000, 8000, 1, 8)
        body = b"WAVE" + shape + b"LIST\3\0\0\0abc\0" + struct.pack("<4sI", b"data", len(data)) + data
        assert np.array_equal(
            wav.sound_of(struct.pack("<4sI", b"RIFF", len(body)) + body, "p").samples, g711.decode(payload_type, data)
        )
    path = tmp_path / "long.wav"
    path.write_bytes(linear_head(2 * 8000 * 601) + bytes(2 * 8000 * 601))
    with pytest.raises(PromptError, match="longer than 600 seconds"):
        wav.load(path)


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda rest: linear_head(16)[:20] + rest))
def test_any_bytes_are_samples_or_our_one_error(content: bytes) -> None:
    with contextlib.suppress(PromptError):
        assert wav.sound_of(content, "p").samples.dtype == np.int16


@given(st.integers(0, 60))
def test_a_file_that_was_cut_off_is_what_there_is_of_it(cut: int) -> None:
    content = linear_head(40) + bytes(range(40))
    try:
        assert len(wav.sound_of(content[: 84 - cut], "p").samples) == (40 - cut) // 2
    except PromptError:
        assert cut > 40
