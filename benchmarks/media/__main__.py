"""`python -m benchmarks.media [SECONDS]`: CPU of a leg in playback, recording and conferences, beside FreeSWITCH's.

Where `freeswitch` is on the search path, each case is measured on it right after ours, with the same callers and as the
agent configures it (PCMU, 20 ms, both directions; its mixes have 16,000 samples a second).
"""

import contextlib
import json
import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.cpu import cpu_seconds, memory_mb
from benchmarks.media import peer
from benchmarks.media.beside import TICKS_ONLY, ended, line, started
from benchmarks.media.busy import CALLS_A_SECOND, REGISTRATIONS_A_SECOND, Busy, measure_busy
from benchmarks.media.engine import payload_types
from benchmarks.media.load import Load
from benchmarks.report import Machine

CASES: Final[tuple[tuple[str, int], ...]] = (
    ("idle", 40),
    ("playback", 40),
    ("recording", 40),
    ("conference of 10", 10),
    ("conference of 10", 40),
    ("conference of 30", 30),
    ("playback", 50),
    ("playback, G.722", 40),
    ("recording, G.722", 40),
    ("conference of 10, G.722", 10),
    ("conference of 10, G.722", 40),
    ("conference of 10, G.722 and PCMU", 40),
    ("playback, Opus", 40),
    ("conference of 10, Opus", 40),
)
"""What the legs do, and how many there are; those of PCMU alone are FreeSWITCH's, too."""

BUSY_LEGS: Final = 50
AIM_MS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What came of one case: percent of a core for one leg, milliseconds, megabytes."""

    percent_a_leg: float
    late_p99_ms: float
    late_longest_ms: float
    bare_p99_ms: float
    memory_mb: float
    share_received: float


def measure(case: str, legs: int, seconds: float) -> Cost:
    """Let so many legs do something for so long, with a process that only ticks beside them."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(legs)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    load = Load(sockets, payload_types(case))
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        bare, engine = started(TICKS_ONLY, folder, []), started(case, folder, load.ports)
        try:
            line(bare)
            to = json.loads(line(engine))
            load.talk(to, 1.0)
            spent, begun = cpu_seconds([engine.pid]), time.monotonic()
            load.talk(to, seconds)
            spent, took = cpu_seconds([engine.pid]) - spent, time.monotonic() - begun
            memory = memory_mb(engine.pid)
            late, bare_late = ended(engine), ended(bare)
        finally:
            for each in sockets:
                each.close()
            for process in (bare, engine):
                if process.poll() is None:
                    process.kill()
                    process.wait()
    return Cost(
        100 * spent / took / legs,
        1000 * late["p99"],
        1000 * late["longest"],
        1000 * bare_late["p99"],
        memory,
        late["least_received"] / load.sent,
    )


def main() -> int:
    """0 when every case was measured; the rows are Markdown for docs/media.md, with what is to be known before them."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print("\n".join(heading(Machine.here(), seconds, compared=peer.is_here())), flush=True)
    remarks = []
    with contextlib.ExitStack() as until_the_end:
        freeswitch: peer.FreeSwitch | None = None
        if peer.is_here():
            freeswitch = until_the_end.enter_context(peer.FreeSwitch(case for case, _ in CASES if _is_plain(case)))
        for case, legs in CASES:
            cost = measure(case, legs, seconds)
            theirs = freeswitch.measure(case, legs, seconds) if freeswitch is not None and _is_plain(case) else None
            print(row(f"{case} | {legs}", cost, theirs), flush=True)
            if cost.share_received < 0.9:
                remarks.append(
                    f"{case}, {legs} legs: only {cost.share_received:.0%} of a leg's packets were used, "
                    "so its figures are of less than that."
                )
    busy = measure_busy(BUSY_LEGS, seconds)
    print(row(f"mixed, in a busy agent | {busy.legs}", busy, None), flush=True)
    apart = busy.late_p99_ms - busy.bare_p99_ms
    print(
        f"\nThe busy agent: {busy.legs} legs in a conference, a queue and a mailbox, beside {CALLS_A_SECOND:g} calls "
        f"between phones and {REGISTRATIONS_A_SECOND:g} registrations a second, {busy.calls} calls in all; its other "
        f"processes took {busy.percent_of_the_rest:.0f} % of a core. Its ticks came {apart:+.1f} ms from the bare "
        f"timer's (p99; the aim is within {AIM_MS:g} ms: {'met' if apart <= AIM_MS else 'NOT MET'})."
    )
    for remark in remarks:
        print(remark)
    return 0


def _is_plain(case: str) -> bool:
    """Whether its legs have PCMU alone."""
    return payload_types(case) == (0,)


def heading(machine: Machine, seconds: float, compared: bool) -> list[str]:
    """What stands above the rows; `compared`: FreeSWITCH is measured, too."""
    return [
        f"Measured on {machine}; {seconds:g} seconds a case.",
        "",
        *([] if compared else ["NOT RUN: freeswitch (it is not on the search path)", ""]),
        "| case | legs | % of a core for a leg | FreeSWITCH | ratio | ticks late p99 ms | bare p99 ms | MB | load |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]


def row(what: str, cost: Cost | Busy, theirs: float | None) -> str:
    """One case; `theirs`: FreeSWITCH's percent of a core for a leg."""
    compared = " | " if theirs is None else f"{theirs:.2f} | {cost.percent_a_leg / theirs:.2f}"
    return (
        f"| {what} | {cost.percent_a_leg:.2f} | {compared} | {cost.late_p99_ms:.1f} | {cost.bare_p99_ms:.1f} "
        f"| {cost.memory_mb:.0f} | {os.getloadavg()[0]:.0f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
