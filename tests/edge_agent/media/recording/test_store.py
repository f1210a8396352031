"""Recordings of calls on the edge's disk."""

from datetime import timedelta
from pathlib import Path

import pytest

from contract.snapshot import RecordingPolicy
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.recording.sealed import SECOND_BYTES
from edge_agent.media.recording.store import CallRecording, CallRecordings
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock

KEY = b"k" * 32


def store(folder: Path, clock: HandClock) -> CallRecordings:
    return CallRecordings(folder / "call_recordings", KEY, clock, SystemTokens())


def begun(clock: HandClock, recording_id: str = "recording-1") -> CallRecording:
    return CallRecording(recording_id=recording_id, sip_call_id="call-1", began_at=clock.now())


def test_one_is_there_once_it_has_ended_and_again_at_the_next_start(tmp_path: Path) -> None:
    clock = HandClock()
    kept = store(tmp_path, clock)
    _, writer, goes_on = kept.open(begun(clock))
    assert not goes_on
    writer.append(bytes(SECOND_BYTES))
    assert kept.all() == []
    assert kept.unended() == ("recording-1",)
    writer.close()
    ended = kept.end("recording-1")
    assert ended is not None
    assert (ended.seconds, kept.all()) == (1.0, [ended])
    assert store(tmp_path, clock).all() == [ended]
    with pytest.raises(RecordingFailed, match="has ended"):
        kept.open(begun(clock))


def test_what_a_kill_left_goes_on_or_ends_at_what_there_is(tmp_path: Path) -> None:
    clock = HandClock()
    _, writer, _ = store(tmp_path, clock).open(begun(clock))
    writer.append(bytes(SECOND_BYTES))
    writer.close()
    again = store(tmp_path, clock)
    assert again.unended() == ("recording-1",)
    first, writer, goes_on = again.open(begun(clock))
    assert (goes_on, writer.seconds, first.began_at) == (True, 1, clock.now())
    writer.close()
    ended = store(tmp_path, clock).end("recording-1")
    assert ended is not None
    assert ended.seconds == 1.0


def test_one_without_sound_is_none(tmp_path: Path) -> None:
    clock = HandClock()
    kept = store(tmp_path, clock)
    _, writer, _ = kept.open(begun(clock))
    writer.close()
    assert kept.end("recording-1") is None
    assert list((tmp_path / "call_recordings").iterdir()) == []


def test_none_begins_when_the_disk_that_they_may_take_is_full(tmp_path: Path) -> None:
    clock = HandClock()
    kept = store(tmp_path, clock)
    kept.policy = RecordingPolicy(disk_mb=10)
    _, writer, _ = kept.open(begun(clock))
    for _ in range(10_000_000 // SECOND_BYTES + 1):
        writer.append(bytes(SECOND_BYTES))
    with pytest.raises(RecordingFailed, match="the 10 MB that they may take"):
        kept.open(begun(clock, "recording-2"))
    writer.close()


def test_none_begins_when_the_disk_is_nearly_full_or_cannot_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = HandClock()
    kept = store(tmp_path, clock)
    with monkeypatch.context() as full:
        full.setattr("edge_agent.media.recording.store.LEAST_FREE_BYTES", 1 << 62)
        with pytest.raises(RecordingFailed, match="nearly full"):
            kept.open(begun(clock))
    (tmp_path / "call_recordings").rmdir()
    with pytest.raises(RecordingFailed, match="the disk would not"):
        kept.open(begun(clock))


def test_they_go_when_their_days_are_over(tmp_path: Path) -> None:
    clock = HandClock()
    kept = store(tmp_path, clock)
    kept.policy = RecordingPolicy(kept_days=30)
    _, writer, _ = kept.open(begun(clock))
    writer.append(bytes(SECOND_BYTES))
    writer.close()
    kept.end("recording-1")
    assert kept.clean() == 0
    clock.advance(timedelta(days=31).total_seconds())
    assert kept.clean() == 1
    assert list((tmp_path / "call_recordings").iterdir()) == []
