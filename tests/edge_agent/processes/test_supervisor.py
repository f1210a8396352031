"""A supervised process is up, or is being started again; a question to it never waits for ever."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.sync.state import Stamp, StateRecord
from edge_agent.clock import SystemClock
from edge_agent.ports import MessagesWaiting, Notice, NoticeOutcome, RelayedStream
from edge_agent.processes.link import Prepare, Prepared, Refused, SetState
from edge_agent.processes.supervisor import ProcessGone, Supervised
from edge_agent.settings import Settings, SupervisionSettings
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.waiting import eventually, eventually_async

STUB = "tests.support.stub_process"
QUICK = SupervisionSettings(restart_first_seconds=0.01, heartbeat_seconds=0.05, stop_seconds=2.0)


class Watching:
    def __init__(self) -> None:
        self.started = 0
        self.ended: list[str] = []
        self.reported = 0
        self.steady = 0
        self.told: list[NoticeOutcome] = []

    async def process_started(self, process: Supervised) -> None:
        self.started += 1

    def process_ended(self, process: Supervised, problem: str) -> None:
        self.ended.append(problem)

    def process_reported(self, process: Supervised) -> None:
        self.reported += 1

    def process_wants(self, process: Supervised, notice: Notice) -> None:
        """Nobody here sends notices."""

    def process_told(self, process: Supervised, outcome: NoticeOutcome) -> None:
        self.told.append(outcome)

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        raise AssertionError("no process here keeps mailboxes")

    def key_pressed(self, call_id: str, key: str) -> None:
        raise AssertionError("no process here has calls")

    def engine_is(self, engine_id: str) -> None:
        """See `Watcher`."""

    def orbits_taken(self, waiting: Mapping[str, str]) -> None:
        raise AssertionError("no process here parks calls")

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        raise AssertionError("no process here has calls")

    def phone_showed(self, device_id: str, user_agent: str) -> None:
        """No phone registers here."""

    def process_wrote(self, process: Supervised, values: Mapping[str, str | bool]) -> None:
        """Nobody here dials feature codes."""

    def process_steady(self, process: Supervised) -> None:
        self.steady += 1


@asynccontextmanager
async def running(times: SupervisionSettings = QUICK, module: str = STUB) -> AsyncIterator[tuple[Supervised, Watching]]:
    watching = Watching()
    process = Supervised("stub", module, Settings(supervision=times), watching, SystemClock())
    task = asyncio.create_task(process.run())
    try:
        yield process, watching
    finally:
        await process.stop()
        await asyncio.wait_for(task, 20)
        assert process.status.pid is None


def configuration(domain: str = "demo.tandem.test", version: int = 1) -> Prepare:
    secrets = {ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()}
    return Prepare(version=version, snapshot=small_snapshot(version, domain), secrets=secrets)


async def test_a_process_prepares_and_commits_a_configuration() -> None:
    async with running() as (process, watching):
        assert await process.wait_up(20)
        await eventually_async(lambda: watching.started == 1)
        assert await process.prepare(configuration()) == Prepared(version=1)
        assert (await process.order("what_runs", {})).text == ""
        await process.commit(1)
        assert (process.status.state, process.status.version) == ("configured", 1)
        assert (await process.order("what_runs", {})).text == "demo.tandem.test"


async def test_a_refusal_names_every_problem_and_the_old_configuration_goes_on() -> None:
    async with running() as (process, _):
        assert await process.wait_up(20)
        await process.prepare(configuration())
        await process.commit(1)
        refused = await process.prepare(configuration("refuse.tandem.test", 2))
        assert refused == Refused(version=2, problems=("the domain asks for a refusal", "and for a second reason"))
        assert (await process.order("what_runs", {})).text == "demo.tandem.test"


async def test_an_unknown_order_is_answered() -> None:
    async with running() as (process, _):
        assert await process.wait_up(20)
        answer = await process.order("dance", {})
        assert (answer.ok, answer.text) == (False, "there is no order dance")


async def test_a_process_that_ends_is_started_again_with_the_ports_it_had() -> None:
    async with running() as (process, watching):
        assert await process.wait_up(20)
        ports, pid = process.ports, process.status.pid
        with pytest.raises(ProcessGone):
            await process.order("crash", {})
        await eventually_async(lambda: watching.started == 2, 20)
        assert watching.ended == ["ended with status 7"]
        assert process.status.restarts == 1
        assert process.status.pid != pid
        assert process.ports == ports


async def test_a_killed_process_is_started_again() -> None:
    async with running() as (process, watching):
        assert await process.wait_up(20)
        assert process.status.pid
        os.kill(process.status.pid, signal.SIGKILL)
        await eventually_async(lambda: watching.started == 2, 20)
        assert watching.ended == ["ended by signal 9"]


async def test_a_process_that_cannot_commit_is_started_again() -> None:
    async with running() as (process, watching):
        assert await process.wait_up(20)
        await process.prepare(configuration())
        await process.commit(1)
        await process.prepare(configuration("crash-at-commit.test", 2))
        with pytest.raises(ProcessGone, match="broken on purpose"):
            await process.commit(2)
        await eventually_async(lambda: watching.started == 2, 20)
        assert watching.ended == ["broken on purpose"]


async def test_a_silent_process_is_ended_and_started_again() -> None:
    async with running(QUICK.model_copy(update={"hung_after_seconds": 0.3})) as (process, watching):
        assert await process.wait_up(20)
        with pytest.raises(ProcessGone, match="silent for"):
            await process.prepare(configuration("silent.test"))
        await eventually_async(lambda: watching.started == 2, 20)


async def test_a_process_that_starts_too_slowly_gets_more_time_with_each_start() -> None:
    async with running(QUICK.model_copy(update={"start_seconds": 0.05})) as (process, watching):
        assert await process.wait_up(60)
        assert watching.ended[0] == "silent for 0.05 seconds"
        assert watching.ended == [f"silent for {0.05 * 2**n:g} seconds" for n in range(len(watching.ended))]


async def test_a_question_without_an_answer_has_a_deadline() -> None:
    async with running(QUICK.model_copy(update={"apply_seconds": 0.2})) as (process, _):
        assert await process.wait_up(20)
        with pytest.raises(ProcessGone, match=r"no answer within 0\.2 seconds"):
            await process.prepare(configuration("silent.test"))


async def test_reports_of_one_moment_are_told_once() -> None:
    async with running() as (process, watching):
        assert await process.wait_up(20)
        await process.order("ring", {})
        await eventually_async(lambda: watching.reported)
        assert watching.reported == 1


async def test_what_became_of_a_notice_comes_up_the_link() -> None:
    async with running() as (process, watching):
        assert await process.wait_up(20)
        await process.order("tell", {})
        await eventually_async(lambda: watching.told)
        assert watching.told == [NoticeOutcome("n1", "accepted", status=200)]


async def test_site_state_reaches_the_process() -> None:
    async with running() as (process, _):
        assert await process.wait_up(20)
        record = StateRecord(key="do_not_disturb/user-1", value=True, stamp=Stamp(wall_ms=1, node="edge-1"))
        process.set_state(SetState(records=(record,)))
        assert (await process.order("what_state", {})).text == "do_not_disturb/user-1"


async def test_a_steady_run_after_a_restart_is_told() -> None:
    async with running(QUICK.model_copy(update={"steady_after_seconds": 0.2})) as (process, watching):
        assert await process.wait_up(20)
        process.restart("the test asks for it")
        await eventually_async(lambda: watching.steady, 20)
        assert watching.ended == ["the test asks for it"]


async def test_a_module_that_is_not_there_is_tried_again_and_again() -> None:
    async with running(module="tests.support.no_such_process") as (_, watching):
        await eventually_async(lambda: len(watching.ended) >= 2, 20)
        assert watching.ended[0] == "ended with status 1"


async def test_figures_of_the_process_are_shown() -> None:
    async with running() as (process, _):
        await eventually_async(lambda: process.status.figures, 20)
        assert dict(process.status.figures) == {"state_records": 0}


def test_processes_die_with_an_agent_that_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    program = textwrap.dedent(f"""
        import asyncio, pathlib
        from edge_agent.clock import SystemClock
        from edge_agent.processes.supervisor import Supervised
        from edge_agent.settings import Settings
        from tests.edge_agent.processes.test_supervisor import Watching

        async def main():
            process = Supervised("stub", "{STUB}", Settings(), Watching(), SystemClock())
            task = asyncio.create_task(process.run())
            await process.wait_up(20)
            pathlib.Path({str(told)!r}).write_text(f"{{process.status.pid}}.")
            await task

        asyncio.run(main())
    """)
    agent = subprocess.Popen([sys.executable, "-c", program])
    try:
        eventually(lambda: told.exists() and told.read_text().endswith("."), 30)
    finally:
        agent.kill()
        agent.wait()
    child = int(told.read_text().rstrip("."))
    eventually(lambda: not alive(child), 5, "the process ends with the agent")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
