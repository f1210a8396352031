"""Where no service manager runs, a loop of shell keeps the agent running."""

import signal
import subprocess
from pathlib import Path

from cloud.installer.build_bundle import SOURCES
from tests.support.waiting import eventually

SUPERVISE = str(SOURCES / "supervise.sh")


def agent(folder: Path, script: str) -> str:
    path = folder / "agent"
    path.write_text(f"#!/bin/sh\ncd {folder}\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_an_agent_that_ends_is_started_again_until_starting_again_does_not_help(tmp_path: Path) -> None:
    command = agent(tmp_path, '[ -e ran ] && exit 78\n[ "$1" = run ] && touch ran\nexit 1')
    done = subprocess.run(["sh", SUPERVISE, command, "run"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78
    assert done.stderr == "tandem-edge: the agent ended with status 1 and is started again\n"


def test_being_told_to_stop_stops_the_agent_and_waits_for_it(tmp_path: Path) -> None:
    command = agent(tmp_path, "trap 'echo stopped > said; exit 0' TERM\ntouch up\nwhile :; do sleep 0.1; done")
    supervisor = subprocess.Popen(["sh", SUPERVISE, command])
    try:
        eventually((tmp_path / "up").exists, 20)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(20) == 0
        assert (tmp_path / "said").read_text() == "stopped\n"
    finally:
        supervisor.kill()
