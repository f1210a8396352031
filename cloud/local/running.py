"""What a running system tells those who come to use it: `running.json` in its state folder, while it runs."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

_FILE: Final = "running.json"


@dataclass(frozen=True, slots=True)
class DemoPhone:
    """One phone of the demo site, and where it finds its file."""

    name: str
    mac: str
    file: str
    username: str
    host: str
    tftp_port: int
    http_port: int


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """Where everything is."""

    pid: int
    api_url: str
    secure_url: str
    email: str
    password: str = field(repr=False)
    tenant_id: str
    site_id: str
    edge_id: str
    edge_pid: int
    edge_state_dir: str
    sip_host: str
    sip_port: int
    phones: tuple[DemoPhone, DemoPhone]
    database_urls: dict[str, str] = field(repr=False)
    pids: dict[str, int]
    """Process ids by part, such as `hub`."""


def write_running(state_dir: Path, system: RunningSystem) -> None:
    """For this user alone, because it has the log-in."""
    path = state_dir / _FILE
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(asdict(system), indent=1), encoding="utf-8")
    new.replace(path)


def forget_running(state_dir: Path) -> None:
    """The system has stopped."""
    (state_dir / _FILE).unlink(missing_ok=True)


def read_running(state_dir: Path) -> RunningSystem | None:
    """The system that runs in this state folder, or None."""
    try:
        content = json.loads((state_dir / _FILE).read_text(encoding="utf-8"))
        os.kill(content["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    first, second = (DemoPhone(**phone) for phone in content.pop("phones"))
    return RunningSystem(**content, phones=(first, second))
