"""Processes of `benchmarks.media.engine` beside the one that measures."""

import json
import subprocess
import sys
from typing import Final

TICKS_ONLY: Final = "ticks only"
"""The case of a process that only ticks."""


def started(case: str, folder: str, ports: list[int]) -> "subprocess.Popen[str]":
    """A process for a case, with a leg for each of these ports of the load."""
    command = [sys.executable, "-m", "benchmarks.media.engine", case, folder, *map(str, ports)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: "subprocess.Popen[str]") -> str:
    """What it says next."""
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: "subprocess.Popen[str]") -> dict[str, float]:
    """All that a process says after its input ends."""
    said, _ = process.communicate(timeout=30)
    return {name: value for line in said.splitlines() for name, value in json.loads(line).items()}
