"""One run of the load generator against one server, and what the server's processes spent on it."""

import subprocess
import sys
from dataclasses import dataclass
from typing import IO, Final

from benchmarks.cpu import started_on, two_cores, wait_quiet
from benchmarks.sip.interpreter import PROJECT, SYSTEM_PYTHON
from benchmarks.sip.load.plan import Account, Outcome, Plan, Scenario, Transport
from benchmarks.sip.server import DOMAIN, HOST, SipServer

_LEAVE_SECONDS: Final = 30.0


class LoadFailed(Exception):
    """A run in which not everything succeeded, or none at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run cost.

    Args:
        micros: CPU µs for each call or registration, by what is counted.
        rate: how many there were a second.
        busy: the share of the run in which everything that the server consists of worked, 1 is one core.
        retransmissions: messages that were sent more than once.
    """

    micros: dict[str, float]
    rate: float
    busy: float
    retransmissions: int


def measured(
    server: SipServer,
    scenario: Scenario,
    transport: Transport,
    phones: tuple[Account, ...],
    count: int,
    rate: float | None = None,
    keep: bool = False,
) -> Spent:
    """CPU from before the first message to quiet after the last: records and reports are written late.

    Args:
        server: what is loaded.
        scenario: `call` or `register`.
        transport: what the phones speak.
        phones: who takes part; each does one thing at a time.
        count: how many calls or registrations.
        rate: how many a second; None for as many as go.
        keep: leave the phones registered.

    Raises:
        LoadFailed: one of them failed.
    """
    plan = Plan(scenario, transport, HOST, server.ports[transport], DOMAIN, phones, count, rate, keep=keep)
    python = str(SYSTEM_PYTHON) if SYSTEM_PYTHON.exists() else sys.executable
    with started_on(two_cores()[1]):
        process = subprocess.Popen(
            [python, "-m", "benchmarks.sip.load"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _tell(process.stdin, plan.as_json())
            if process.stdout.readline() != "ready\n":
                raise LoadFailed(_said(process))
            wait_quiet(server.all_spent)
            before, all_before = server.spent(), server.all_spent()
            _tell(process.stdin, "begin")
            line = process.stdout.readline()
            all_after = server.all_spent()
            if not line:
                raise LoadFailed(_said(process))
            outcome = Outcome.from_json(line)
            if outcome.failed:
                raise LoadFailed(f"{outcome.failed} of {count} failed: {outcome.reasons}")
            wait_quiet(server.all_spent)
            spent = server.spent()
            process.stdin.close()
            if process.wait(_LEAVE_SECONDS):
                raise LoadFailed(_said(process))
        finally:
            process.kill()
    return Spent(
        {what: (seconds - before[what]) / count * 1e6 for what, seconds in spent.items()},
        count / outcome.seconds,
        (all_after - all_before) / outcome.seconds,
        outcome.retransmissions,
    )


def _tell(pipe: IO[str], line: str) -> None:
    pipe.write(line + "\n")
    pipe.flush()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    process.kill()
    return process.stderr.read()[-1000:]
