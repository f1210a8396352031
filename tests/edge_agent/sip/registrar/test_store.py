"""The binding store on disk: nothing acknowledged is lost by a kill, and no file stops the process."""

import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.sip.registrar import SqliteBindingStore, StoredBinding

BINDING = StoredBinding(
    user_id="user-201",
    line_id="line-201",
    device_id=None,
    contact="sip:201@192.0.2.11:5060",
    transport="udp",
    host="192.0.2.11",
    port=5060,
    source="192.0.2.11:5060",
    expires_at=2e9,
    reported_until=2e9,
    q=1000,
    call_id="c",
    cseq=1,
    user_agent="",
    instance="",
)

WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from edge_agent.sip.registrar import SqliteBindingStore
from tests.edge_agent.sip.registrar.test_store import BINDING
store = SqliteBindingStore(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    store.put(replace(BINDING, contact=f"sip:{number}@192.0.2.11"))
    assert store.commit()
    print(number, flush=True)
"""


def test_what_was_committed_is_read_again(tmp_path: Path) -> None:
    store = SqliteBindingStore(tmp_path / "sip.db")
    store.put(BINDING)
    assert store.load() == []
    assert store.commit()
    store.close()
    again = SqliteBindingStore(tmp_path / "sip.db")
    assert again.load() == [BINDING]
    again.remove(BINDING.user_id, BINDING.contact)
    again.close()
    last = SqliteBindingStore(tmp_path / "sip.db")
    assert last.load() == []
    last.close()


def test_every_committed_binding_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "sip.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        seen = [int(writer.stdout.readline()) for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        seen += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    store = SqliteBindingStore(path)
    found = {one.contact for one in store.load()}
    store.close()
    assert found >= {f"sip:{number}@192.0.2.11" for number in seen}


@pytest.mark.parametrize(
    "damage", [b"this is no database, it only has the name of one" * 100, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_damaged_file_is_set_aside_and_never_stops_the_process(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "sip.db"
    path.write_bytes(damage)
    store = SqliteBindingStore(path)
    store.put(BINDING)
    assert store.commit()
    assert store.load() == [BINDING]
    store.close()
    assert (tmp_path / "sip.db.damaged").read_bytes() == damage


def test_a_file_cut_off_in_the_middle_never_stops_the_process(tmp_path: Path) -> None:
    path = tmp_path / "sip.db"
    store = SqliteBindingStore(path)
    for number in range(300):
        store.put(replace(BINDING, contact=f"sip:{number}@x"))
    store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = SqliteBindingStore(path)
    again.put(BINDING)
    assert again.commit()
    assert BINDING in again.load()
    again.close()


def test_a_locked_database_holds_nobody_up_and_has_everything_later(tmp_path: Path) -> None:
    path = tmp_path / "sip.db"
    store = SqliteBindingStore(path, busy_seconds=0.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put(BINDING)
    assert store.commit()
    assert store.load() == [BINDING]
    store.close()  # as far as it goes
    other.execute("ROLLBACK")
    other.close()
    again = SqliteBindingStore(path)
    assert again.load() == [BINDING]
    again.close()


def test_a_disk_that_refuses_is_said_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "sip.db"
    store = SqliteBindingStore(path)
    log = tmp_path / "sip.db.log"
    log.unlink()
    store._log.close()
    log.mkdir()
    store.put(BINDING)
    assert not store.commit()
    assert store.load() == []
    log.rmdir()
    assert store.commit()
    assert store.load() == [BINDING]
    store.close()


def test_what_gathers_is_carried_over_once_and_a_removal_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "sip.db"
    store = SqliteBindingStore(path)
    for number in range(3000):
        store.put(replace(BINDING, contact=f"sip:{number}@192.0.2.11", user_agent='a "phone"\\'))
        assert store.commit()
    assert (tmp_path / "sip.db.log").stat().st_size < 300_000
    store.remove(BINDING.user_id, "sip:7@192.0.2.11")
    assert store.commit()
    copy = (tmp_path / "sip.db.log").read_bytes()
    store.close()
    (tmp_path / "sip.db.log").write_bytes(copy)  # as if the process had been killed before it emptied the log
    again = SqliteBindingStore(path)
    found = {one.contact: one for one in again.load()}
    assert len(found) == 2999
    assert "sip:7@192.0.2.11" not in found
    assert found["sip:8@192.0.2.11"].user_agent == 'a "phone"\\'
    again.close()
