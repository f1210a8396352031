"""What the cloud has been told of recorded calls and conferences, and which of them it is to have: one SQLite file.

The media process writes what was told, the agent sends the recordings. Lost or damaged it costs nothing but telling
everything again: the recordings themselves are the authority.
"""

import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contract.sync.call_recordings import CallRecorded
from contract.values import Digest
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.recording.sealed import SealedRecording
from edge_agent.sync.database_file import open_database
from edge_agent.sync.recording_sender import WaitingRecording

FILE: Final = "call_recording_ledger.db"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recordings (
    number INTEGER PRIMARY KEY, recording_id TEXT NOT NULL UNIQUE, told TEXT NOT NULL, digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, again INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS recordings_waiting ON recordings (sent, number);
CREATE INDEX IF NOT EXISTS recordings_digest ON recordings (digest);
"""

Sound = Callable[[CallRecorded], SealedRecording]
"""The sound of a recording that was told of; raises `OSError` where it is gone."""


class CallRecordingLedger:
    """Implements `edge_agent.sync.recording_sender.Recordings`.

    Args:
        path: the file; made when missing.
        sound: reads recordings.

    Raises:
        sqlite3.Error, OSError: the disk would not give even a new file.
    """

    def __init__(self, path: Path, sound: Sound) -> None:
        self._db = open_database(path, _SCHEMA)
        self._sound = sound

    # What was told

    def note(self, key: str, value: str) -> None:
        """Keep a short text under a name."""
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def noted(self, key: str) -> str:
        """What `note` kept; empty without any."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def told(self) -> frozenset[str]:
        """Ids of the recordings that the cloud was told of, but those that are to be told again."""
        return frozenset(row[0] for row in self._db.execute("SELECT recording_id FROM recordings WHERE NOT again"))

    def known(self) -> frozenset[str]:
        """Ids of the recordings that the cloud was ever told of and that were not told to be gone."""
        return frozenset(row[0] for row in self._db.execute("SELECT recording_id FROM recordings"))

    def last_told(self, recording_id: str) -> CallRecorded | None:
        """What was told of a recording; None: nothing, or nothing that can be read."""
        row = self._db.execute("SELECT told FROM recordings WHERE recording_id = ?", (recording_id,)).fetchone()
        with suppress(ValidationError):
            return CallRecorded.model_validate_json(row[0]) if row else None
        return None

    def keep(self, what: CallRecorded) -> None:
        """This was told."""
        self._db.execute(
            "INSERT INTO recordings (recording_id, told, digest, size_bytes) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (recording_id) DO UPDATE SET told = excluded.told, again = 0",
            (what.recording_id, what.model_dump_json(), what.digest, what.size_bytes),
        )

    def forget(self, recording_id: str) -> None:
        """It was told to be gone."""
        self._db.execute("DELETE FROM recordings WHERE recording_id = ?", (recording_id,))

    def tell_again(self) -> None:
        """Whoever was told has lost it, or never took it: everything is to be told and sent again."""
        self._db.execute("UPDATE recordings SET again = 1, sent = 0")

    # Recordings

    def waiting(self, beside: Collection[Digest]) -> WaitingRecording | None:
        """The next recording that the cloud does not have."""
        rows = self._db.execute(
            "SELECT told, digest, size_bytes FROM recordings WHERE sent = 0 AND again = 0 ORDER BY number"
        )
        for told, digest, size_bytes in rows:
            if digest not in beside:
                return WaitingRecording(digest, size_bytes, self._reads(told), gently=True)
        return None

    def sent(self, digest: Digest) -> None:
        """The cloud has it."""
        self._db.execute("UPDATE recordings SET sent = 1 WHERE digest = ?", (digest,))

    def close(self) -> None:
        """Release the file."""
        with suppress(sqlite3.Error):
            self._db.close()

    def _reads(self, told: str) -> Callable[[int, int], bytes]:
        def read(offset: int, most: int) -> bytes:
            try:
                return self._sound(CallRecorded.model_validate_json(told)).wav_part(offset, most)
            except (RecordingFailed, ValidationError) as error:
                raise OSError(str(error)) from error

        return read
