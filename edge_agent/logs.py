"""What the agent writes on standard error: one event per line, with a fixed name and named fields.

An event is logged as `log.info("process_ended", extra={"subsystem": "sip"})`: the message is the event's name, never
a sentence with values in it. Secrets are `SecretStr` wherever they are kept, so no field can show one.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from edge_agent.settings import LogSettings

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class JsonLines(logging.Formatter):
    """One JSON object per event: `time`, `level`, `logger`, `event`, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process_id": record.process,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class HumanLines(logging.Formatter):
    """One line for people: time, level, subsystem, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        where = record.name.removeprefix("edge_agent.")
        fields = " ".join(f"{name}={_one_line(value)}" for name, value in _fields(record).items())
        text = f"{at} {record.levelname:<7} {where}: {_one_line(record.getMessage())} {fields}".rstrip()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


def _one_line(value: object) -> str:
    """A value that cannot forge a second line."""
    text = str(value)
    return text if text.isprintable() else json.dumps(text)


def write_logs(settings: LogSettings) -> None:
    """Write this process's log on standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for noisy in ("quic", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
