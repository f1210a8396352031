"""The systemd unit is valid and gives the agent no more than it needs."""

import re
import subprocess
from pathlib import Path

import pytest

from cloud.installer.build_bundle import SOURCES


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    agent = tmp_path / "prefix/current/bin/tandem-edge"
    agent.parent.mkdir(parents=True)
    agent.write_text("#!/bin/sh\n")
    agent.chmod(0o755)
    text = (SOURCES / "tandem-edge.service").read_text()
    for name, value in (
        ("PREFIX", f"{tmp_path}/prefix"),
        ("STATE_DIR", "/var/lib/tandem-edge"),
        ("CONFIG", "/etc/tandem-edge"),
        ("USER", "root"),
    ):
        text = text.replace(f"@{name}@", value)
    assert not re.search("@[A-Z_]+@", text)
    path = tmp_path / "tandem-edge.service"
    path.write_text(text)
    return path


@pytest.mark.peer("systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "tandem-edge" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.peer("systemd-analyze")
def test_the_unit_is_as_confined_as_systemd_can_measure(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=30", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-600:] + done.stderr


def test_the_agent_may_use_low_ports_and_nothing_else(unit: Path) -> None:
    text = unit.read_text()
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
    assert "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n" in text
    for line in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=tandem-edge",
        "RestartPreventExitStatus=78",
    ):
        assert line in text
