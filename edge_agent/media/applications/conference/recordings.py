"""Recordings of conferences on the edge's disk: each its audio and, written last, what is known of it.

<root>/<recording id>.wav     whole at any moment; once it has ended it is sealed, and gone
<root>/<recording id>.sealed  encrypted as recordings of calls are (edge_agent.media.recording.sealed)
<root>/<recording id>.draft   it goes on; a kill leaves it, and what was recorded is kept at the next start
<root>/<recording id>.json    makes it a recording
<root>/.name.*.wav            what a caller said when asked for a name; gone with the caller
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import wave
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from edge_agent.clock import Clock
from edge_agent.durable_file import LEAST_FREE_BYTES, write_durably
from edge_agent.media.errors import MediaError, RecordingFailed
from edge_agent.media.mailbox.files import wav_seconds
from edge_agent.media.recording.conference import Recording, sealed_sound
from edge_agent.media.recording.exporting import export
from edge_agent.media.recording.sealed import SECOND_BYTES, SealedWriter
from edge_agent.media.unfinished import take_over
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

MOST_RECORDINGS: Final = 500
LONGEST_SECONDS: Final = 4 * 3600.0


class NoSuchRecording(MediaError):
    """The recording is not there (any more)."""


class Recordings:
    """The recordings of a site. Its methods may be called from several threads, and wait for the disk.

    Args:
        root: the folder; made when missing.
        site_key: what they are sealed with, 32 bytes.
        clock: when they began.
        tokens: their ids, and nonces.
        tidy: whether to take up what a kill left; false: somebody else does, these are only read.
    """

    def __init__(self, root: Path, site_key: bytes, clock: Clock, tokens: Tokens, *, tidy: bool = True) -> None:
        self._root, self._key, self._clock, self._tokens = root, site_key, clock, tokens
        self._lock = threading.RLock()
        self._kept: dict[str, Recording] = {}
        self.changed: Callable[[], None] = lambda: None
        """Called when one has been kept, was sealed or is gone; in any thread, and quick."""
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in sorted(root.glob("*.json")):
            if (found := self._read(file)) is not None and self._sound_file(found).exists():
                self._kept[found.recording_id] = found
        if tidy:
            self._tidy()

    def _tidy(self) -> None:
        for left in self._root.glob(".name.*"):
            left.unlink(missing_ok=True)
        for file in sorted(self._root.glob("*.draft")):
            self._recover(file)
        for kind in ("*.wav", "*.sealed"):
            for file in self._root.glob(kind):
                known = self._kept.get(file.stem)
                if known is None or file != self._sound_file(known):
                    file.unlink(missing_ok=True)  # it was being deleted, or sealed

    def begin(self, room_id: str, name: str) -> Recording:
        """Begin one: record into `audio_file`, then `keep` it.

        Raises:
            RecordingFailed: there are too many, or the disk has no room, or would not.
        """
        with self._lock:
            if len(self._kept) >= MOST_RECORDINGS:
                raise RecordingFailed(f"there are {MOST_RECORDINGS} recordings; delete some first")
            recording = Recording(
                recording_id=self._tokens.token(8), room_id=room_id, name=name, began_at=self._clock.now()
            )
            try:
                if shutil.disk_usage(self._root).free < LEAST_FREE_BYTES:
                    raise RecordingFailed("the disk is nearly full")
                write_durably(self._draft(recording), recording.model_dump_json().encode())
            except OSError as error:
                raise RecordingFailed(f"{error.strerror}") from error
            return recording

    def audio_file(self, recording: Recording) -> Path:
        """Its WAV file."""
        return self._root / f"{recording.recording_id}.wav"

    def wav(self, recording_id: str) -> Iterator[bytes]:
        """The file of one that has ended, piece by piece.

        Raises:
            NoSuchRecording: it is not there.
            RecordingFailed: it was changed, or sealed with another key.
            OSError: it cannot be read.
        """
        with self._lock:
            recording = self._kept.get(recording_id)
        if recording is None:
            raise NoSuchRecording(f"no recording {recording_id[:64]!r}")
        if not recording.sealed:
            try:
                yield self.audio_file(recording).read_bytes()
            except FileNotFoundError:
                raise RecordingFailed("it was being encrypted; try again") from None
            return
        yield from sealed_sound(self._root, self._key, recording).wav()

    def clean(self, kept_days: int) -> int:
        """Let go of those that are kept no longer, and seal what was not; how many are gone."""
        oldest = self._clock.now() - timedelta(days=kept_days)
        gone = [one for one in self.all() if one.began_at < oldest]
        for one in gone:
            with contextlib.suppress(NoSuchRecording):
                self.delete(one.recording_id)
        if gone:
            log.info("conference_recordings_deleted", extra={"recordings": len(gone), "days": kept_days})
        for one in self.all():
            if not one.sealed:
                with contextlib.suppress(RecordingFailed):
                    self._seal_late(one)
        return len(gone)

    def _seal_late(self, recording: Recording) -> None:
        sealed = self._sealed(recording)
        with self._lock:
            if recording.recording_id in self._kept:
                self._keep(sealed)
            else:  # it was deleted meanwhile
                self._sound_file(sealed).unlink(missing_ok=True)

    def keep(self, recording: Recording, *, seal: bool = True) -> Recording | None:
        """It has ended; None: nothing was recorded.

        Args:
            recording: which.
            seal: whether to encrypt it now; false: `clean` will.

        Raises:
            RecordingFailed: the disk would not; it is tried again at the next start.
        """
        try:
            take_over(self.audio_file(recording))
            seconds = wav_seconds(self.audio_file(recording))
        except (MediaError, OSError):
            seconds = 0.0
        if not seconds:
            self.audio_file(recording).unlink(missing_ok=True)
            self._draft(recording).unlink(missing_ok=True)
            return None
        kept = recording.model_copy(update={"seconds": seconds})
        if seal:
            try:
                kept = self._sealed(kept)
            except RecordingFailed as error:
                log.warning("conference_recording_not_sealed", extra={"problem": str(error)})
        return self._keep(kept)

    def _keep(self, recording: Recording) -> Recording:
        """It is as this says: what makes it so is on the disk already."""
        with self._lock:
            try:
                write_durably(self._root / f"{recording.recording_id}.json", recording.model_dump_json().encode())
                self._draft(recording).unlink(missing_ok=True)
                if recording.sealed:
                    self.audio_file(recording).unlink(missing_ok=True)
            except OSError as error:
                raise RecordingFailed(f"{error.strerror}") from error
            self._kept[recording.recording_id] = recording
            self.changed()
            return recording

    def _sealed(self, recording: Recording) -> Recording:
        """It, with its sound in a sealed file beside the other one, which is to go.

        Raises:
            RecordingFailed: the disk would not.
        """
        file = self._root / f"{recording.recording_id}.sealed"
        try:
            file.unlink(missing_ok=True)  # what a kill left of it
            with wave.open(str(self.audio_file(recording)), "rb") as sound:
                shape = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
                if shape not in ((1, 2, 8000), (1, 2, 16_000)):
                    raise RecordingFailed(f"it has {shape[0]} channels of {8 * shape[1]} bits at {shape[2]} Hz")
                writer = SealedWriter(file, self._key, recording.bound_name, self._tokens)
                with contextlib.closing(writer):
                    while piece := sound.readframes(SECOND_BYTES // 2):
                        writer.append(piece)
        except (OSError, EOFError, wave.Error) as error:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
            raise RecordingFailed(f"it could not be encrypted: {error}") from error
        return recording.model_copy(update={"sealed": True, "rate": shape[2]})

    def _draft(self, recording: Recording) -> Path:
        return self._root / f"{recording.recording_id}.draft"

    def _sound_file(self, recording: Recording) -> Path:
        return self._root / f"{recording.recording_id}{'.sealed' if recording.sealed else '.wav'}"

    def all(self) -> list[Recording]:
        """Those that have ended, the newest first."""

        def began(one: Recording) -> datetime:
            return one.began_at

        with self._lock:
            return sorted(self._kept.values(), key=began, reverse=True)

    def delete(self, recording_id: str) -> None:
        """Let go of one for good.

        Raises:
            NoSuchRecording: it is not there.
        """
        with self._lock:
            if self._kept.pop(recording_id, None) is None:
                raise NoSuchRecording(f"no recording {recording_id[:64]!r}")
            for suffix in (
                ".json",
                ".sealed",
                ".wav",
            ):  # in this order: a kill in between leaves no recording without its audio
                with contextlib.suppress(OSError):
                    (self._root / f"{recording_id}{suffix}").unlink()
            self.changed()

    def name_file(self) -> Path:
        """A file for the name of a caller; whoever asks for it removes it."""
        return self._root / f".name.{self._tokens.token(8)}.wav"

    def _read(self, file: Path) -> Recording | None:
        try:
            found = Recording.model_validate_json(file.read_bytes())
        except (ValidationError, OSError) as error:
            log.warning("recording_unreadable", extra={"file": str(file), "why": type(error).__name__})
            return None
        return found if found.recording_id == file.stem else None

    def _recover(self, draft: Path) -> None:
        """What was being recorded when we died is a recording."""
        found = self._read(draft)
        if found is None:
            return
        try:
            kept = self.keep(found, seal=False)
        except RecordingFailed as error:
            log.warning("recording_not_recovered", extra={"file": str(draft), "why": str(error)})
        else:
            log.info("recording_recovered", extra={"seconds": kept.seconds if kept is not None else 0.0})


def export_conferences(recordings: Recordings, folder: Path, say: Callable[[str], None]) -> int:
    """Write every recording that has ended into a folder, as those of calls are; how many could not be.

    Raises:
        OSError: the folder cannot be written to.
    """
    failed = 0
    for one in recordings.all():
        failed += not export(folder, one, f"the conference {one.name}", recordings.wav(one.recording_id), say)
    return failed
