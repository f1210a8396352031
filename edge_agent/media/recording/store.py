"""Recordings of calls on the edge's disk: each its sealed sound, and beside it what is known of it.

<root>/<recording id>.json    what it is, written before the sound; `ended` once it is whole
<root>/<recording id>.sealed  the sound
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from contract.snapshot import RecordingPolicy
from contract.values import Frozen
from edge_agent.clock import Clock
from edge_agent.durable_file import LEAST_FREE_BYTES, write_durably
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.recording.sealed import SealedRecording, SealedWriter
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

FOLDER: Final = "call_recordings"
"""Of the agent's state folder, in which `KEY_FILE` lies beside it."""
KEY_FILE: Final = "recordings.key"
MOST_RECORDINGS: Final = 100_000
MOST_CALL_ID: Final = 1024
_ID: Final = re.compile(r"[0-9a-zA-Z_-]{8,64}")
_MEGABYTE: Final = 1_000_000


class CallRecording(Frozen):
    """One recording."""

    schema_version: Literal[1] = 1
    """Of the file; one of a newer version is left alone and not shown."""
    recording_id: Annotated[str, Field(pattern=_ID.pattern)]
    sip_call_id: Annotated[str, Field(max_length=MOST_CALL_ID)]
    """Of the call's record; cut, where a phone made it longer."""
    began_at: AwareDatetime
    announced: bool = False
    ended: bool = False
    seconds: Annotated[float, Field(ge=0)] = 0.0
    caller: Literal[0, 1] | None = None
    """The channel of who called; None: it is not known."""


class CallRecordings:
    """The recordings of a site. Its methods may be called from several threads, and wait for the disk.

    Args:
        root: the folder; made when missing.
        site_key: what they are sealed with, 32 bytes.
        clock: the moment.
        tokens: nonces.
    """

    def __init__(self, root: Path, site_key: bytes, clock: Clock, tokens: Tokens) -> None:
        self._root, self._key, self._clock, self._tokens = root, site_key, clock, tokens
        self._lock = threading.RLock()
        self.policy = RecordingPolicy()
        self.changed: Callable[[], None] = lambda: None
        """Called when one has ended or is gone; in any thread, and quick."""
        self._known: dict[str, CallRecording] = {}
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in sorted(root.glob("*.json")):
            if (found := self._read(file)) is not None:
                self._known[found.recording_id] = found
        for file in root.glob("*.sealed"):
            if not file.with_suffix(".json").exists():
                file.unlink(missing_ok=True)  # it was being deleted

    def open(self, recording: CallRecording) -> tuple[CallRecording, SealedWriter, bool]:
        """Begin a recording, or go on with the one of this id that a kill left; whether it is the latter.

        Raises:
            RecordingFailed: there is no room, or the disk would not.
        """
        with self._lock:
            known = self._known.get(recording.recording_id)
            if known is not None and known.ended:
                raise RecordingFailed("it has ended")
            try:
                if known is None:
                    self._check_room()
                self._write(known or recording)
                writer = SealedWriter(
                    self._file(recording.recording_id), self._key, recording.recording_id, self._tokens
                )
            except OSError as error:
                raise RecordingFailed(f"the disk would not: {error.strerror}") from error
            return known or recording, writer, known is not None

    def end(self, recording_id: str) -> CallRecording | None:
        """It is over; None: nothing was recorded, or it is not there.

        Raises:
            RecordingFailed: the disk would not; it is tried again at the next start.
        """
        with self._lock:
            known = self._known.get(recording_id)
            if known is None:
                return None
            try:
                seconds = self.sound(recording_id).seconds
                if seconds:
                    ended = known.model_copy(update={"ended": True, "seconds": seconds})
                    self._write(ended)
                    self.changed()
                    return ended
            except FileNotFoundError:
                seconds = 0.0
            except OSError as error:
                raise RecordingFailed(f"the disk would not: {error.strerror}") from error
            self.delete(recording_id)
            return None

    def unended(self) -> tuple[str, ...]:
        """Ids of those that go on, or that a kill left."""
        with self._lock:
            return tuple(one.recording_id for one in self._known.values() if not one.ended)

    def all(self) -> list[CallRecording]:
        """Those that have ended, the oldest first."""
        with self._lock:
            return sorted((one for one in self._known.values() if one.ended), key=lambda one: one.began_at)

    def sound(self, recording_id: str) -> SealedRecording:
        """Its sound.

        Raises:
            OSError: it cannot be read.
        """
        return SealedRecording(self._file(recording_id), self._key, recording_id)

    def wav(self, recording_id: str) -> Iterator[bytes]:
        """Its sound as a WAV file; see `SealedRecording.wav`."""
        return self.sound(recording_id).wav()

    def delete(self, recording_id: str) -> None:
        """Let go of one for good."""
        with self._lock:
            if self._known.pop(recording_id, None) is not None:
                for suffix in (".json", ".sealed"):  # a kill in between leaves sound that nothing names
                    with contextlib.suppress(OSError):
                        (self._root / f"{recording_id}{suffix}").unlink()
                self.changed()

    def clean(self) -> int:
        """Let go of those that are kept no longer; how many."""
        oldest = self._clock.now() - timedelta(days=self.policy.kept_days)
        gone = [one.recording_id for one in self.all() if one.began_at < oldest]
        for recording_id in gone:
            self.delete(recording_id)
        if gone:
            log.info("call_recordings_deleted", extra={"recordings": len(gone), "days": self.policy.kept_days})
        return len(gone)

    def _check_room(self) -> None:
        if len(self._known) >= MOST_RECORDINGS:
            raise RecordingFailed(f"there are {MOST_RECORDINGS} recordings on this edge")
        used = sum(file.stat().st_size for file in self._root.glob("*.sealed"))
        if used >= self.policy.disk_mb * _MEGABYTE:
            raise RecordingFailed(f"recordings take the {self.policy.disk_mb} MB that they may take of the disk")
        if shutil.disk_usage(self._root).free < LEAST_FREE_BYTES:
            raise RecordingFailed("the disk is nearly full")

    def _file(self, recording_id: str) -> Path:
        return self._root / f"{recording_id}.sealed"

    def _write(self, recording: CallRecording) -> None:
        write_durably(self._root / f"{recording.recording_id}.json", recording.model_dump_json().encode())
        self._known[recording.recording_id] = recording

    def _read(self, file: Path) -> CallRecording | None:
        try:
            found = CallRecording.model_validate_json(file.read_bytes())
        except (ValidationError, OSError) as error:
            log.warning("call_recording_unreadable", extra={"file": str(file), "why": type(error).__name__})
            return None
        return found if found.recording_id == file.stem else None
