"""`tandem-edge` says what is wrong, and its exit status tells programs."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.__main__ import EX_CONFIG, EX_NOT_RUNNING, main
from edge_agent.settings import EXAMPLE_FILE
from edge_agent.status import ProcessLine, Status, the_only_agent, write_status

STATUS = Status(
    state="running",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    pid=77,
    agent_version="0.1.0",
    edge_id="edge-1",
    site_id="site-1",
    online=True,
    transport="quic",
    running_version=9,
    rejected_version=10,
    rejected_problems=("sip: no",),
    processes=(ProcessLine(name="sip", state="configured", ports={"sip_udp": 5060}, restarts=1, problem="ended"),),
    alarms={"snapshot_rejected": "version 10 does not run here"},
)


def test_good_settings_are_said_to_be_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "--settings", str(EXAMPLE_FILE)]) == 0
    assert "/var/lib/tandem-edge" in capsys.readouterr().out


def test_every_problem_of_the_settings_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "edge.toml"
    file.write_text("[sip]\nudp_port = -1\ncolour = 1\n")
    assert main(["check-config", "--settings", str(file)]) == EX_CONFIG
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_an_edge_that_is_not_enrolled_says_how_to_enroll(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--state-dir", str(tmp_path)]) == EX_CONFIG
    assert "tandem-edge enroll CODE" in capsys.readouterr().err


def test_what_is_no_code_is_refused_and_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enroll", "--state-dir", str(tmp_path), "letmein"]) == 1
    assert "begins with TDM1-" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_status_of_a_running_agent_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_status(tmp_path, STATUS)
    with the_only_agent(tmp_path):
        assert main(["status", "--state-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    for part in ("running", "online by quic", "version 9", "version 10: sip: no", "sip_udp=5060", "snapshot_rejected"):
        assert part in shown


def test_the_status_of_an_agent_that_does_not_run_is_an_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--state-dir", str(tmp_path)]) == EX_NOT_RUNNING
    write_status(tmp_path, STATUS)
    assert main(["status", "--state-dir", str(tmp_path)]) == EX_NOT_RUNNING
    assert "not running" in capsys.readouterr().out


def test_programs_read_the_status_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_status(tmp_path, STATUS)
    with the_only_agent(tmp_path):
        main(["status", "--json", "--state-dir", str(tmp_path)])
    content = json.loads(capsys.readouterr().out)
    assert content["running"] is True
    assert content["processes"][0]["ports"] == {"sip_udp": 5060}


def test_wrong_arguments_are_named() -> None:
    done = subprocess.run([sys.executable, "-m", "edge_agent", "dance"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "invalid choice: 'dance'" in done.stderr


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.strip()
