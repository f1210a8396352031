"""A line of the cloud's log says what the event was about, and is one line."""

import json
import logging

import pytest
from pydantic import SecretStr

from cloud.logs import HumanLines, JsonLines, write_logs


def record(**fields: object) -> logging.LogRecord:
    """An event with fields, as `extra` gives them."""
    made = logging.makeLogRecord({"name": "cloud.hub.hub", "levelname": "INFO", "msg": "edge_online", "created": 0.0})
    vars(made).update(fields)
    return made


def test_a_line_for_people_has_the_fields_of_the_event() -> None:
    line = HumanLines().format(record(edge_id="e-1", transport="quic"))
    assert line == "1970-01-01T00:00:00.000Z INFO cloud.hub.hub: edge_online edge_id=e-1 transport=quic"


def test_no_value_can_forge_a_second_line() -> None:
    assert "\n" not in HumanLines().format(record(why="gone\n1970 INFO cloud.hub.hub: edge_online"))
    assert "\n" not in JsonLines().format(record(why="gone\nagain"))


def test_a_line_for_a_log_service_is_one_json_object_and_shows_no_secret() -> None:
    line = json.loads(JsonLines().format(record(edge_id="e-1", token=SecretStr("planted"))))
    assert (line["event"], line["edge_id"], line["level"]) == ("edge_online", "e-1", "info")
    assert "planted" not in str(line)


def test_what_libraries_say_at_every_step_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, quic = logging.getLogger(), logging.getLogger("quic")
    for logger in (root, quic, logging.getLogger("websockets"), logging.getLogger("asyncio")):
        monkeypatch.setattr(logger, "level", logger.level)
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    write_logs("INFO", "human")
    quic.info("ALPN negotiated")
    logging.getLogger("cloud.hub.hub").info("edge_online", extra={"edge_id": "e-1"})
    written = capsys.readouterr().err
    assert "edge_online edge_id=e-1" in written
    assert "ALPN" not in written
