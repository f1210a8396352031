"""`python -m benchmarks.media [SECONDS]`: CPU of a leg in playback, recording and conferences, beside FreeSWITCH's.

FreeSWITCH is not on the machine: its figures are those measured earlier (1.11.3-dev; PCMU, 20 ms, both directions;
another x86-64 with two shared cores), so the comparison is one of size, not of percents.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.cpu import cpu_seconds, memory_mb
from benchmarks.media.engine import TICKS_ONLY
from edge_agent.media.embedded import g711
from tests.support.voice_sounds import speech

TICK: Final = 0.02
CASES: Final[tuple[tuple[str, int, float | None], ...]] = (
    ("idle", 40, 0.33),
    ("playback", 40, 0.49),
    ("recording", 40, 0.44),
    ("conference of 10", 10, 0.76),
    ("conference of 10", 40, 0.59),
    ("conference of 30", 30, None),
    ("playback", 50, None),
)
"""What the legs do, how many there are, and FreeSWITCH's percent of a core for one of them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What came of one case: percent of a core for one leg, milliseconds, megabytes."""

    percent_a_leg: float
    late_p99_ms: float
    late_longest_ms: float
    bare_p99_ms: float
    memory_mb: float
    share_received: float
    load: float


class Load:
    """Legs that talk, 20 ms of speech a packet, and leave unread what they are sent."""

    def __init__(self, legs: int) -> None:
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(legs)]
        for each in self._sockets:
            each.bind(("127.0.0.1", 0))
        coded = g711.encode(0, speech(6.0))
        self._frames = [coded[at : at + 160] for at in range(0, len(coded) - 160, 160)]
        self.sent = 0

    @property
    def ports(self) -> list[int]:
        """Where each leg listens."""
        return [int(each.getsockname()[1]) for each in self._sockets]

    def talk(self, to: list[int], seconds: float) -> None:
        """Send for so long, each leg's packet at its own moment of the 20 ms."""
        begun, step = time.monotonic(), TICK / len(to)
        for number in range(int(seconds / TICK)):
            for leg, port in enumerate(to):
                count = self.sent + number
                header = b"\x80\x00" + (count & 0xFFFF).to_bytes(2) + (160 * count & 0xFFFFFFFF).to_bytes(4)
                frame = self._frames[(count + 17 * leg) % len(self._frames)]
                self._sockets[leg].sendto(header + leg.to_bytes(4) + frame, ("127.0.0.1", port))
                time.sleep(max(0.0, begun + number * TICK + (leg + 1) * step - time.monotonic()))
        self.sent += int(seconds / TICK)

    def close(self) -> None:
        """Give the sockets back."""
        for each in self._sockets:
            each.close()


def _started(case: str, folder: str, ports: list[int]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.media.engine", case, folder, *map(str, ports)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _ended(process: "subprocess.Popen[str]") -> dict[str, float]:
    """All that a process says after its input ends."""
    said, _ = process.communicate(timeout=30)
    return {name: value for line in said.splitlines() for name, value in json.loads(line).items()}


def measure(case: str, legs: int, seconds: float) -> Cost:
    """Let so many legs do something for so long, with a process that only ticks beside them."""
    load = Load(legs)
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        bare, engine = _started(TICKS_ONLY, folder, []), _started(case, folder, load.ports)
        try:
            _line(bare)
            to = json.loads(_line(engine))
            load.talk(to, 1.0)
            spent, begun = cpu_seconds([engine.pid]), time.monotonic()
            load.talk(to, seconds)
            spent, took = cpu_seconds([engine.pid]) - spent, time.monotonic() - begun
            memory = memory_mb(engine.pid)
            late, bare_late = _ended(engine), _ended(bare)
        finally:
            load.close()
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
        os.getloadavg()[0],
    )


def main() -> int:
    """0 when every case was measured."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print("| case | legs | % of a core for a leg | FreeSWITCH | ticks late p99 ms | bare timer p99 ms | MB | load |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for case, legs, peer in CASES:
        cost = measure(case, legs, seconds)
        print(
            f"| {case} | {legs} | {cost.percent_a_leg:.2f} | {'' if peer is None else f'{peer:.2f}'} | "
            f"{cost.late_p99_ms:.1f} | {cost.bare_p99_ms:.1f} | {cost.memory_mb:.0f} | {cost.load:.0f} |",
            flush=True,
        )
        if cost.share_received < 0.9:
            print(f"only {cost.share_received:.0%} of a leg's packets were used: the figures are of less than that")
    return 0


if __name__ == "__main__":
    sys.exit(main())
