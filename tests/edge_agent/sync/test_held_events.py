"""Events held beside the outbox: safe when kept, in the outbox once and in order, whatever dies in between."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.sync.events import AlarmChanged, CallEnded, EventBody
from edge_agent.clock import SystemClock
from edge_agent.ports import CallEnd, OpenCall, record_of
from edge_agent.sync.held_events import HeldEvents, call_body, moment_text, open_call_text, take_all_left_over
from edge_agent.sync.outbox import MAX_BACKLOG, Outbox
from tests.edge_agent.sync.test_outbox import MOMENT, alarm, open_call
from tests.support.counted_tokens import CountedTokens

END = CallEnd(MOMENT + timedelta(seconds=9), "answered", 200)


def outbox_in(folder: Path, busy_ms: int = 1000) -> Outbox:
    return Outbox.open(folder / "outbox.db", SystemClock(), CountedTokens(), busy_ms=busy_ms)


def held_in(folder: Path, busy_ms: int = 1000) -> HeldEvents:
    return HeldEvents(outbox_in(folder, busy_ms), "sip", folder, SystemClock())


def in_the_outbox(folder: Path) -> list[str]:
    outbox = outbox_in(folder)
    found = [event.body.what for event in outbox.read(0, 100_000)]
    outbox.close()
    return [
        what.text if isinstance(what, AlarmChanged) else what.call_id
        for what in found
        if isinstance(what, AlarmChanged | CallEnded)
    ]


def open_calls(folder: Path) -> int:
    database = sqlite3.connect(folder / "outbox.db")
    count = int(database.execute("SELECT count(*) FROM open_calls").fetchone()[0])
    database.close()
    return count


def test_events_reach_the_outbox_in_their_order_when_settled(tmp_path: Path) -> None:
    held = held_in(tmp_path)
    held.report(alarm("1"))
    call = open_call(1)
    held.opened(call)
    held.keep()
    held.closed(call, END)
    held.report(alarm("2"))
    assert in_the_outbox(tmp_path) == []
    assert held.settle()
    assert in_the_outbox(tmp_path) == ["1", "call-1", "2"]
    assert open_calls(tmp_path) == 0
    assert not held.waiting
    held.close()


def test_a_call_that_goes_on_is_open_in_the_outbox_until_it_ends(tmp_path: Path) -> None:
    held = held_in(tmp_path)
    call = open_call(1)
    held.opened(call)
    held.settle()
    assert open_calls(tmp_path) == 1
    call.answered_at = MOMENT
    held.opened(call)
    held.settle()
    assert open_calls(tmp_path) == 1
    held.closed(call, END)
    held.close()
    assert open_calls(tmp_path) == 0
    assert in_the_outbox(tmp_path) == ["call-1"]


def test_what_was_kept_when_the_process_died_is_taken_once(tmp_path: Path) -> None:
    held = held_in(tmp_path)
    held.report(alarm("settled"))
    held.settle()
    ended, going_on = open_call(1), open_call(2)
    held.opened(ended)
    held.opened(going_on)
    held.report(alarm("kept"))
    held.keep()
    held.closed(ended, END)
    held.keep()
    held.report(alarm("never acknowledged"))
    # The process is gone here.
    outbox = outbox_in(tmp_path)
    take_all_left_over(outbox, tmp_path)
    take_all_left_over(outbox, tmp_path)
    outbox.close()
    assert in_the_outbox(tmp_path) == ["settled", "kept", "call-1"]
    assert open_calls(tmp_path) == 1
    next_run = held_in(tmp_path)
    next_run.report(alarm("next"))
    next_run.keep()
    third_run = held_in(tmp_path)
    third_run.close()
    assert in_the_outbox(tmp_path) == ["settled", "kept", "call-1", "next"]


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("dies", ["before it is kept", "then", "after the end"])
def test_two_calls_that_became_one_have_one_record_whenever_the_process_dies(
    tmp_path: Path, settled: bool, dies: str
) -> None:
    held = held_in(tmp_path)
    first, second = open_call(1), open_call(2)
    held.opened(first)
    held.opened(second)
    held.keep()
    if settled:
        held.settle()
    first.reasons = ("transferred: on to somebody",)
    held.joined(first, second.call_id)
    if dies != "before it is kept":
        held.keep()
    if dies == "after the end":
        held.closed(first, END)
        held.keep()
    # The process is gone here.
    outbox = outbox_in(tmp_path)
    take_all_left_over(outbox, tmp_path)
    outbox.close_interrupted(MOMENT + timedelta(hours=1))
    records = [event.body.what for event in outbox.read(0, 100) if isinstance(event.body.what, CallEnded)]
    outbox.close()
    if dies == "before it is kept":
        assert [one.call_id for one in records] == ["call-1", "call-2"]
        assert all(one.interrupted and "transferred" not in " ".join(one.reasons) for one in records)
    else:
        assert [one.call_id for one in records] == ["call-1"]
        assert records[0].reasons == ("transferred: on to somebody",)
        assert records[0].interrupted is (dies == "then")


def test_two_calls_that_became_one_are_one_in_the_outbox(tmp_path: Path) -> None:
    held = held_in(tmp_path)
    first, second = open_call(1), open_call(2)
    held.opened(first)
    held.opened(second)
    held.settle()
    held.joined(first, second.call_id)
    held.settle()
    assert open_calls(tmp_path) == 1
    held.closed(first, END)
    held.close()
    assert in_the_outbox(tmp_path) == ["call-1"]
    assert open_calls(tmp_path) == 0


def test_a_process_that_died_right_after_settling_leaves_nothing_to_be_taken_twice(tmp_path: Path) -> None:
    held = held_in(tmp_path)
    held.report(alarm("1"))
    held.keep()
    log = (tmp_path / "outbox.sip.held").read_bytes()
    held.settle()
    (tmp_path / "outbox.sip.held").write_bytes(log)
    again = held_in(tmp_path)
    again.close()
    assert in_the_outbox(tmp_path) == ["1"]


def test_an_outbox_that_another_process_writes_to_gets_everything_later(tmp_path: Path) -> None:
    held = held_in(tmp_path, busy_ms=0)
    other = sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    held.report(alarm("1"))
    assert not held.settle()
    held.report(alarm("2"))
    assert held.waiting
    other.execute("ROLLBACK")
    other.close()
    assert held.settle()
    assert in_the_outbox(tmp_path) == ["1", "2"]
    held.close()


def test_what_waits_for_the_outbox_is_bounded(tmp_path: Path) -> None:
    outbox = outbox_in(tmp_path, busy_ms=0)
    held = HeldEvents(outbox, "sip", tmp_path, SystemClock())
    other = sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in range(MAX_BACKLOG + 3):
        held.report(alarm(str(number)))
    assert not held.settle()
    other.execute("ROLLBACK")
    other.close()
    assert held.settle()
    assert outbox.shed == 3
    held.close()


def test_a_disk_that_takes_no_log_stops_nothing(tmp_path: Path) -> None:
    held = held_in(tmp_path)
    (tmp_path / "outbox.sip.held").unlink(missing_ok=True)
    held._log.close()
    (tmp_path / "outbox.sip.held").mkdir()
    held.report(alarm("1"))
    held.keep()
    held.settle()
    assert in_the_outbox(tmp_path) == ["1"]


@pytest.mark.parametrize(
    "call",
    [
        open_call(1),
        open_call(2, answered=True),
        OpenCall("c", 'a"b\\c@d', "käse ☎", "*99", None, "user-2", MOMENT, None, ('say "x"', "next")),
    ],
)
def test_a_record_written_by_hand_is_the_record(call: OpenCall) -> None:
    body = EventBody.model_validate_json(call_body(call, END, MOMENT))
    assert body == EventBody(at=MOMENT, what=record_of(call, END))
    interrupted = CallEnd(MOMENT, "failed", 408, interrupted=True)
    assert EventBody.model_validate_json(call_body(call, interrupted, MOMENT)).what == record_of(call, interrupted)


def test_an_open_call_written_by_hand_becomes_an_interrupted_record(tmp_path: Path) -> None:
    call = OpenCall("c", 'a"b\\c@d', "käse ☎", "*99", None, "user-2", MOMENT, MOMENT, ('say "x"', "next"))
    outbox = outbox_in(tmp_path)
    assert outbox.take("x", 1, {"c": open_call_text(call)}, (), ())
    outbox.close_interrupted(MOMENT)
    (event,) = outbox.read(0, 10)
    assert event.body.what == record_of(call, CallEnd(MOMENT, "answered", 200, interrupted=True))
    outbox.close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from contract.sync.events import AlarmChanged
from edge_agent.clock import SystemClock
from edge_agent.sync.held_events import HeldEvents
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
folder = Path(sys.argv[1])
held = HeldEvents(Outbox.open(folder / "outbox.db", SystemClock(), SystemTokens()), "sip", folder, SystemClock())
number = 0
while True:
    held.report(AlarmChanged(alarm="test", severity="warning", active=True, text=str(number)))
    held.keep()
    print(number, flush=True)
    number += 1
    if number % 7 == 0:
        held.settle()
"""


@pytest.mark.parametrize("after", [1, 300, 1500])
def test_kill_9_in_the_middle_loses_nothing_that_was_kept_and_doubles_nothing(tmp_path: Path, after: int) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= after:
            break
    os.kill(writer.pid, signal.SIGKILL)
    kept = [int(line) for line in writer.stdout.read().split("\n")[:-1]] or [after]
    writer.stdout.close()
    writer.wait()
    held_in(tmp_path).close()
    found = [int(text) for text in in_the_outbox(tmp_path)]
    assert found == list(range(len(found)))
    assert len(found) > kept[-1]


@given(st.datetimes(timezones=st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30))))))
def test_a_moment_is_written_as_isoformat_writes_it(moment: datetime) -> None:
    later = moment.replace(microsecond=(moment.microsecond + 1) % 1_000_000)
    assert [moment_text(moment), moment_text(later)] == [moment.isoformat(), later.isoformat()]
