"""The outbox: what was reported is there, whatever dies; and it does not grow without bound."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.sync.events import AlarmChanged, CallEnded, RegistrationChanged, UnknownPhoneSeen
from edge_agent.clock import SystemClock
from edge_agent.ports import OpenCall
from edge_agent.sync.outbox import MAX_BACKLOG, Outbox
from tests.support.counted_tokens import CountedTokens

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def opened(path: Path, max_events: int = 100_000, tokens: CountedTokens | None = None) -> Outbox:
    return Outbox.open(path, SystemClock(), tokens or CountedTokens(), max_events=max_events)


def registration(line: int, expires: int = 0) -> RegistrationChanged:
    return RegistrationChanged(
        state="registered",
        user_id="user",
        line_id=f"line-{line}",
        contact=f"sip:{line}@192.0.2.1",
        expires_at=MOMENT + timedelta(seconds=expires),
    )


def call(number: int) -> CallEnded:
    return CallEnded(
        call_id=f"call-{number}",
        sip_call_id="x@y",
        caller="200",
        callee="201",
        started_at=MOMENT,
        ended_at=MOMENT,
        disposition="answered",
        status=200,
    )


def open_call(number: int, answered: bool = False) -> OpenCall:
    return OpenCall(
        call_id=f"call-{number}",
        sip_call_id="x@y",
        caller="200",
        callee="201",
        caller_user_id="user-1",
        callee_user_id=None,
        started_at=MOMENT,
        answered_at=MOMENT + timedelta(seconds=5) if answered else None,
        reasons=("internal extension",),
    )


def alarm(text: str) -> AlarmChanged:
    return AlarmChanged(alarm="test", severity="warning", active=True, text=text)


def test_events_are_read_in_the_order_in_which_they_were_reported(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    for number in range(10):
        outbox.report(alarm(str(number)))
    first = outbox.read(0, 4)
    rest = outbox.read(first[-1].sequence, 100)
    texts = [event.body.what.text for event in (*first, *rest) if isinstance(event.body.what, AlarmChanged)]
    assert texts == [str(number) for number in range(10)]
    outbox.close()


def test_acknowledged_events_are_gone_and_numbering_goes_on(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    for number in range(3):
        outbox.report(alarm(str(number)))
    outbox.acknowledge(outbox.epoch, 3)
    assert len(outbox) == 0
    outbox.close()
    outbox = opened(tmp_path / "outbox.db")
    outbox.report(alarm("later"))
    assert [event.sequence for event in outbox.read(0, 10)] == [4]
    outbox.close()


def test_what_was_sent_is_remembered(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    assert outbox.sent == 0
    outbox.mark_sent(17)
    outbox.close()
    outbox = opened(tmp_path / "outbox.db")
    assert outbox.sent == 17
    outbox.close()


def test_an_acknowledgement_of_another_epoch_deletes_nothing(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    outbox.report(alarm("kept"))
    outbox.acknowledge("another-epoch", 1)
    assert len(outbox) == 1
    outbox.close()


def test_two_processes_worth_of_connections_append_to_one_outbox(tmp_path: Path) -> None:
    sip, media = opened(tmp_path / "outbox.db"), opened(tmp_path / "outbox.db")
    for number in range(50):
        sip.report(alarm(f"sip {number}"))
        media.report(alarm(f"media {number}"))
    assert [event.sequence for event in sip.read(0, 1000)] == list(range(1, 101))
    assert sip.epoch == media.epoch
    sip.close()
    media.close()


def test_a_nul_in_an_event_does_not_reach_the_cloud_which_could_not_keep_it(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    outbox.report(alarm("a\0b"))
    outbox.report(alarm("a\\u0000b"))
    texts = [e.body.what.text for e in outbox.read(0, 9) if isinstance(e.body.what, AlarmChanged)]
    assert texts == ["a\ufffdb", "a\\u0000b"]
    outbox.close()


def test_a_call_closes_and_is_reported_both_or_neither(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    outbox.opened(open_call(1))
    outbox.opened(open_call(1, answered=True))
    outbox.closed(call(1))
    assert [event.body.what for event in outbox.read(0, 10)] == [call(1)]
    assert outbox.close_interrupted(MOMENT) == 0
    outbox.close()


def test_calls_that_nobody_ended_become_interrupted_records_at_the_next_start(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    outbox.opened(open_call(1))
    outbox.opened(open_call(2, answered=True))
    outbox.close()
    outbox = opened(tmp_path / "outbox.db")
    end = MOMENT + timedelta(minutes=10)
    assert outbox.close_interrupted(end) == 2
    records = [event.body.what for event in outbox.read(0, 10)]
    assert [
        (r.call_id, r.disposition, r.interrupted, r.ended_at, r.reasons) for r in records if isinstance(r, CallEnded)
    ] == [
        ("call-1", "failed", True, end, ("internal extension",)),
        ("call-2", "answered", True, end, ("internal extension",)),
    ]
    assert outbox.close_interrupted(end) == 0
    outbox.close()


def test_a_clock_that_was_set_back_does_not_end_a_call_before_it_began(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    outbox.opened(open_call(1, answered=True))
    outbox.close_interrupted(MOMENT - timedelta(days=1))
    (event,) = outbox.read(0, 10)
    assert isinstance(event.body.what, CallEnded)
    assert event.body.what.ended_at == event.body.what.answered_at
    outbox.close()


def test_over_the_limit_only_the_newest_registration_of_a_binding_stays(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db", max_events=100)
    outbox.report(call(1))
    for round_ in range(200):
        for line in range(5):
            outbox.report(registration(line, expires=round_))
    kept = outbox.read(0, 10_000)
    assert len(kept) <= 600
    newest = {e.body.what.line_id: e.body.what for e in kept if isinstance(e.body.what, RegistrationChanged)}
    assert {what.expires_at for what in newest.values()} == {MOMENT + timedelta(seconds=199)}
    assert outbox.shed == 0
    outbox.close()


def test_calls_are_never_shed_and_the_oldest_of_the_rest_is(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db", max_events=100)
    for number in range(500):
        outbox.report(call(number))
        outbox.report(UnknownPhoneSeen(address=f"192.0.2.{number % 250}", protocol="tftp", model=str(number)))
    kept = [event.body.what for event in outbox.read(0, 10_000)]
    assert len([what for what in kept if isinstance(what, CallEnded)]) == 500
    assert outbox.shed == 500
    outbox.close()


@pytest.mark.parametrize("content", [b"", b"not a database at all, " * 200, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_file_that_is_no_database_is_set_aside_and_a_new_epoch_begins(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(content)
    outbox = opened(path)
    outbox.report(alarm("goes on"))
    assert len(outbox.read(0, 10)) == 1
    assert (tmp_path / "outbox.db.corrupt").exists() == bool(content)
    outbox.close()


def test_a_cut_outbox_never_gives_a_number_twice_in_one_epoch(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    tokens = CountedTokens()
    outbox = opened(path, tokens=tokens)
    for number in range(60):
        outbox.report(alarm("x" * 500 + str(number)))
    epoch = outbox.epoch
    outbox.close()
    whole = path.read_bytes()
    for length in range(1, len(whole), 997):
        cut = tmp_path / f"cut-{length}.db"
        cut.write_bytes(whole[:length])
        damaged = opened(cut, tokens=tokens)
        damaged.report(alarm("goes on"))
        found = damaged.read(0, 1000)
        if damaged.epoch == epoch:
            # Only the last record was touched; then numbering goes on where it was.
            assert found[-1].sequence == 61
        else:
            assert [event.sequence for event in found] == [1]
        damaged.close()


def test_damage_while_running_is_survived_with_a_new_epoch(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = opened(path)
    outbox.report(alarm("before"))
    epoch = outbox.epoch
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    with path.open("r+b") as file:
        file.write(b"\0" * 100)
    (tmp_path / "outbox.db-wal").write_bytes(b"")
    outbox._db.close()
    outbox._db = sqlite3.connect(path, isolation_level=None)
    outbox.report(alarm("after"))
    assert outbox.epoch != epoch
    assert [e.body.what.text for e in outbox.read(0, 10) if isinstance(e.body.what, AlarmChanged)] == ["after"]
    outbox.close()


def test_a_full_disk_postpones_writes_and_keeps_their_order(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    outbox.report(alarm("0"))
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count={pages}")
    for number in range(1, 60):
        outbox.report(alarm(f"{number} " + "x" * 500))
    outbox._db.execute("PRAGMA max_page_count=1000000")
    outbox.report(alarm("60"))
    texts = [e.body.what.text.split()[0] for e in outbox.read(0, 100) if isinstance(e.body.what, AlarmChanged)]
    assert texts == [str(number) for number in range(61)]
    outbox.close()


def test_what_waits_for_a_full_disk_is_bounded(tmp_path: Path) -> None:
    outbox = opened(tmp_path / "outbox.db")
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count={pages}")
    big = alarm("x" * 1000)
    while outbox.shed < 5:
        outbox.report(big)
    assert len(outbox._backlog) == MAX_BACKLOG
    outbox.close()


async def test_a_flush_brings_the_log_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = opened(path)
    for number in range(100):
        outbox.report(alarm("x" * 300 + str(number)))
    before = path.stat().st_size
    await outbox.flush_aside()
    assert path.stat().st_size > before
    outbox.close()


WRITER = """
import sys
from pathlib import Path
from contract.sync.events import AlarmChanged
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
outbox = Outbox.open(Path(sys.argv[1]), SystemClock(), SystemTokens())
number = 0
while True:
    outbox.report(AlarmChanged(alarm="test", severity="warning", active=True, text=str(number)))
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("after", [1, 300, 1500])
def test_kill_9_in_the_middle_loses_nothing_that_was_reported(tmp_path: Path, after: int) -> None:
    path = tmp_path / "outbox.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= after:
            break
    os.kill(writer.pid, signal.SIGKILL)
    reported = [int(line) for line in writer.stdout.read().split("\n")[:-1]] or [after]
    writer.stdout.close()
    writer.wait()
    outbox = opened(path)
    kept = [int(e.body.what.text) for e in outbox.read(0, 1_000_000) if isinstance(e.body.what, AlarmChanged)]
    assert kept == list(range(len(kept)))
    assert len(kept) > reported[-1]
    outbox.close()
