"""What happened at the site and the cloud has not acknowledged yet; and the calls in progress.

One SQLite file, appended to by several processes at once. What `report`, `opened` or `closed` was given is safe
against kill -9 of any of them when the call returns; a power loss may cost what came after the last `flush`.
Sequence numbers only grow within an epoch; gaps are possible (compaction) and mean nothing.
"""

import asyncio
import json
import logging
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from contract.sync.events import CallEnded, EventBody, Happening, RegistrationChanged
from edge_agent.clock import Clock
from edge_agent.ports import CallEnd, OpenCall, record_of
from edge_agent.sync.database_file import BUSY_MS, open_database
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, about TEXT, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS open_calls (call_id TEXT PRIMARY KEY, call TEXT NOT NULL) WITHOUT ROWID;
"""
_INSERT: Final = "INSERT INTO events (kind, about, body) VALUES (?, ?, ?)"
_OPEN: Final = "INSERT OR REPLACE INTO open_calls (call_id, call) VALUES (?, ?)"
_CLOSE: Final = "DELETE FROM open_calls WHERE call_id = ?"
_CHECK_EVERY: Final = 500
"""Appends of one process between two looks at the outbox's length."""
_APPENDER_CHECKPOINT_PAGES: Final = 8000
"""32 MB: the agent checkpoints every second, so an appender, which must not wait for the disk, hardly ever does."""
MAX_BACKLOG: Final = 10_000
"""Writes kept in memory while the disk is full."""

_calls: TypeAdapter[OpenCall] = TypeAdapter(OpenCall)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it lies in the outbox."""

    sequence: int
    body: EventBody


_Write = tuple[tuple[str, tuple[object, ...]], ...]

EventRow = tuple[str, str | None, str]
"""Kind, what it is about (only the newest such event counts), and the `EventBody` as JSON."""


class Outbox:
    """Implements `edge_agent.ports.Reporter`; what `HeldEvents` gathers ends here.

    Not for use by two threads at once; each process (and thread) opens its own.
    """

    def __init__(self, path: Path, clock: Clock, tokens: Tokens, max_events: int, busy_ms: int) -> None:
        self._path = path
        self._clock = clock
        self._tokens = tokens
        self._max_events = max_events
        self._busy_ms = busy_ms
        self._appended = 0
        self._backlog: deque[_Write] = deque()
        self.shed = 0
        """Events given up for want of room, since this process opened the outbox."""
        self._flushed_ns = 0
        self._db = self._connect()
        self._epoch = self._load_epoch()

    @classmethod
    def open(
        cls, path: Path, clock: Clock, tokens: Tokens, *, max_events: int = 100_000, busy_ms: int = BUSY_MS
    ) -> "Outbox":
        """The outbox in `path` (`<state_dir>/outbox.db`).

        A damaged file is set aside and a new epoch begins in a new one.

        Args:
            path: made when missing.
            max_events: beyond it registrations are compacted, then everything but calls (of queues too), calls for help
                and what is told of voicemail and recordings is shed, oldest first.
            busy_ms: how long a write waits for another process's.

        Raises:
            sqlite3.Error, OSError: the disk would not give even a new file.
        """
        return cls(path, clock, tokens, max_events, busy_ms)

    # What subsystems use

    def report(self, what: Happening) -> None:
        """Keep an event; see `edge_agent.ports.Reporter`."""
        self._write(((_INSERT, self.row(what)),))

    def opened(self, call: OpenCall) -> None:
        """Keep a call in progress, in the place of what was known of it."""
        self._write(((_OPEN, (call.call_id, _calls.dump_json(call).decode())),))

    def closed(self, record: CallEnded) -> None:
        """End a call: its open entry goes and its record comes, both or neither."""
        self._write(((_CLOSE, (record.call_id,)), (_INSERT, self.row(record))))

    def close_interrupted(self, now: datetime) -> int:
        """Turn every call left open into its record; for the agent's start, before any process takes calls.

        Args:
            now: the moment in UTC that becomes the end of these calls.

        Returns:
            How many there were.
        """
        rows = self._db.execute("SELECT call_id, call FROM open_calls").fetchall()
        for call_id, text in rows:
            try:
                call = _calls.validate_json(text)
                ended_at = max(now, call.answered_at or call.started_at)
                answered = call.answered_at is not None
                end = CallEnd(
                    ended_at, "answered" if answered else "failed", 200 if answered else 500, interrupted=True
                )
                record = record_of(call, end)
            except ValidationError as error:
                log.warning("open_call_unreadable", extra={"call_id": call_id, "problems": error.error_count()})
                self._write(((_CLOSE, (call_id,)),))
                continue
            self.closed(record)
        return len(rows)

    # What HeldEvents carries over

    def taken(self, name: str) -> int:
        """The last generation of that append log that `take` was given; 0 when there was none."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (f"taken.{name}",)).fetchone()
        return int(row[0]) if row else 0

    def take(
        self, name: str, generation: int, opened: Mapping[str, str], closed: Iterable[str], rows: Sequence[EventRow]
    ) -> bool:
        """Take what gathered elsewhere, all in one transaction; False when that cannot be done now.

        Args:
            name: of the append log that it lies in.
            generation: of that log; `taken` tells it from then on.
            opened: open calls as JSON, by their id.
            closed: ids of calls that are open no longer.
            rows: events, oldest first.
        """
        database = self._db
        try:
            database.execute("BEGIN IMMEDIATE")
            if closed:
                database.executemany(_CLOSE, [(call_id,) for call_id in closed])
            if opened:
                database.executemany(_OPEN, list(opened.items()))
            if rows:
                database.executemany(_INSERT, rows)
            database.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (f"taken.{name}", str(generation))
            )
            database.execute("COMMIT")
            self._count(len(rows))
        except sqlite3.DatabaseError as error:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                log.warning("outbox_take_postponed", extra={"reason": str(error)})
            else:
                self._begin_again()
            return False
        return True

    # What the channel uses

    @property
    def epoch(self) -> str:
        """The epoch id; a new one whenever numbering started anew."""
        return self._epoch

    @property
    def sent(self) -> int:
        """The highest sequence number that was ever sent from this file; 0 when none was."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'sent'").fetchone()
        return int(row[0]) if row else 0

    def mark_sent(self, sequence: int) -> None:
        """Everything up to `sequence` is about to be sent.

        A cloud that knows higher numbers than were ever sent shows that this file is an old copy of itself.
        """
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('sent', ?)", (str(sequence),))

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM events").fetchone()[0])

    def read(self, after: int, limit: int) -> tuple[StoredEvent, ...]:
        """The next events with a sequence above `after`, oldest first."""
        self._drain()
        rows = self._db.execute(
            "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, limit)
        ).fetchall()
        events = []
        for sequence, text in rows:
            try:
                events.append(StoredEvent(sequence, EventBody.model_validate_json(text)))
            except ValidationError as error:
                # Written by another version of the agent: nobody can read it, and it must not hold up the rest.
                log.warning("event_unreadable", extra={"sequence": sequence, "problems": error.error_count()})
                self._db.execute("DELETE FROM events WHERE sequence = ?", (sequence,))
        if rows and not events:
            return self.read(rows[-1][0], limit)
        return tuple(events)

    def acknowledge(self, epoch: str, sequence: int) -> None:
        """The cloud has kept everything of `epoch` up to `sequence`; it need not be kept here."""
        if epoch == self._epoch:
            self._db.execute("DELETE FROM events WHERE sequence <= ?", (sequence,))

    def begin_epoch(self) -> str:
        """Start a new epoch: the cloud knows higher numbers than this file, so the file is an old copy of itself."""
        self._epoch = self._tokens.token()
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (self._epoch,))
        return self._epoch

    async def flush_aside(self) -> None:
        """Bring everything written so far to the disk, in a thread, so that nothing waits for it.

        Called by the agent about once a second; what fails is tried again with the next call.
        """
        try:
            changed_ns = self._path.with_name(f"{self._path.name}-wal").stat().st_mtime_ns
            if changed_ns != self._flushed_ns:
                await asyncio.to_thread(_checkpoint, self._path)
                self._flushed_ns = changed_ns
        except (sqlite3.Error, OSError) as error:
            log.warning("outbox_flush_failed", extra={"reason": str(error)})

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    # Writing

    def row(self, what: Happening) -> EventRow:
        """What is written for an event."""
        about = f"{what.line_id} {what.contact}" if isinstance(what, RegistrationChanged) else None
        body = EventBody.model_construct(at=self._clock.now(), what=what)
        text = body.model_dump_json()
        if "\\u0000" in text:
            # A phone can put a NUL into a header; PostgreSQL takes none, and one such event would hold up all others.
            text = json.dumps(_without_nul(json.loads(text)))
        return (what.kind, about, text)

    def _write(self, write: _Write) -> None:
        if self._backlog:
            self._drain()
            if self._backlog:
                self._postpone(write, "still no room")
                return
        try:
            self._commit(write)
        except sqlite3.OperationalError as error:
            self._postpone(write, str(error))
        except sqlite3.DatabaseError as error:
            self._begin_again()
            self._postpone(write, str(error))
            self._drain()

    def _begin_again(self) -> None:
        """The file is damaged; called while that is being handled."""
        log.exception("outbox_damaged")
        self._db.close()
        self._db = self._connect()
        self._epoch = self._load_epoch()

    def _commit(self, write: _Write) -> None:
        if len(write) == 1:
            self._db.execute(*write[0])
        else:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in write:
                    self._db.execute(statement, values)
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self._count(1)

    def _count(self, appended: int) -> None:
        before, self._appended = self._appended, self._appended + appended
        if self._appended // _CHECK_EVERY != before // _CHECK_EVERY:
            self._limit()

    def _postpone(self, write: _Write, reason: str) -> None:
        """Keep a write in memory until the disk takes it: a full disk must not stop calls."""
        if not self._backlog:
            log.error("outbox_write_postponed", extra={"reason": reason})
        if len(self._backlog) >= MAX_BACKLOG:
            self._backlog.popleft()
            self.shed += 1
        self._backlog.append(write)

    def _drain(self) -> None:
        while self._backlog:
            try:
                self._commit(self._backlog[0])
            except sqlite3.OperationalError:
                return
            self._backlog.popleft()

    def _limit(self) -> None:
        """Make room: first registrations that a newer one of the same binding replaces, then the oldest of the rest."""
        # Numbers only grow: their span bounds the count, and is read at once where counting looks at every event.
        first = self._db.execute("SELECT min(sequence) FROM events").fetchone()[0]
        last = self._db.execute("SELECT max(sequence) FROM events").fetchone()[0]
        if first is None or last - first < self._max_events:
            return
        too_many = len(self) - self._max_events
        if too_many <= 0:
            return
        self._db.execute(
            "DELETE FROM events WHERE kind = 'registration' AND sequence NOT IN "
            "(SELECT max(sequence) FROM events WHERE kind = 'registration' GROUP BY about)"
        )
        too_many = len(self) - self._max_events
        if too_many <= 0:
            return
        done = self._db.execute(
            "DELETE FROM events WHERE sequence IN "
            "(SELECT sequence FROM events WHERE kind NOT IN "
            "('call', 'emergency', 'voicemail', 'queue_call', 'call_recording') "
            "ORDER BY sequence LIMIT ?)",
            (too_many,),
        )
        self.shed += done.rowcount
        log.warning("outbox_shed", extra={"events": done.rowcount})

    def _connect(self) -> sqlite3.Connection:
        database = open_database(self._path, _SCHEMA, checkpoint_pages=_APPENDER_CHECKPOINT_PAGES)
        database.execute(f"PRAGMA busy_timeout={self._busy_ms}")
        return database

    def _load_epoch(self) -> str:
        self._db.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', ?)", (self._tokens.token(),))
        return str(self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])


def _without_nul(value: Any) -> Any:
    """The JSON value with every NUL replaced by U+FFFD."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nul(item) for key, item in value.items()}
    return value


def _checkpoint(path: Path) -> None:
    """Move the log into the file, flushing both; writers go on meanwhile."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=1.0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
