"""How calls were heard, at a whole edge whose cloud is away: sipp reports of its call as a phone does (RFC 6035)."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.snapshot import DialPlan, InternalRule, Line, Site, Snapshot, User
from contract.sync.events import CallEnded
from contract.sync.quality import CallQuality
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.sipp import Sipp, SippAccount, run
from tests.support.waiting import eventually

DOMAIN = "demo.tandem.test"
NUMBERS = ("201", "202")

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.timeout(180)]


def snapshot() -> Snapshot:
    """Two users with a phone each."""
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm="realm-1"),
        users=tuple(User(user_id=f"user-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in NUMBERS),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in NUMBERS
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )


def kept(state_dir: Path) -> tuple[list[CallEnded], list[CallQuality]]:
    """Records of calls, and what was told of how they were heard, on the edge's disk."""
    outbox = Outbox.open(state_dir / "outbox.db", SystemClock(), SystemTokens())
    try:
        events = [event.body.what for event in outbox.read(0, 100)]
    finally:
        outbox.close()
    records = [one for one in events if isinstance(one, CallEnded)]
    return records, [one for one in events if isinstance(one, CallQuality)]


def test_what_a_phone_reports_of_its_call_is_told_with_the_call_id_of_its_record(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    prepare_state(state_dir, snapshot(), {f"s-{n}:1": f"password-of-{n}" for n in NUMBERS})
    with ExitStack() as stack:
        edge = EdgeProcess(state_dir)
        stack.callback(edge.stop)
        target = f"127.0.0.1:{edge.ready(120)['ports']['sip_udp']}"
        accounts = [SippAccount(n, f"auth{n}", f"password-of-{n}", DOMAIN) for n in NUMBERS]
        callee = stack.enter_context(Sipp(tmp_path, "answer"))
        run(tmp_path, "register", target, (accounts[1].row(str(callee.port)),))
        caller = stack.enter_context(Sipp(tmp_path, "call_and_report", target, (accounts[0].row("202"),), talk_ms=500))
        caller.finish(60)
        callee.finish(60)
        eventually(lambda: all(kept(state_dir)), 30, "the record and the report are in the outbox")
        (record,), (told,) = kept(state_dir)
    assert told.sip_call_id == record.sip_call_id
    assert (told.source, told.heard, told.user_id) == ("phone", "callee", "user-201")
    assert (told.codec, told.lost_percent, told.late_percent, told.mos) == ("PCMU", 5.0, 2.0, 3.7)
