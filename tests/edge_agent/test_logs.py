"""Every event is one line, for people or for programs."""

import json
import logging

import pytest

from edge_agent.logs import HumanLines, JsonLines, write_logs
from edge_agent.settings import LogSettings


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("edge_agent.sip", logging.INFO, "", 0, message, (), None)
    vars(made).update(fields)
    return made


def test_an_event_is_one_json_object_with_its_fields() -> None:
    line = json.loads(JsonLines().format(record("process_ended", subsystem="sip", restarts=2)))
    assert (line["event"], line["level"], line["subsystem"], line["restarts"]) == ("process_ended", "info", "sip", 2)
    assert line["time"].endswith("Z")


@pytest.mark.parametrize("forged", ["two\nlines", "\x1b[2Jcleared", "carriage\rreturn"])
def test_a_field_cannot_forge_a_line_or_reach_the_terminal(forged: str) -> None:
    for formatter in (JsonLines(), HumanLines()):
        assert formatter.format(record("message_dropped", user_agent=forged)).isprintable()


def test_people_read_the_subsystem_and_the_fields() -> None:
    assert HumanLines().format(record("process_ended", restarts=2)).endswith("INFO    sip: process_ended restarts=2")


def test_the_level_is_a_setting() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        write_logs(LogSettings(level="error", format="json"))
        assert root.level == logging.ERROR
        assert isinstance(root.handlers[0].formatter, JsonLines)
    finally:
        root.handlers[:], root.level = before[0], before[1]
        root.setLevel(before[1])
