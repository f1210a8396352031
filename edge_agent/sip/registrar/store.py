"""Bindings on disk, so that a killed process finds every phone again.

WAL with `synchronous=NORMAL`: a commit survives kill -9; a power cut may cost the last moments. A damaged file is set
aside and a new one begun: phones register again, the process starts in any case.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Protocol

_log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS bindings (
    user_id TEXT NOT NULL, line_id TEXT NOT NULL, device_id TEXT, contact TEXT NOT NULL,
    transport TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL, source TEXT NOT NULL,
    expires_at REAL NOT NULL, reported_until REAL NOT NULL, q INTEGER NOT NULL, call_id TEXT NOT NULL,
    cseq INTEGER NOT NULL, user_agent TEXT NOT NULL, instance TEXT NOT NULL,
    reg_id INTEGER NOT NULL DEFAULT 0, path TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, contact)
) WITHOUT ROWID
"""
_COLUMNS: Final = 17
_ADDED: Final = (
    ("reg_id", "ALTER TABLE bindings ADD COLUMN reg_id INTEGER NOT NULL DEFAULT 0"),
    ("path", "ALTER TABLE bindings ADD COLUMN path TEXT NOT NULL DEFAULT ''"),
)
"""Columns that files of earlier versions lack."""
_PUT: Final = "INSERT OR REPLACE INTO bindings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class StoredBinding:
    """A binding as it lies on disk; the moments are seconds since 1970 UTC."""

    user_id: str
    line_id: str
    device_id: str | None
    contact: str
    transport: str
    host: str
    port: int
    source: str
    expires_at: float
    reported_until: float
    q: int
    call_id: str
    cseq: int
    user_agent: str
    instance: str
    reg_id: int = 0
    path: str = ""
    """Values of Path, one on a line."""


class BindingStore(Protocol):
    """Keeps bindings; changes are collected until `commit`."""

    def load(self) -> list[StoredBinding]:
        """Everything that was committed, lapsed or not."""
        ...

    def put(self, binding: StoredBinding) -> None:
        """Keep this binding from the next commit on, in the place of one with the same user and contact."""
        ...

    def remove(self, user_id: str, contact: str) -> None:
        """Forget a binding from the next commit on."""
        ...

    def commit(self) -> bool:
        """Make what was collected safe against kill -9; False when the disk refuses, then it is tried again later."""
        ...


class SqliteBindingStore:
    """A `BindingStore` in one SQLite file.

    Args:
        path: the file; made when missing, set aside as `<name>.damaged` when it is not readable.
        busy_seconds: how long to wait for another process that writes; calls wait as long.
    """

    def __init__(self, path: Path, busy_seconds: float = 0.2) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._changes: dict[tuple[str, str], StoredBinding | None] = {}
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            _log.warning("sip_store_damaged path=%s", path)
            self._set_aside()
            self._database = self._open()

    def load(self) -> list[StoredBinding]:
        """Everything that was committed; rows that make no sense are left out."""
        rows = self._database.execute("SELECT * FROM bindings").fetchall()
        return [StoredBinding(*row) for row in rows if len(row) == _COLUMNS]

    def put(self, binding: StoredBinding) -> None:
        """Collect a binding."""
        self._changes[binding.user_id, binding.contact] = binding

    def remove(self, user_id: str, contact: str) -> None:
        """Collect a removal."""
        self._changes[user_id, contact] = None

    def commit(self) -> bool:
        """Write what was collected in one transaction."""
        if not self._changes:
            return True
        puts = [astuple(one) for one in self._changes.values() if one is not None]
        gone = [key for key, one in self._changes.items() if one is None]
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(_PUT, puts)
            database.executemany("DELETE FROM bindings WHERE user_id = ? AND contact = ?", gone)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            _log.warning("sip_store_write_failed error=%s", type(error).__name__)
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
            had = {row[1] for row in database.execute("PRAGMA table_info(bindings)")}
            for name, statement in _ADDED:
                if name not in had:
                    database.execute(statement)
            found = database.execute("PRAGMA quick_check").fetchone()
            columns = len(database.execute("PRAGMA table_info(bindings)").fetchall())
            if found != ("ok",) or columns != _COLUMNS:
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
