"""Events and calls of a process that cannot wait for the outbox: held beside it, and carried into it now and then.

What was given is safe against kill -9 when `keep` returns: it lies in an append log. `settle` moves all of it into the
outbox in one transaction; a call that began and ended between two of those never touches the table of open calls.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from json.encoder import encode_basestring
from pathlib import Path
from typing import Final

from contract.sync.events import Happening
from edge_agent.append_log import AppendLog
from edge_agent.clock import Clock
from edge_agent.ports import CallEnd, OpenCall
from edge_agent.sync.outbox import MAX_BACKLOG, EventRow, Outbox

log = logging.getLogger(__name__)

SUFFIX: Final = ".held"
"""Of the log's name: `outbox.<process>.held`, beside `outbox.db`."""
MAX_LOG_BYTES: Final = 64 * 1024 * 1024
"""Beyond it, which is far more than an outbox that can be written to ever leaves, events are in memory only."""

_EVENT: Final = "e"
_OPEN: Final = "o"
_CLOSE: Final = "c"
_JOIN: Final = "j"
"""One call takes in another: the id of that one, and the state of the one."""


class HeldEvents:
    """Implements `edge_agent.ports.Reporter` and `CallJournal`.

    Args:
        outbox: of this process.
        process: its name; one process of that name runs at a time.
        folder: where the outbox lies.
        clock: for the moments of events.
    """

    def __init__(self, outbox: Outbox, process: str, folder: Path, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        path = folder / f"outbox.{process}{SUFFIX}"
        self._name = path.name
        take_left_over(outbox, path)
        self._log = AppendLog(path)
        self._log.begin(outbox.taken(self._name) + 1)
        self._lines: list[str] = []
        """Not yet in the log."""
        self._changed: dict[str, OpenCall] = {}
        """Open calls to be written to the log."""
        self._logged_bytes = 0
        self._rows: list[EventRow] = []
        """Not yet in the outbox."""
        self._open: dict[str, str] = {}
        """Open calls that are not yet in the outbox as they are now."""
        self._closed: list[str] = []
        """Calls to be taken out of the outbox's open ones."""
        self._settled: set[str] = set()
        """Open calls that are in the outbox."""
        self._failing = False

    # -- what subsystems use

    def report(self, what: Happening) -> None:
        """See `edge_agent.ports.Reporter`."""
        row = self._outbox.row(what)
        self._rows.append(row)
        kind, about, body = row
        self._lines.append(f"{_EVENT}\t{kind}\t{_field(about or '')}\t{body}\n")

    def opened(self, call: OpenCall) -> None:
        """See `edge_agent.ports.CallJournal`."""
        self._changed[call.call_id] = call

    def joined(self, call: OpenCall, other_id: str) -> None:
        """See `edge_agent.ports.CallJournal`."""
        self.opened(call)
        self._no_longer_open(other_id)
        self._lines.append(f"{_JOIN}\t{other_id}\t{call.call_id}\t{open_call_text(call)}\n")

    def _no_longer_open(self, call_id: str) -> None:
        self._changed.pop(call_id, None)
        self._open.pop(call_id, None)
        if call_id in self._settled:
            self._settled.remove(call_id)
            self._closed.append(call_id)

    def closed(self, call: OpenCall, end: CallEnd) -> None:
        """See `edge_agent.ports.CallJournal`."""
        call_id = call.call_id
        self._no_longer_open(call_id)
        body = call_body(call, end, self._clock.now())
        self._rows.append(("call", None, body))
        self._lines.append(f"{_CLOSE}\t{call_id}\t{body}\n")

    def keep(self) -> None:
        """See `edge_agent.ports.CallJournal`."""
        if self._changed:
            for call_id, call in self._changed.items():
                text = self._open[call_id] = open_call_text(call)
                self._lines.append(f"{_OPEN}\t{call_id}\t{text}\n")
            self._changed.clear()
        if self._lines:
            lines = "".join(self._lines)
            self._lines.clear()
            self._append(lines)

    def _append(self, lines: str) -> None:
        try:
            if self._logged_bytes < MAX_LOG_BYTES:
                self._log.append(lines)
                self._logged_bytes += len(lines)
        except OSError as error:
            # A full disk must not stop calls: what could not be written down is still held in memory.
            self._say("held_events_not_written", str(error))
        else:
            self._failing = False

    # -- towards the outbox

    @property
    def waiting(self) -> bool:
        """Whether `settle` has something to do."""
        return bool(self._rows or self._open or self._closed or self._changed)

    def settle(self) -> bool:
        """Carry everything into the outbox; False when it cannot take it now: then it is tried again later."""
        self.keep()
        if not self.waiting:
            return True
        if not self._outbox.take(self._name, self._log.generation, self._open, self._closed, self._rows):
            if (over := len(self._rows) - MAX_BACKLOG) > 0:
                del self._rows[:over]
                self._outbox.shed += over
            return False
        self._settled.update(self._open)
        self._open.clear()
        self._closed.clear()
        self._rows.clear()
        self._log.begin(self._log.generation + 1)
        self._logged_bytes = 0
        return True

    def close(self) -> None:
        """Carry over what is left and release the files."""
        self.settle()
        self._log.close()
        self._outbox.close()

    def _say(self, event: str, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.error(event, extra={"reason": reason})


def take_left_over(outbox: Outbox, path: Path) -> None:
    """Carry into the outbox what a process that was killed had written down, once."""
    generation, lines = AppendLog(path).left_over()
    if not lines or generation <= outbox.taken(path.name):
        return
    opened: dict[str, str] = {}
    closed: list[str] = []
    rows: list[EventRow] = []
    for line in lines:
        kind, _, rest = line.partition("\t")
        first, _, rest = rest.partition("\t")
        if kind == _EVENT:
            about, _, body = rest.partition("\t")
            rows.append((first, about or None, body))
        elif kind == _OPEN:
            opened[first] = rest
        elif kind == _JOIN:
            opened.pop(first, None)
            closed.append(first)
            call_id, _, opened_text = rest.partition("\t")
            opened[call_id] = opened_text
        elif kind == _CLOSE:
            opened.pop(first, None)
            closed.append(first)
            rows.append(("call", None, rest))
    if not outbox.take(path.name, generation, opened, closed, rows):
        log.error("held_events_not_taken", extra={"events": len(rows), "calls": len(opened)})


def take_all_left_over(outbox: Outbox, folder: Path) -> None:
    """As `take_left_over`, for every process; none of them may be running."""
    for path in sorted(folder.glob(f"outbox.*{SUFFIX}")):
        take_left_over(outbox, path)


def open_call_text(call: OpenCall) -> str:
    """An open call as JSON; written by hand, since every call pays for it."""
    return "{" + _call_fields(call) + "}"


def call_body(call: OpenCall, end: CallEnd, at: datetime) -> str:
    """The `EventBody` of a call's record as JSON; as `open_call_text`."""
    interrupted = "true" if end.interrupted else "false"
    what = (
        f'"kind":"call",{_call_fields(call)},"ended_at":"{moment_text(end.ended_at)}",'
        f'"disposition":"{end.disposition}","status":{end.status},"interrupted":{interrupted}'
    )
    return f'{{"at":"{moment_text(at)}","what":{{{what}}}}}'


def _call_fields(call: OpenCall) -> str:
    answered = f'"{moment_text(call.answered_at)}"' if call.answered_at is not None else "null"
    return (
        f'"call_id":"{call.call_id}","sip_call_id":{encode_basestring(call.sip_call_id)},'
        f'"caller":{encode_basestring(call.caller)},"callee":{encode_basestring(call.callee)},'
        f'"caller_user_id":{_id(call.caller_user_id)},"callee_user_id":{_id(call.callee_user_id)},'
        f'"started_at":"{moment_text(call.started_at)}","answered_at":{answered},'
        f'"reasons":[{",".join(map(encode_basestring, call.reasons))}]'
    )


def moment_text(moment: datetime) -> str:
    """As `isoformat`, which takes twice as long: most moments share their second with the one before."""
    if moment.tzinfo is not UTC or not moment.microsecond:
        return moment.isoformat()
    second = (moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.year)
    text = _seconds.get(second)
    if text is None:
        _seconds.clear()
        text = _seconds[second] = moment.isoformat()[:_TO_THE_SECOND]
    return f"{text}.{moment.microsecond:06d}+00:00"


_seconds: Final[dict[tuple[int, ...], str]] = {}
"""The last second and its text."""
_TO_THE_SECOND: Final = len("2026-01-01T00:00:00")


def _id(value: str | None) -> str:
    return f'"{value}"' if value is not None else "null"


def _field(value: str) -> str:
    """What may stand between two tabs."""
    return value.replace("\t", " ").replace("\n", " ")
