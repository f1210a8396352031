"""Memory of the SIP process with 10,000 bindings: a real agent with 10,000 users, each registered by sipp."""

import tempfile
from pathlib import Path
from typing import Final

from benchmarks.cpu import cpu_seconds, descendant_running, memory_mb, wait_quiet
from benchmarks.edge_alone import SIP_PROCESS, agent
from benchmarks.figure import Figure
from contract.snapshot import DialPlan, InternalRule, Line, Site, Snapshot, User
from tests.support import sipp
from tests.support.sipp import SippAccount

BINDINGS: Final = 10_000
_RATE: Final = 1000
_DOMAIN: Final = "demo.tandem.test"


def measure() -> list[Figure]:
    """Before the first and after the last registration."""
    names = [str(10_000 + n) for n in range(BINDINGS)]
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain=_DOMAIN, realm="realm-1"),
        users=tuple(User(user_id=f"user-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in names),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1") for n in names
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )
    secrets = {f"s-{n}:1": f"password-{n}" for n in names}
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder, agent(snapshot, secrets) as edge:
        pid = descendant_running(edge.process.pid, SIP_PROCESS)
        wait_quiet(lambda: cpu_seconds([pid]))
        before = memory_mb(pid)
        rows = tuple(SippAccount(n, f"auth{n}", f"password-{n}", _DOMAIN).row("5060") for n in names)
        target = f"127.0.0.1:{edge.ports()['sip_udp']}"
        sipp.run(Path(folder), "register", target, rows, 110.0, calls=BINDINGS, rate=_RATE, at_once=200)
        wait_quiet(lambda: cpu_seconds([pid]))
        after = memory_mb(pid)
    method = (
        f"VmRSS of the SIP process of an agent without cloud; {BINDINGS:,} users with one line each in its snapshot; "
        f"sipp registers each once, {_RATE} a second at most"
    )
    return [
        Figure(f"Memory of the SIP process, {BINDINGS:,} bindings", "MB", (after,), method, aim=80),
        Figure(f"Memory of the SIP process, {BINDINGS:,} users, none registered", "MB", (before,), method),
    ]
