"""Small things that outlive the process: rows of text by kind and key, written once for each batch.

WAL with `synchronous=NORMAL`: a commit survives kill -9; a power cut may cost the last moments. A damaged file is set
aside and a new one begun: whoever subscribed or published does so again.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path
from typing import Final, Protocol

_log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kept (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class KeptRows(Protocol):
    """Keeps rows; changes are collected until `commit`."""

    def load(self, kind: str) -> dict[str, str]:
        """Every row of a kind that was committed, by key."""
        ...

    def put(self, kind: str, key: str, value: str) -> None:
        """Keep this from the next commit on."""
        ...

    def remove(self, kind: str, key: str) -> None:
        """Forget it from the next commit on."""
        ...

    def commit(self) -> bool:
        """Make what was collected safe against kill -9; False when the disk refuses, then it is tried again later."""
        ...


class Forgetful:
    """`KeptRows` that keep nothing."""

    def load(self, kind: str) -> dict[str, str]:
        """Nothing."""
        del kind
        return {}

    def put(self, kind: str, key: str, value: str) -> None:
        """Nothing is kept."""

    def remove(self, kind: str, key: str) -> None:
        """Nothing is there."""

    def commit(self) -> bool:
        """Nothing can go wrong."""
        return True


class SqliteKeptRows:
    """`KeptRows` in one SQLite file.

    Args:
        path: the file; made when missing, set aside as `<name>.damaged` when it is not readable.
        busy_seconds: how long to wait for another process that writes; calls wait as long.
    """

    def __init__(self, path: Path, busy_seconds: float = 0.2) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._changes: dict[tuple[str, str], str | None] = {}
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            _log.warning("sip_kept_rows_damaged", extra={"path": str(path)})
            self._set_aside()
            self._database = self._open()

    def load(self, kind: str) -> dict[str, str]:
        """See `KeptRows`."""
        return dict(self._database.execute("SELECT key, value FROM kept WHERE kind = ?", (kind,)).fetchall())

    def put(self, kind: str, key: str, value: str) -> None:
        """Collect a row."""
        self._changes[kind, key] = value

    def remove(self, kind: str, key: str) -> None:
        """Collect a removal."""
        self._changes[kind, key] = None

    def commit(self) -> bool:
        """Write what was collected in one transaction."""
        if not self._changes:
            return True
        puts = [(*key, value) for key, value in self._changes.items() if value is not None]
        gone = [key for key, value in self._changes.items() if value is None]
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", puts)
            database.executemany("DELETE FROM kept WHERE kind = ? AND key = ?", gone)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            _log.warning("sip_kept_rows_not_written", extra={"error": type(error).__name__})
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            return False
        self._changes.clear()
        return True

    def close(self) -> None:
        """Commit and close the file."""
        self.commit()
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None, timeout=self._busy_seconds)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute(_SCHEMA)
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("quick_check failed")
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.replace(part.with_name(part.name + ".damaged"))
