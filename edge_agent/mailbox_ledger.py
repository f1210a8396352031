"""What the cloud has been told of the site's mailboxes, and which recordings it is to have: one SQLite file.

The media process writes what was told, the agent sends the recordings. Lost or damaged it costs nothing but telling
everything again: the mailboxes themselves are the authority.
"""

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contract.sync.mailbox_events import MessageChanged
from contract.values import Digest
from edge_agent.sync.database_file import open_database
from edge_agent.sync.recording_sender import WaitingRecording, reads

FILE: Final = "mailbox_ledger.db"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    mailbox TEXT NOT NULL, message_id TEXT NOT NULL, told TEXT NOT NULL, again INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mailbox, message_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recordings (
    number INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, message_id TEXT NOT NULL, digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, path TEXT NOT NULL, sent INTEGER NOT NULL, UNIQUE (path)
);
CREATE INDEX IF NOT EXISTS recordings_waiting ON recordings (sent, number);
CREATE INDEX IF NOT EXISTS recordings_digest ON recordings (digest);
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a message last.

    Args:
        again: it is to be told again, though nothing changed.
    """

    what: MessageChanged
    again: bool


class MailboxLedger:
    """Implements `edge_agent.sync.recording_sender.Recordings`.

    Args:
        path: the file; made when missing.

    Raises:
        sqlite3.Error, OSError: the disk would not give even a new file.
    """

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, _SCHEMA)

    # What was told

    def note(self, key: str, value: str) -> None:
        """Keep a short text under a name."""
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def noted(self, key: str) -> str:
        """What `note` kept; empty without any."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def mailboxes(self) -> tuple[str, ...]:
        """Those of which anything was told."""
        return tuple(row[0] for row in self._db.execute("SELECT DISTINCT mailbox FROM messages"))

    def messages(self, mailbox: str) -> dict[str, Told]:
        """What was told of a mailbox's messages, by their ids; what cannot be read is as if it had not been."""
        found: dict[str, Told] = {}
        rows = self._db.execute("SELECT message_id, told, again FROM messages WHERE mailbox = ?", (mailbox,))
        for message_id, text, again in rows:
            with suppress(ValidationError):
                found[message_id] = Told(MessageChanged.model_validate_json(text), bool(again))
        return found

    def keep(self, what: MessageChanged, files: Mapping[Digest, tuple[int, Path]]) -> None:
        """This was told.

        Args:
            files: its recordings: size in bytes and place, by digest.
        """
        at = (what.user_id, what.message_id)
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if what.gone:
                self._db.execute("DELETE FROM messages WHERE mailbox = ? AND message_id = ?", at)
                self._db.execute("DELETE FROM recordings WHERE mailbox = ? AND message_id = ?", at)
                return
            self._db.execute(
                "INSERT OR REPLACE INTO messages (mailbox, message_id, told, again) VALUES (?, ?, ?, 0)",
                (*at, what.model_dump_json()),
            )
            for digest, (size_bytes, path) in files.items():
                self._db.execute(
                    "INSERT OR IGNORE INTO recordings (mailbox, message_id, digest, size_bytes, path, sent) "
                    "VALUES (?, ?, ?, ?, ?, EXISTS (SELECT 1 FROM recordings WHERE digest = ? AND sent))",
                    (*at, digest, size_bytes, str(path), digest),
                )

    def tell_again(self) -> None:
        """Whoever was told has lost it, or never took it: everything is to be told and sent again."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE messages SET again = 1")
            self._db.execute("UPDATE recordings SET sent = 0")

    # Recordings

    def waiting(self, beside: Collection[Digest]) -> WaitingRecording | None:
        """The next recording that the cloud does not have."""
        rows = self._db.execute("SELECT digest, size_bytes, path FROM recordings WHERE sent = 0 ORDER BY number")
        for digest, size_bytes, path in rows:
            if digest not in beside and Path(path).exists():
                return WaitingRecording(digest, size_bytes, reads(Path(path)))
        return None

    def sent(self, digest: Digest) -> None:
        """The cloud has it."""
        self._db.execute("UPDATE recordings SET sent = 1 WHERE digest = ?", (digest,))

    def close(self) -> None:
        """Release the file."""
        with suppress(sqlite3.Error):
            self._db.close()
