"""Recordings of calls as WAV files in a folder, for whoever may read the agent's state folder."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from edge_agent.durable_file import write_durably
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.recording.store import CallRecordings


class Ended(Protocol):
    """A recording that has ended."""

    @property
    def recording_id(self) -> str:
        """Names it."""
        ...

    @property
    def began_at(self) -> datetime:
        """When."""
        ...

    @property
    def seconds(self) -> float:
        """How long it is."""
        ...


def export_recordings(recordings: CallRecordings, folder: Path, say: Callable[[str], None]) -> int:
    """Write every recording that has ended, named by when it began and its id; how many could not be.

    Args:
        recordings: those of this edge.
        folder: for the files; made when missing. Those that are there already are left as they are.
        say: told of each recording.

    Raises:
        OSError: the folder cannot be written to.
    """
    failed = 0
    for one in recordings.all():
        failed += not export(folder, one, f"the call {one.sip_call_id}", recordings.wav(one.recording_id), say)
    return failed


def export(folder: Path, one: Ended, of: str, sound: Iterator[bytes], say: Callable[[str], None]) -> bool:
    """Write one recording, unless it is there; whether it could be.

    Args:
        folder: for the file.
        one: which.
        of: what it is of, for people.
        sound: its WAV file.
        say: told of it.

    Raises:
        OSError: the folder cannot be written to.
    """
    file = folder / f"{one.began_at:%Y%m%dT%H%M%SZ}-{one.recording_id}.wav"
    if file.exists():
        return True
    try:
        write_durably(file, b"".join(sound))
    except RecordingFailed as error:
        say(f"{one.recording_id}: {error}")
        return False
    say(f"{file}: {one.seconds:.0f} s of {of}")
    return True
