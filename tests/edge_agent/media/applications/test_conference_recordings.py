"""Recordings of conferences on the disk: kept once they end, also after a kill, bounded, and deleted for good."""

import wave
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.clock import SystemClock
from edge_agent.media.applications.conference import recordings as store
from edge_agent.media.applications.conference.recordings import NoSuchRecording, Recordings
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.recording.conference import Recording
from edge_agent.processes.conferences import open_conference_recordings
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock

TOKENS = SystemTokens()


def opened(folder: Path, clock: HandClock | None = None) -> Recordings:
    return Recordings(folder, bytes(32), clock or HandClock(), TOKENS)


def said(recordings: Recordings, recording: Recording, seconds: float = 2.0) -> None:
    with wave.open(str(recordings.audio_file(recording)), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * 16_000)))


def test_what_has_ended_is_listed_the_newest_first_and_still_is_after_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    recordings = opened(tmp_path, clock)
    for room in ("one", "two"):
        recording = recordings.begin(room, room.title())
        said(recordings, recording)
        assert recordings.keep(recording) is not None
        clock.advance(60)
    for each in (recordings, opened(tmp_path)):
        assert [(one.room_id, one.name, one.seconds) for one in each.all()] == [
            ("two", "Two", 2.0),
            ("one", "One", 2.0),
        ]
    assert list(tmp_path.glob("*.draft")) == []


def test_what_goes_on_when_the_process_is_killed_is_kept_at_the_next_start(tmp_path: Path) -> None:
    recordings = opened(tmp_path)
    said(recordings, recordings.begin("room", "Room"), 3.5)
    recordings.begin("silent", "Silent")
    assert recordings.all() == []
    (kept,) = opened(tmp_path).all()
    assert (kept.room_id, kept.seconds) == ("room", 3.5)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".wav"]
    opened(tmp_path).clean(90)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".sealed"]


def test_nothing_that_was_recorded_is_no_recording(tmp_path: Path) -> None:
    recordings = opened(tmp_path)
    assert recordings.keep(recordings.begin("room", "Room")) is None
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_recording_is_gone_and_so_is_one_that_was_being_deleted(tmp_path: Path) -> None:
    recordings = opened(tmp_path)
    recording = recordings.begin("room", "Room")
    said(recordings, recording)
    recordings.keep(recording)
    (tmp_path / "0123456789abcdef.wav").write_bytes(b"its text is gone already")
    (tmp_path / ".name.0123.wav").write_bytes(b"whose caller is gone")
    opened(tmp_path).delete(recording.recording_id)
    assert list(tmp_path.iterdir()) == []
    for unknown in (recording.recording_id, "../secret", ""):
        with pytest.raises(NoSuchRecording):
            opened(tmp_path).delete(unknown)


def test_a_damaged_or_newer_file_costs_one_recording(tmp_path: Path) -> None:
    recordings = opened(tmp_path)
    recording = recordings.begin("room", "Room")
    said(recordings, recording)
    recordings.keep(recording)
    (tmp_path / "aaaaaaaa.json").write_text("{")
    (tmp_path / "bbbbbbbb.json").write_text('{"schema_version": 2}')
    assert [one.recording_id for one in opened(tmp_path).all()] == [recording.recording_id]


def test_there_is_an_end_to_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_RECORDINGS", 1)
    recordings = opened(tmp_path)
    recording = recordings.begin("room", "Room")
    said(recordings, recording)
    recordings.keep(recording)
    with pytest.raises(RecordingFailed, match="delete some first"):
        recordings.begin("room", "Room")
    recordings.delete(recording.recording_id)
    monkeypatch.setattr(store, "LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(RecordingFailed, match="nearly full"):
        recordings.begin("room", "Room")


def whole(recordings: Recordings, recording: Recording) -> bytes:
    return b"".join(recordings.wav(recording.recording_id))


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_what_has_ended_is_encrypted_and_is_heard_as_it_was(tmp_path: Path, rate: int) -> None:
    recordings = opened(tmp_path)
    recording = recordings.begin("room", "Room")
    sound = bytes(range(256)) * (rate // 100)
    with wave.open(str(recordings.audio_file(recording)), "wb") as written:
        written.setparams((1, 2, rate, 0, "NONE", ""))
        written.writeframes(sound)
    plain = recordings.audio_file(recording).read_bytes()
    kept = recordings.keep(recording)
    assert kept is not None
    assert kept.seconds == len(sound) / 2 / rate
    for each in (recordings, opened(tmp_path)):
        assert whole(each, kept) == plain
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".sealed"]
    for file in tmp_path.iterdir():
        assert sound[:256] not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(RecordingFailed, match="another key"):
        whole(Recordings(tmp_path, b"k" * 32, HandClock(), TOKENS), kept)


def test_one_that_a_kill_left_half_encrypted_is_encrypted_again(tmp_path: Path) -> None:
    recordings = opened(tmp_path)
    recording = recordings.begin("room", "Room")
    said(recordings, recording)
    plain = recordings.audio_file(recording).read_bytes()
    (tmp_path / f"{recording.recording_id}.sealed").write_bytes(b"half of it")
    after = opened(tmp_path)
    assert after.clean(90) == 0
    assert whole(after, recording) == plain
    # The other way round: it was encrypted, and the kill came before the plain one was gone.
    recordings.audio_file(recording).write_bytes(plain)
    assert whole(opened(tmp_path), recording) == plain
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".sealed"]


def test_one_from_before_they_were_encrypted_is_heard_and_encrypted_later(tmp_path: Path) -> None:
    recordings = opened(tmp_path)
    recording = recordings.begin("room", "Room")
    said(recordings, recording)
    plain = recordings.audio_file(recording).read_bytes()
    recordings.keep(recording, seal=False)
    assert whole(recordings, recording) == plain
    recordings.clean(90)
    assert whole(recordings, recording) == plain
    assert not recordings.audio_file(recording).exists()


def test_they_go_when_their_days_are_over(tmp_path: Path) -> None:
    clock = HandClock()
    recordings = opened(tmp_path, clock)
    for room in ("old", "new"):
        recording = recordings.begin(room, room)
        said(recordings, recording)
        recordings.keep(recording)
        clock.advance(86_400)
    assert recordings.clean(2) == 0
    clock.advance(1)
    assert recordings.clean(2) == 1
    assert [one.room_id for one in recordings.all()] == ["new"]
    assert len(list(tmp_path.iterdir())) == 2


def test_they_are_exported_as_they_are_heard_also_while_one_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "state"
    recordings = open_conference_recordings(state, SystemClock(), TOKENS)
    recording = recordings.begin("room", "Room")
    said(recordings, recording)
    plain = recordings.audio_file(recording).read_bytes()
    recordings.keep(recording)
    going = recordings.begin("other", "Other")
    said(recordings, going)
    assert main(["export-recordings", str(tmp_path / "out"), "--state-dir", str(state)]) == 0
    (file,) = (tmp_path / "out").iterdir()
    assert file.name.endswith(f"Z-{recording.recording_id}.wav")
    assert file.read_bytes() == plain
    assert recordings.keep(going) is not None  # nobody took it away
