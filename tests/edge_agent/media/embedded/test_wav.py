"""Prompts from files."""

import wave
from pathlib import Path

import pytest

from edge_agent.media.applications.echo_test import ANNOUNCEMENT
from edge_agent.media.embedded import wav
from edge_agent.media.errors import PromptError


def write(path: Path, rate: int = 8000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(bytes(1600))
    return path


def test_the_announcement_that_is_shipped_loads_and_is_speech_of_a_few_seconds() -> None:
    samples = wav.load(ANNOUNCEMENT.path)
    assert 3 < len(samples) / 8000 < 10
    assert int(abs(samples).max()) > 8000


def test_a_file_of_the_right_shape_loads(tmp_path: Path) -> None:
    assert len(wav.load(write(tmp_path / "p.wav"))) == 800


@pytest.mark.parametrize("shape", [{"rate": 16000}, {"channels": 2}, {"width": 1}])
def test_a_file_of_another_shape_is_refused_with_its_shape(tmp_path: Path, shape: dict[str, int]) -> None:
    with pytest.raises(PromptError, match="want 8000, 1, 16"):
        wav.load(write(tmp_path / "p.wav", **shape))


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"no wave at all" * 10])
def test_a_file_that_is_missing_or_no_wav_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "p.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PromptError, match=r"p\.wav: cannot be read"):
        wav.load(path)
