"""CPU time and memory of other processes, as Linux counts them."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

_QUIET_SHARE = 0.03
_LOOK_SECONDS = 0.2


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, all threads, to the nanosecond: each one's own clock (clock_gettime)."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)  # clock_getcpuclockid(3), which Python lacks


def descendants(pid: int) -> list[int]:
    """A process and everything below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def descendant_running(pid: int, module: str) -> int:
    """The process below `pid` that runs `python -m MODULE`.

    Raises:
        LookupError: there is none.
    """
    for one in descendants(pid):
        if module.encode() in Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0"):
            return one
    raise LookupError(f"no process below {pid} runs {module}")


def memory_mb(pid: int, what: str = "VmRSS") -> float:
    """Resident memory of a process; `VmHWM` for the most that it had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no {what}")


def wait_quiet(used: Callable[[], float], within: float = 15.0) -> None:
    """Until whoever `used` measures has finished what was begun: less than 3 % of a core."""
    until = time.monotonic() + within
    before = used()
    while time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        now = used()
        if now - before < _QUIET_SHARE * _LOOK_SECONDS:
            return
        before = now
