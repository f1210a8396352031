"""What a process of the cloud writes on standard error: one event per line, with a fixed name and named fields.

An event is logged as `log.info("edge_online", extra={"edge_id": …})`: the message is the event's name, and what it is
about stands in fields, which no plain format shows. Lambda functions have their logger from Powertools.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, Literal

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NOISY: Final = ("quic", "websockets", "asyncio")
"""Libraries whose every step is no event of ours."""


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _one_line(value: object) -> str:
    """A value that cannot forge a second line."""
    text = str(value)
    return text if text.isprintable() else json.dumps(text)


class HumanLines(logging.Formatter):
    """One line for people: time, level, logger, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        fields = [f"{name}={_one_line(value)}" for name, value in _fields(record).items()]
        line = " ".join([_moment(record), record.levelname, f"{record.name}:", _one_line(record.getMessage()), *fields])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object per event: `time`, `level`, `logger`, `event`, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        line: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def write_logs(level: str = "INFO", form: Literal["human", "json"] = "human") -> None:
    """Write this process's log on standard error from now on.

    Args:
        level: what is below it is left out; of libraries, what is below WARNING.
        form: for people, or for a log service.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
