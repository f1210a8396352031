"""Shared lines at a whole edge, its cloud reached or cut; sipp is the phones, no other free user agent knows them."""

import contextlib
import itertools
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.snapshot import DialPlan, InternalRule, Line, Site, Snapshot, User
from contract.sync.events import CallEnded
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.reachable_cloud import ReachableCloud
from tests.support.sipp import Sipp, SippAccount, run
from tests.support.waiting import eventually

DOMAIN = "demo.tandem.test"
LINES = {"desk": "201", "kitchen": "201", "other": "202"}

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.timeout(240)]


def snapshot() -> Snapshot:
    """201 has a line with two appearances on two phones, each with credentials of its own; 202 has a phone."""
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(
                user_id=f"user-{number}",
                username=number,
                display_name=f"Desk {number}",
                extension=number,
                appearances=2 if number == "201" else 0,
            )
            for number in ("201", "202")
        ),
        lines=tuple(
            Line(line_id=name, user_id=f"user-{number}", auth_username=name, password=f"s-{name}:1")
            for name, number in LINES.items()
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )


class Office:
    """A running edge."""

    def __init__(self, folder: Path, stack: ExitStack, cloud: str) -> None:
        self.folder, self._stack = folder, stack
        self.state_dir = folder / "state"
        self.cloud = ReachableCloud(folder / "cloud", snapshot(), cloud)
        stack.callback(self.cloud.close)
        secrets = {f"s-{name}:1": f"password-of-{name}" for name in LINES}
        prepare_state(self.state_dir, snapshot(), secrets, self.cloud.identity)
        self.edge = EdgeProcess(self.state_dir)
        stack.callback(self.edge.stop)
        self.target = f"127.0.0.1:{self.edge.ready(120)['ports']['sip_udp']}"
        self.cloud.is_known_to(self.edge)

    def row(self, line: str, third: str = "") -> str:
        """What sipp is told to be the phone with a line."""
        return SippAccount(LINES[line], line, f"password-of-{line}", DOMAIN).row(third, "call-info")

    def sipp(self, scenario: str, line: str, third: str = "", talk_ms: int = 100, calls: int = 1) -> Sipp:
        """The phone with a line does this."""
        rows = (self.row(line, third),)
        made = Sipp(self.folder, scenario, self.target, rows, calls=calls, talk_ms=talk_ms, answers_notifies=True)
        return self._stack.enter_context(made)

    def kept(self) -> list[tuple[int, bool]]:
        """Calls of the line on the edge's disk: at which place, and whether it is on hold."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state_dir / 'events.db'}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT value FROM kept WHERE kind = 'dialog'").fetchall()
        found = [json.loads(value) for (value,) in rows]
        return [(one["appearance"], one["held"]) for one in found if "appearance" in one]

    def records(self) -> list[CallEnded]:
        """The records that the cloud has, and those on the edge's disk."""
        return self.cloud.calls(self.state_dir)


@pytest.fixture
def office(tmp_path: Path, cloud: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, cloud)


def states_of_first_place(watching: Sipp) -> list[str]:
    """What a phone was told of it, without what was told again."""
    told = [
        found[1]
        for one in watching.notified("Call-Info")
        if (found := re.search(r"appearance-index=(?:1|\*);appearance-state=([\w-]+)", one))
    ]
    return [state for state, _ in itertools.groupby(told)]


def test_a_place_is_seized_called_from_held_and_taken_up_by_the_other_phone_of_the_line(office: Office) -> None:
    callee = office.sipp("answer_replaces", "other", calls=2)
    run(office.folder, "register", office.target, (office.row("other", str(callee.port)),))
    watching = office.sipp("watch", "kitchen", "201")
    eventually(lambda: states_of_first_place(watching) == ["idle"], 30, "the watching phone knows its places")
    holding = office.sipp("seize_and_hold", "desk", "202", talk_ms=5000)
    eventually(lambda: office.kept() == [(1, False)], 30, "the call is at the first place")
    office.sipp("seize_taken", "kitchen").finish(30)
    eventually(lambda: office.kept() == [(1, True)], 30, "the call is on hold")
    office.sipp("take_up", "kitchen", talk_ms=500).finish(30)
    for sipp in (holding, callee):
        sipp.finish(60)
    assert holding.notified("Subscription-State")[-1] == "terminated;reason=noresource"
    wanted = ["idle", "seized", "progressing", "active", "held", "active", "idle"]
    eventually(lambda: states_of_first_place(watching) == wanted, 30, "every state of the place in its order")
    assert watching.status is None, "it watches on"
    eventually(lambda: len(office.records()) == 1, 10, "the call's record")
    (record,) = office.records()
    assert (record.caller, record.callee, record.disposition) == ("201", "202", "answered")
    assert any(reason.startswith("taken_up: ") for reason in record.reasons)
    assert office.kept() == []
