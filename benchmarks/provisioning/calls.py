"""Calls through a whole edge (agent, SIP, provisioning, media) at rest, and while all of its phones boot."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.provisioning.boots import boot
from benchmarks.sip.load.plan import Account, Outcome, Plan
from contract.snapshot import Device, DialPlan, InternalRule, Line, Site, Snapshot, User
from tests.support.edge_process import EdgeProcess, prepare_state

CALLERS: Final = 40
CALLS: Final = 80
ROUNDS: Final = 5
"""Each at rest and then beside a storm, so that both meet the same machine."""
CALLS_PER_SECOND: Final = 20.0
DOMAIN: Final = "demo.tandem.test"


def measure(phones: int) -> tuple[list[float], list[float]]:
    """Seconds from a call's first INVITE to its answer: at rest, and while phones boot one storm after the other."""
    idle: list[float] = []
    storm: list[float] = []
    with _edge(phones) as ports:
        for _ in range(ROUNDS):
            idle += _calls(ports["sip_udp"], None)
            storm += _calls(ports["sip_udp"], (phones, ports["http"], ports["tftp"]))
    return idle, storm


def _calls(port: int, storm: tuple[int, int, int] | None) -> list[float]:
    accounts = tuple(Account(f"{2000 + n}", f"auth{2000 + n}", f"password-{2000 + n}") for n in range(CALLERS))
    plan = Plan("call", "udp", "127.0.0.1", port, DOMAIN, accounts, CALLS, CALLS_PER_SECOND)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-m", "benchmarks.sip.load"], stdin=pipe, stdout=pipe, text=True) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        print(plan.as_json(), file=load.stdin, flush=True)
        assert load.stdout.readline() == "ready\n", "the callers could not register"
        print("begin", file=load.stdin, flush=True)
        if storm is not None:
            with _booting(*storm):
                outcome = Outcome.from_json(load.stdout.readline())
        else:
            outcome = Outcome.from_json(load.stdout.readline())
        load.stdin.close()
    assert not outcome.failed, outcome.reasons
    return outcome.setups


@contextmanager
def _booting(phones: int, http: int, tftp: int) -> Iterator[None]:
    """Storms in a process of their own, whose work is that of a thousand machines and so gives way to the edge's."""
    arguments = [str(each) for each in (phones, http, tftp)]
    with subprocess.Popen([sys.executable, "-m", "benchmarks.provisioning.calls", *arguments]) as storms:
        try:
            yield
            assert storms.poll() is None, "the phones could not boot"
        finally:
            storms.kill()


def _boot_for_ever(phones: int, http: int, tftp: int) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, 10)
    while True:
        for how, port in (("http", http), ("tftp", tftp)):
            _, failed = asyncio.run(boot(how, phones, port))
            assert not failed, f"{failed} phones failed by {how}"


@contextmanager
def _edge(phones: int) -> Iterator[dict[str, int]]:
    users = range(2000, 2000 + max(CALLERS, phones))
    macs = [f"805ec0{number:06x}" for number in range(phones)]
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain=DOMAIN, realm="realm-1"),
        users=tuple(User(user_id=f"u{n}", username=str(n), display_name=f"Desk {n}", extension=str(n)) for n in users),
        devices=tuple(Device(device_id=f"d{mac}", mac=mac, model="yealink/t54w") for mac in macs),
        lines=tuple(
            Line(
                line_id=f"l{n}",
                user_id=f"u{n}",
                auth_username=f"auth{n}",
                password=f"s{n}:1",
                device_id=f"d{macs[place]}" if place < phones else None,
            )
            for place, n in enumerate(users)
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        state = Path(folder) / "edge"
        state.mkdir()
        prepare_state(state, snapshot, {f"s{n}:1": f"password-{n}" for n in users})
        edge = EdgeProcess(state, {"TANDEM_EDGE_SUPERVISION_HEARTBEAT_SECONDS": "5"})
        try:
            edge.ready(120.0)
            yield edge.ports()
        finally:
            edge.stop()


if __name__ == "__main__":
    _boot_for_ever(*map(int, sys.argv[1:4]))
