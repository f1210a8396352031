"""CPU time and memory of other processes, as Linux counts them."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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


def proportional_mb(pid: int) -> float:
    """Memory of a process with what it shares divided by those who share it (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no Pss")


@contextmanager
def started_on(core: int) -> Iterator[None]:
    """Processes that are started meanwhile stay on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def two_cores() -> tuple[int, int]:
    """One for the server and one for the load; the same when there is but one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


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
