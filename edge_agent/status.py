"""What `tandem-edge status` shows: a file that the running agent keeps up to date in its state folder.

A lock beside it says whether an agent runs, and keeps a second one off the same folder.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from contract.values import Frozen, UtcTime
from edge_agent.errors import EdgeError

STATUS_FILE: Final = "status.json"
LOCK_FILE: Final = "agent.lock"
MAX_STATUS_BYTES: Final = 1024 * 1024
_FLOCK: Final = "@hhqqi0q"
"""struct flock of fcntl(2) on 64-bit Linux: type, whence, start, length, process."""


class AlreadyRunning(EdgeError):
    """Another agent uses the state folder."""


class ProcessLine(Frozen):
    """One process of the agent."""

    name: str
    state: str
    pid: int | None = None
    version: int | None = None
    restarts: int = 0
    ports: dict[str, int] = Field(default_factory=dict)
    figures: dict[str, int] = Field(default_factory=dict)
    problem: str = ""


class Status(Frozen):
    """The agent at one moment."""

    state: str
    """`waiting for first configuration`, `running`, `starting`, `stopping` or `stopped`."""
    at: UtcTime
    pid: int
    agent_version: str
    edge_id: str
    site_id: str
    online: bool = False
    transport: str | None = None
    channel_since: UtcTime | None = None
    channel_problem: str = ""
    running_version: int | None = None
    rejected_version: int | None = None
    rejected_problems: tuple[str, ...] = ()
    events_waiting: int = 0
    processes: tuple[ProcessLine, ...] = ()
    alarms: dict[str, str] = Field(default_factory=dict)


def write_status(state_dir: Path, status: Status) -> None:
    """Replace the status file as a whole. Not flushed to the disk: it says nothing worth keeping over a power loss.

    Raises:
        OSError: the disk would not.
    """
    aside = state_dir / f".{STATUS_FILE}.{os.getpid()}.new"
    aside.write_text(status.model_dump_json())
    aside.replace(state_dir / STATUS_FILE)


def read_status(state_dir: Path) -> Status | None:
    """The newest status; None when there is none that can be read."""
    try:
        with (state_dir / STATUS_FILE).open("rb") as file:
            return Status.model_validate_json(file.read(MAX_STATUS_BYTES))
    except (OSError, ValidationError):
        return None


@contextmanager
def the_only_agent(state_dir: Path) -> Iterator[None]:
    """Hold the state folder for this agent; the system lets go of it however the agent ends.

    Raises:
        AlreadyRunning: another agent holds it.
        OSError: the folder cannot be written.
    """
    with (state_dir / LOCK_FILE).open("a") as lock:
        try:
            fcntl.fcntl(lock, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
        except (BlockingIOError, PermissionError):
            raise AlreadyRunning(f"another agent is running with {state_dir}") from None
        yield


def is_running(state_dir: Path) -> bool:
    """Whether an agent holds the state folder now. Only asks, so that asking never keeps an agent from starting."""
    try:
        with (state_dir / LOCK_FILE).open("r") as lock:
            answer = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
    except OSError:
        return False
    return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)


def _whole_file(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)


def describe(status: Status, *, running: bool) -> str:
    """The status for people."""
    lines = [f"{status.state if running else 'not running'} (agent {status.agent_version}, process {status.pid})"]
    lines.append(f"  edge           {status.edge_id} of site {status.site_id}")
    if running:
        cloud = f"online by {status.transport}" if status.online else f"offline: {status.channel_problem or 'dialling'}"
        lines.append(f"  cloud          {cloud}")
    lines.append(f"  configuration  {f'version {status.running_version}' if status.running_version else 'none yet'}")
    if status.rejected_version is not None:
        lines.append(f"  rejected       version {status.rejected_version}: {'; '.join(status.rejected_problems)}")
    lines.append(f"  events waiting {status.events_waiting}")
    for process in status.processes if running else ():
        ports = " ".join(f"{name}={port}" for name, port in process.ports.items())
        restarted = f", restarted {process.restarts} times, last because it {process.problem}" * bool(process.restarts)
        lines.append(f"  {process.name:<14} {process.state} {ports}{restarted}".rstrip())
        lines += [f"    {name:<32} {figure}" for name, figure in process.figures.items()]
    lines += [f"  alarm          {name}: {text}" for name, text in status.alarms.items()]
    return "\n".join(lines)
