"""Bindings on disk, so that a killed process finds every phone again.

What a batch changed is appended to a log beside the database, which is safe against kill -9 and costs a tenth of a
commit; it is carried into the database when enough has gathered, at the end, and at the next start. A power cut may
cost the last moments. A damaged file is set aside and a new one begun: phones register again, the process starts in any
case.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
from dataclasses import dataclass
from json.encoder import encode_basestring
from pathlib import Path
from typing import Final, Protocol

from edge_agent.append_log import AppendLog

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
_TAKEN: Final = (
    "CREATE TABLE IF NOT EXISTS taken (only INTEGER PRIMARY KEY CHECK (only = 1), generation INTEGER NOT NULL)"
)
"""The last generation of the log that was carried over."""
_COLUMNS: Final = 17
_ADDED: Final = (
    ("reg_id", "ALTER TABLE bindings ADD COLUMN reg_id INTEGER NOT NULL DEFAULT 0"),
    ("path", "ALTER TABLE bindings ADD COLUMN path TEXT NOT NULL DEFAULT ''"),
)
"""Columns that files of earlier versions lack."""
_GATHERED_BYTES: Final = 256 * 1024
"""How long the log gets before it is carried over: about a thousand bindings, which takes some milliseconds."""
_PUT: Final = "INSERT OR REPLACE INTO bindings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


_Row = tuple[str, str, str | None, str, str, str, int, str, float, float, int, str, int, str, str, int, str]


@dataclass(slots=True)
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

    def row(self) -> _Row:
        """Its columns."""
        return (
            self.user_id,
            self.line_id,
            self.device_id,
            self.contact,
            self.transport,
            self.host,
            self.port,
            self.source,
            self.expires_at,
            self.reported_until,
            self.q,
            self.call_id,
            self.cseq,
            self.user_agent,
            self.instance,
            self.reg_id,
            self.path,
        )

    def line(self) -> str:
        """Its columns as JSON; by hand, since every REGISTER pays for it."""
        text = encode_basestring
        device = "null" if self.device_id is None else text(self.device_id)
        return (
            f"[{text(self.user_id)},{text(self.line_id)},{device},{text(self.contact)},{text(self.transport)},"
            f"{text(self.host)},{self.port},{text(self.source)},{self.expires_at!r},{self.reported_until!r},{self.q},"
            f"{text(self.call_id)},{self.cseq},{text(self.user_agent)},{text(self.instance)},{self.reg_id},"
            f"{text(self.path)}]\n"
        )


_Key = tuple[str, str]
"""User and contact."""


def _removed(key: _Key) -> str:
    return json.dumps(key) + "\n"


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
    """A `BindingStore` in one SQLite file, with its log beside it.

    Args:
        path: the file; made when missing, set aside as `<name>.damaged` when it is not readable.
        busy_seconds: how long to wait for another process that writes; calls wait as long.
    """

    def __init__(self, path: Path, busy_seconds: float = 0.2) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._changes: dict[_Key, StoredBinding | None] = {}
        """Not yet in the log."""
        self._gathered: dict[_Key, StoredBinding | None] = {}
        """In the log, not yet in the database."""
        self._gathered_bytes = 0
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            _log.warning("sip_store_damaged path=%s", path)
            self._set_aside()
            self._database = self._open()
        self._log = AppendLog(path.with_name(path.name + ".log"))
        self._take_left_over()

    def load(self) -> list[StoredBinding]:
        """Everything that was committed; rows that make no sense are left out."""
        rows = self._database.execute("SELECT * FROM bindings").fetchall()
        found = [StoredBinding(*row) for row in rows if len(row) == _COLUMNS]
        kept = {(one.user_id, one.contact): one for one in found}
        for key, binding in self._gathered.items():
            if binding is None:
                kept.pop(key, None)
            else:
                kept[key] = binding
        return list(kept.values())

    def put(self, binding: StoredBinding) -> None:
        """Collect a binding."""
        self._changes[binding.user_id, binding.contact] = binding

    def remove(self, user_id: str, contact: str) -> None:
        """Collect a removal."""
        self._changes[user_id, contact] = None

    def commit(self) -> bool:
        """Append what was collected to the log."""
        changes = self._changes
        if not changes:
            return True
        lines = "".join([_removed(key) if one is None else one.line() for key, one in changes.items()])
        try:
            self._log.append(lines)
        except OSError as error:
            _log.warning("sip_store_write_failed error=%s", type(error).__name__)
            return False
        self._gathered.update(changes)
        self._gathered_bytes += len(lines)
        changes.clear()
        if self._gathered_bytes > _GATHERED_BYTES:
            self._carry_over()
        return True

    def close(self) -> None:
        """Commit, carry over, and close the files."""
        self.commit()
        self._carry_over()
        self._log.close()
        self._database.close()

    def _carry_over(self) -> None:
        """Write what gathered into the database, in one transaction; later, if it is locked or the disk is full."""
        self._gathered_bytes = 0
        puts = [one.row() for one in self._gathered.values() if one is not None]
        gone = [key for key, one in self._gathered.items() if one is None]
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(_PUT, puts)
            database.executemany("DELETE FROM bindings WHERE user_id = ? AND contact = ?", gone)
            database.execute("INSERT OR REPLACE INTO taken VALUES (1, ?)", (self._log.generation,))
            database.execute("COMMIT")
        except sqlite3.Error as error:
            _log.warning("sip_store_write_failed error=%s", type(error).__name__)
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            return
        self._gathered.clear()
        self._log.begin(self._log.generation + 1)

    def _take_left_over(self) -> None:
        """Take what a process that was killed had appended."""
        row = self._database.execute("SELECT generation FROM taken").fetchone()
        taken = int(row[0]) if row else 0
        generation, lines = self._log.left_over()
        self._log.begin(max(taken, generation) + 1)
        if generation <= taken:
            return
        for line in lines:
            try:
                columns = json.loads(line)
                if len(columns) == 2:
                    self._changes[columns[0], columns[1]] = None
                else:
                    self.put(StoredBinding(*columns))
            except (ValueError, TypeError):
                _log.warning("sip_store_line_unreadable")
        self.commit()
        self._carry_over()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None, timeout=self._busy_seconds)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("PRAGMA cache_size=-256")  # KiB: it is written from top to bottom, and read at the start
            database.execute(_SCHEMA)
            database.execute(_TAKEN)
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
