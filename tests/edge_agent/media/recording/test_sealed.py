"""Recordings on disk: encrypted, whole at any moment, and nothing in them can be changed unnoticed."""

import errno
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.errors import RecordingFailed
from edge_agent.media.recording.sealed import SECOND_BYTES, SealedRecording, SealedWriter, wav_header
from edge_agent.tokens import SystemTokens

KEY, OTHER = b"k" * 32, b"o" * 32
ID = "recording-1"
HEAD, SEALED = 24, SECOND_BYTES + 28


def second(value: int) -> bytes:
    return bytes([value]) * SECOND_BYTES


def written(path: Path, *pieces: bytes) -> Path:
    writer = SealedWriter(path, KEY, ID, SystemTokens())
    for piece in pieces:
        writer.append(piece)
    writer.close()
    return path


def sound_of(path: Path, key: bytes = KEY, name: str = ID) -> bytes:
    return b"".join(SealedRecording(path, key, name).wav())


def test_it_is_read_as_the_wav_file_that_was_said(tmp_path: Path) -> None:
    path = written(tmp_path / "one", second(1), second(2), second(3)[:500])
    data = second(1) + second(2) + second(3)[:500]
    assert sound_of(path) == wav_header(len(data)) + data
    assert SealedRecording(path, KEY, ID).seconds == pytest.approx(2 + 500 / SECOND_BYTES)
    assert path.stat().st_mode & 0o777 == 0o600
    assert second(1)[:64] not in path.read_bytes()


@given(left=st.integers(0, HEAD + 3 * SEALED))
def test_wherever_a_kill_cuts_it_off_the_whole_seconds_are_there_and_it_goes_on_behind_them(
    tmp_path_factory: pytest.TempPathFactory, left: int
) -> None:
    path = written(tmp_path_factory.mktemp("cut") / "one", second(1), second(2), second(3))
    path.write_bytes(path.read_bytes()[:left])
    whole = max(0, left - HEAD) // SEALED
    data = b"".join(second(value) for value in (1, 2, 3)[:whole])
    assert sound_of(path) == wav_header(len(data)) + data
    writer = SealedWriter(path, KEY, ID, SystemTokens())
    assert writer.seconds == whole
    writer.append(second(9))
    writer.close()
    assert sound_of(path) == wav_header(len(data) + SECOND_BYTES) + data + second(9)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[: HEAD + 100] + bytes([data[HEAD + 100] ^ 1]) + data[HEAD + 101 :],
        lambda data: data[:HEAD] + data[HEAD + SEALED :],
        lambda data: data[:HEAD] + data[HEAD + SEALED :] + data[HEAD : HEAD + SEALED],
    ],
    ids=["a bit", "a second taken out", "seconds exchanged"],
)
def test_what_was_changed_is_not_played(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = written(tmp_path / "one", second(1), second(2))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(RecordingFailed, match="changed"):
        sound_of(path)


@pytest.mark.parametrize(("key", "name"), [(OTHER, ID), (KEY, "recording-2")])
def test_another_key_and_another_name_open_nothing(tmp_path: Path, key: bytes, name: str) -> None:
    path = written(tmp_path / "one", second(1))
    with pytest.raises(RecordingFailed, match="another key"):
        sound_of(path, key, name)


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"something that somebody needs")
    with pytest.raises(RecordingFailed, match="no recording"):
        SealedWriter(path, KEY, ID, SystemTokens())
    assert path.read_bytes() == b"something that somebody needs"


def test_a_second_that_the_disk_takes_a_part_of_is_not_there(tmp_path: Path) -> None:
    writer = SealedWriter(tmp_path / "one", KEY, ID, SystemTokens())
    writer.append(second(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HEAD + SEALED + 100, hard))
    try:
        with pytest.raises(OSError, match="No space left") as refused:
            writer.append(second(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (refused.value.errno, writer.seconds) == (errno.ENOSPC, 1)
    writer.append(second(3))
    writer.close()
    assert sound_of(tmp_path / "one") == wav_header(2 * SECOND_BYTES) + second(1) + second(3)
