"""Site state on disk: the newest record of each key, and which of them the cloud may not have yet.

A record written here is *unconfirmed* until the hub sends the same key back with the same or a newer stamp; unconfirmed
records are sent again on every connection. Merging is idempotent, so sending twice does no harm.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from contract.sync.state import Stamp, StateRecord, merge, next_stamp, observe
from edge_agent.clock import Clock
from edge_agent.sync.database_file import open_database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, record TEXT NOT NULL, unconfirmed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_unconfirmed ON records (key) WHERE unconfirmed;
CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY CHECK (id = 1), stamp TEXT NOT NULL);
"""


class StateStore:
    """Site state records of this edge; used by one process (the agent)."""

    def __init__(self, connection: sqlite3.Connection, edge_id: str, clock: Clock) -> None:
        self._db = connection
        self._node = edge_id
        self._clock = clock
        row = connection.execute("SELECT stamp FROM clock").fetchone()
        self._last = Stamp.model_validate_json(row[0]) if row else None

    @classmethod
    def open(cls, path: Path, edge_id: str, clock: Clock) -> "StateStore":
        """The store in `path` (`<state_dir>/state.db`); a damaged file is set aside, the cloud has what it held.

        Raises:
            sqlite3.Error, OSError: the disk would not.
        """
        return cls(open_database(path, _SCHEMA), edge_id, clock)

    def records(self) -> tuple[StateRecord, ...]:
        """Everything known, tombstones too, by key."""
        rows = self._db.execute("SELECT record FROM records ORDER BY key")
        return tuple(StateRecord.model_validate_json(text) for (text,) in rows)

    def write(self, key: str, value: str | bool | int | None) -> StateRecord:
        """Record that `key` became `value` here and now; None removes it. Tell the channel by `notify_state`."""
        self._last = next_stamp(self._last, self._node, self._now_ms())
        record = StateRecord(key=key, value=value, stamp=self._last)
        with self._transaction():
            self._put(record, unconfirmed=True)
            self._keep_clock()
        return record

    def merge(self, records: Iterable[StateRecord]) -> tuple[StateRecord, ...]:
        """Take records from the cloud; confirms our own where the cloud holds them.

        Returns:
            Those that are new here.
        """
        fresh: list[StateRecord] = []
        with self._transaction():
            for theirs in records:
                row = self._db.execute("SELECT record FROM records WHERE key = ?", (theirs.key,)).fetchone()
                ours = StateRecord.model_validate_json(row[0]) if row else None
                stays = merge(ours, theirs)
                if stays is theirs:
                    fresh.append(theirs)
                    self._put(theirs, unconfirmed=False)
                elif stays.stamp == theirs.stamp:
                    self._put(stays, unconfirmed=False)
                self._last = observe(self._last, theirs.stamp, self._node, self._now_ms())
            self._keep_clock()
        return tuple(fresh)

    def unconfirmed(self, limit: int = 1000) -> tuple[StateRecord, ...]:
        """Records written here that the cloud has not shown to hold."""
        rows = self._db.execute("SELECT record FROM records WHERE unconfirmed ORDER BY key LIMIT ?", (limit,))
        return tuple(StateRecord.model_validate_json(text) for (text,) in rows)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)

    def _put(self, record: StateRecord, *, unconfirmed: bool) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO records (key, record, unconfirmed) VALUES (?, ?, ?)",
            (record.key, record.model_dump_json(), unconfirmed),
        )

    def _keep_clock(self) -> None:
        if self._last is not None:
            self._db.execute("INSERT OR REPLACE INTO clock (id, stamp) VALUES (1, ?)", (self._last.model_dump_json(),))

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
