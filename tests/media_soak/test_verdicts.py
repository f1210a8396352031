"""The soak sees what it looks for: messages that cannot be played, and memory that grows."""

import json
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.media_soak import memory
from tests.media_soak.memory import Memory
from tests.media_soak.recordings import whole_messages


def left(mailbox: Path, name: str, caller: str, seconds: float, says: float, loudness: int = 9000) -> None:
    with wave.open(str(mailbox / f"{name}.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.full(int(8000 * seconds), loudness, "<i2").tobytes())
    (mailbox / f"{name}.json").write_text(json.dumps({"caller": {"number": caller}, "duration_seconds": says}))


def test_messages_that_are_cut_short_silent_or_without_their_audio_are_named(tmp_path: Path) -> None:
    left(tmp_path, "whole", "200", 4.0, 4.0)
    left(tmp_path, "short", "201", 2.0, 8.0)
    left(tmp_path, "silent", "202", 4.0, 4.0, loudness=0)
    (tmp_path / "alone.json").write_text("{}")
    callers, unusable = whole_messages(tmp_path)
    assert callers == {"200": 1}
    assert sorted(one.split(":")[0] for one in unusable) == [
        "alone.json cannot be played",
        "short.json has 2.0 s of 8.0 s",
        "silent.json is silent",
    ]


def test_memory_that_grows_within_a_run_or_from_run_to_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = Memory()

    def look(name: str, pid: int, *megabytes: float) -> None:
        for each in megabytes:
            monkeypatch.setattr(memory, "memory_mb", lambda pid, each=each: each)
            samples.look(name, pid)

    look("engine", 1, *range(50, 74, 2))
    look("engine", 2, *(12 * [80.0]))
    assert list(samples.problems()) == []
    look("engine", 3, *range(50, 130, 4))
    found = list(samples.problems())
    assert [one.partition(":")[0] for one in found] == [
        "memory of engine grows",
        "memory of engine grows from run to run",
    ]
    assert samples.now() == {"engine": 126.0}


def test_a_process_that_is_gone_gives_no_sample() -> None:
    samples = Memory()
    samples.look("engine", None)
    samples.look("engine", 2**22 + 1)
    assert samples.now() == {}
    samples.look("this", os.getpid())
    assert samples.now()["this"] > 1
