"""SQLite files of the edge: opened the same way everywhere, and set aside when they are no database any more."""

import contextlib
import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge_agent.durable_file import set_aside

log = logging.getLogger(__name__)

BUSY_MS = 5000
"""How long a write waits for another process's write."""


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold the file's lock, so that two processes do not set the same file aside."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def open_database(path: Path, schema: str, *, checkpoint_pages: int = 1000) -> sqlite3.Connection:
    """A connection in autocommit mode: write-ahead log, `synchronous=NORMAL` (safe against kill -9).

    Args:
        path: the file; made with its folder when missing, set aside when it is no database or damaged.
        schema: SQL that makes the tables when they are missing; harmless when they are there.
        checkpoint_pages: how long this connection lets the log grow before it moves it into the file.

    Raises:
        sqlite3.Error: even a new file cannot be used (disk full, permission).
        OSError: the folder cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _only_one(path):
        try:
            return _connect(path, schema, checkpoint_pages)
        except sqlite3.OperationalError as error:
            # Full, locked or forbidden is not damaged: setting the file aside would lose what it holds.
            if error.sqlite_errorcode & 0xFF not in (
                sqlite3.SQLITE_CORRUPT,
                sqlite3.SQLITE_NOTADB,
                sqlite3.SQLITE_ERROR,
            ):
                raise
            reason = str(error)
        except sqlite3.DatabaseError as error:
            reason = str(error)
        aside = set_aside(path)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()
        log.error("database_set_aside", extra={"path": str(path), "aside": str(aside), "reason": reason})
        return _connect(path, schema, checkpoint_pages)


def _connect(path: Path, schema: str, checkpoint_pages: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-512")  # KiB, in place of 2,000: queues are read from one end
        connection.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check found damage")
        connection.executescript(schema)
        path.chmod(0o600)
    except BaseException:
        connection.close()
        raise
    return connection
