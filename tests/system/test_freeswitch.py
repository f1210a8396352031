"""The agent's own FreeSWITCH outlives what is killed, is taken over, and ends with an agent that is asked to stop."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.stand_in import stand_in
from tests.support.waiting import eventually

Run = Callable[[], EdgeProcess]


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.peer("freeswitch"))])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """Starts an agent, and the next one, on the same state folder."""
    found = shutil.which("freeswitch") if request.param == "real" else None
    program, state = found or str(stand_in(tmp_path / "bin")), tmp_path / "state"
    prepare_state(state, small_snapshot(), SMALL_SECRETS)
    environment = {"TANDEM_EDGE_MEDIA_ENGINE": "freeswitch", "TANDEM_EDGE_MEDIA_FREESWITCH_PROGRAM": program}
    edges: list[EdgeProcess] = []

    def started() -> EdgeProcess:
        edges.append(EdgeProcess(state, environment))
        edges[-1].ready()
        return edges[-1]

    yield started
    edges[-1].stop()


def media(edge: EdgeProcess) -> dict[str, Any]:
    """What is known of the media process."""
    return next(one for one in edge.status()["processes"] if one["name"] == "media")


def is_up(edge: EdgeProcess) -> bool:
    return bool(media(edge)["figures"].get("freeswitch_up") == 1)


def has_taken_over(edge: EdgeProcess) -> bool:
    """It is up without having been started by this process."""
    return is_up(edge) and media(edge)["figures"]["freeswitch_starts"] == 0


def pid_in(edge: EdgeProcess) -> int:
    return int((edge.state_dir / "freeswitch" / "run" / "freeswitch.pid").read_text().strip())


def is_gone(pid: int) -> bool:
    return (
        not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    )


@pytest.mark.timeout(240)
def test_it_goes_on_when_a_process_or_the_agent_is_killed_and_ends_when_the_agent_is_stopped(run: Run) -> None:
    edge = run()
    eventually(lambda: is_up(edge), 40, "FreeSWITCH is up")
    pid = pid_in(edge)
    first = media(edge)["pid"]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: media(edge)["pid"] != first and has_taken_over(edge), 15, "the next media process has it")
    assert pid_in(edge) == pid
    edge.kill()
    following = run()
    eventually(lambda: has_taken_over(following), 40, "the next agent has it")
    assert pid_in(following) == pid
    assert following.stop() == 0
    eventually(lambda: is_gone(pid), 20, "FreeSWITCH has ended")
