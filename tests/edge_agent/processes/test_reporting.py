"""What a process reports is safe at once, and reaches the outbox in few writes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from contract.sync.events import PhoneFetched, RegistrationChanged
from edge_agent.clock import SystemClock
from edge_agent.processes.child import Bell
from edge_agent.processes.provisioning import NICENESS
from edge_agent.processes.reporting import Reporting, SipReporting
from edge_agent.sync.held_events import take_all_left_over
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens


class CountingBell(Bell):
    """Counts how often the agent would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


def fetched(number: int) -> PhoneFetched:
    return PhoneFetched(device_id=f"d{number}", address="192.0.2.7", protocol="http", version=1)


def outbox(folder: Path) -> Outbox:
    return Outbox.open(folder / "outbox.db", SystemClock(), SystemTokens())


def stored(folder: Path) -> list[str]:
    opened = outbox(folder)
    try:
        return [
            event.body.what.device_id for event in opened.read(0, 5000) if isinstance(event.body.what, PhoneFetched)
        ]
    finally:
        opened.close()


def test_a_thousand_phones_reach_the_outbox_in_one_write_and_ring_once(tmp_path: Path) -> None:
    bell, due = CountingBell(), list[Callable[[], None]]()
    reporting = Reporting(
        tmp_path, "provisioning", bell, SystemClock(), SystemTokens(), lambda seconds, call: due.append(call)
    )
    for number in range(1000):
        reporting.report(fetched(number))
    assert (stored(tmp_path), bell.rings, len(due)) == ([], 0, 1)
    due.pop()()
    assert (stored(tmp_path), bell.rings) == ([f"d{number}" for number in range(1000)], 1)
    reporting.report(fetched(1000))
    reporting.close()
    assert stored(tmp_path)[-1] == "d1000"


def test_what_was_reported_survives_a_kill_before_it_reached_the_outbox(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom edge_agent.clock import SystemClock\n"
        "from edge_agent.processes.child import Bell\nfrom edge_agent.processes.reporting import Reporting\n"
        "from edge_agent.tokens import SystemTokens\nfrom tests.edge_agent.processes.test_reporting import fetched\n"
        "parts = (Path(sys.argv[1]), 'provisioning', Bell(), SystemClock(), SystemTokens(), lambda *_: None)\n"
        "reporting = Reporting(*parts)\n"
        "[reporting.report(fetched(number)) for number in range(3)]\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == -9
    assert stored(tmp_path) == []
    opened = outbox(tmp_path)
    take_all_left_over(opened, tmp_path)
    opened.close()
    assert stored(tmp_path) == ["d0", "d1", "d2"]


def test_who_may_not_write_now_keeps_nobody_waiting_and_tries_again(tmp_path: Path) -> None:
    due = list[Callable[[], None]]()
    reporting = Reporting(
        tmp_path, "provisioning", CountingBell(), SystemClock(), SystemTokens(), lambda seconds, call: due.append(call)
    )
    reporting.report(fetched(1))
    other = outbox(tmp_path)
    other._db.execute("BEGIN IMMEDIATE")
    due.pop()()
    assert len(due) == 1
    other._db.execute("ROLLBACK")
    due.pop()()
    assert stored(tmp_path) == ["d1"]
    other.close()
    reporting.close()


def test_the_process_of_phones_gives_way_to_calls(tmp_path: Path) -> None:
    script = (
        "import os\nfrom edge_agent.processes.provisioning import give_way\ngive_way()\n"
        "print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_BATCH)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    niceness = min(19, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    assert done.stdout.split() == [str(niceness), "True"]


class ListeningBell(CountingBell):
    """Remembers what phones are said to be."""

    def __init__(self) -> None:
        super().__init__()
        self.showed_so_far: list[tuple[str, str]] = []

    def showed(self, device_id: str, user_agent: str) -> None:
        self.showed_so_far.append((device_id, user_agent))


def test_what_phones_are_that_register_is_said_once_for_each_and_again_when_it_changes(tmp_path: Path) -> None:
    bell = ListeningBell()
    reporting = SipReporting(tmp_path, "sip", bell, SystemClock(), SystemTokens(), lambda seconds, call: None)
    old, new = "Yealink SIP-T54W 96.86.0.60", "Yealink SIP-T54W 96.86.0.70"
    for device_id, user_agent, state in (
        ("d1", old, "registered"),
        ("d1", old, "registered"),
        ("d1", old, "removed"),
        (None, old, "registered"),
        ("d2", "", "registered"),
        ("d1", new, "registered"),
    ):
        reporting.report(
            RegistrationChanged.model_validate(
                {
                    "state": state,
                    "user_id": "u1",
                    "line_id": "l1",
                    "device_id": device_id,
                    "contact": "sip:200@192.0.2.7",
                    "user_agent": user_agent,
                }
            )
        )
    reporting.close()
    assert bell.showed_so_far == [("d1", old), ("d1", new)]
