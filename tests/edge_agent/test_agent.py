"""The agent starts from what is on disk, applies all or nothing, and stops cleanly. Its processes are stubs here."""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.snapshot import Blob
from contract.sync.events import AlarmChanged, CallEnded
from contract.sync.messages import Command
from contract.sync.questions import EdgeFigures
from contract.sync.state import Stamp, StateRecord
from edge_agent.agent import Agent
from edge_agent.blob_cache import FOLDER, BlobCache
from edge_agent.clock import SystemClock
from edge_agent.ports import OpenCall
from edge_agent.settings import Settings, SipSettings, SupervisionSettings
from edge_agent.status import Status, is_running, read_status, the_only_agent
from edge_agent.sync.identity import EdgeKeys, HubAddress, Identity
from edge_agent.sync.outbox import Outbox
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.site import Refused, Running
from edge_agent.sync.store import SnapshotStore
from edge_agent.tokens import SystemTokens
from tests.support.fake_channel import FakeChannel
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.waiting import eventually_async

STUB = "tests.support.stub_process"
SECRETS = {ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()}
HUB = HubAddress(host="127.0.0.1", quic_port=1, websocket_url="wss://127.0.0.1:1/channel")
IDENTITY = Identity("edge-1", "site-1", HUB, "", EdgeKeys.generate())


class Edge:
    """A running agent, as a test sees it."""

    def __init__(self, agent: Agent, channel: FakeChannel, folder: Path) -> None:
        self.agent, self.channel, self.folder = agent, channel, folder
        self.announced: list[tuple[dict[str, int], int | None]] = []

    def status(self) -> Status:
        status = read_status(self.folder)
        assert status is not None
        return status

    def states(self) -> set[str]:
        return {process.state for process in self.status().processes}

    def alarms(self) -> list[tuple[str, bool]]:
        return [(e.alarm, e.active) for e in events(self.folder) if isinstance(e, AlarmChanged)]

    async def what_runs(self) -> set[str]:
        return {(await p.order("what_runs", {})).text for p in self.agent._processes.values()}


def events(folder: Path) -> list[object]:
    outbox = Outbox.open(folder / "outbox.db", SystemClock(), SystemTokens())
    try:
        return [event.body.what for event in outbox.read(0, 100)]
    finally:
        outbox.close()


@asynccontextmanager
async def running(folder: Path, **times: float) -> AsyncIterator[Edge]:
    supervision = SupervisionSettings.model_validate(
        {"restart_first_seconds": 0.01, "heartbeat_seconds": 0.05, "stop_seconds": 3.0, **times}
    )
    channels: list[FakeChannel] = []
    announced: list[tuple[dict[str, int], int | None]] = []

    def make_channel(*arguments: object, **named: object) -> FakeChannel:
        channels.append(FakeChannel(*arguments, **named))  # type: ignore[arg-type]
        return channels[0]

    def announce(ports: Mapping[str, int], version: int | None) -> None:
        announced.append((dict(ports), version))

    agent = Agent(
        Settings(state_dir=folder, supervision=supervision, sip=SipSettings(advertised_host="127.0.0.1")),
        IDENTITY,
        SystemClock(),
        SystemTokens(),
        announce=announce,
        modules=dict.fromkeys(("sip", "provisioning", "media"), STUB),
        make_channel=make_channel,
    )
    seen = Edge(agent, channels[0], folder)
    seen.announced = announced
    task = asyncio.create_task(agent.run())
    try:
        await eventually_async(lambda: announced or task.done(), 30)
        yield seen
    finally:
        agent.stop()
        await asyncio.wait_for(task, 20)


def keep_on_disk(folder: Path, domain: str = "demo.tandem.test") -> None:
    SnapshotStore(folder / "snapshot").save(small_snapshot(3, domain))
    SecretStore(folder / "secrets.bin", IDENTITY.storage_key(), SystemTokens()).add(SECRETS)


async def test_without_a_snapshot_the_agent_waits_for_its_first_configuration(tmp_path: Path) -> None:
    async with running(tmp_path) as edge:
        assert edge.status().state == "waiting for first configuration"
        assert edge.announced[0][1] is None
        assert await edge.channel.handlers.on_snapshot(small_snapshot(), SECRETS) == Running()
        await eventually_async(lambda: edge.status().state == "running")
        assert edge.states() == {"configured"}
        assert edge.announced[-1][1] == 1
        assert edge.channel.handlers.running() == small_snapshot()


async def test_the_agent_starts_from_the_last_good_snapshot_with_the_cloud_away(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        assert edge.announced[0][1] == 3
        assert (edge.status().state, edge.status().running_version) == ("running", 3)
        assert await edge.what_runs() == {"demo.tandem.test"}


@pytest.mark.parametrize(
    "damage", [("snapshot/current.json", b"{half"), ("secrets.bin", b"x" * 50), ("outbox.db", b"no database" * 100)]
)
async def test_a_damaged_file_never_stops_the_agent(tmp_path: Path, damage: tuple[str, bytes]) -> None:
    keep_on_disk(tmp_path)
    keep_on_disk(tmp_path)  # so that there is a previous one
    (tmp_path / damage[0]).write_bytes(damage[1])
    async with running(tmp_path) as edge:
        assert edge.status().running_version == 3
        assert await edge.what_runs() == {"demo.tandem.test"}


async def test_a_refused_snapshot_is_rejected_and_the_old_one_goes_on_everywhere(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        verdict = await edge.channel.handlers.on_snapshot(small_snapshot(4, "refuse.test"), SECRETS)
        assert isinstance(verdict, Refused)
        assert "sip: the domain asks for a refusal" in verdict.problems
        assert await edge.what_runs() == {"demo.tandem.test"}
        loaded = SnapshotStore(tmp_path / "snapshot").load()
        assert loaded is not None
        assert loaded.version == 3
        assert (edge.status().running_version, edge.status().rejected_version) == (3, 4)
        assert ("snapshot_rejected", True) in edge.alarms()
        assert await edge.channel.handlers.on_snapshot(small_snapshot(5, "good.test"), SECRETS) == Running()
        assert edge.alarms()[-1] == ("snapshot_rejected", False)
        assert await edge.what_runs() == {"good.test"}


async def test_a_snapshot_with_a_missing_secret_is_rejected(tmp_path: Path) -> None:
    async with running(tmp_path) as edge:
        verdict = await edge.channel.handlers.on_snapshot(small_snapshot(), {"s-1:1": SECRETS["s-1:1"]})
        assert verdict == Refused(("2 secrets are missing here, such as s-2:1",))


async def test_a_process_that_crashes_over_a_snapshot_twice_has_refused_it(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        verdict = await edge.channel.handlers.on_snapshot(small_snapshot(4, "crash-at-prepare.test"), SECRETS)
        assert isinstance(verdict, Refused)
        assert "sip: broken on purpose" in verdict.problems
        await eventually_async(lambda: edge.states() == {"configured"}, 20)
        assert await edge.what_runs() == {"demo.tandem.test"}


async def test_a_process_that_cannot_swap_is_restarted_on_the_new_version(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        assert await edge.channel.handlers.on_snapshot(small_snapshot(4, "crash-at-commit.test"), SECRETS) == Running()

        def all_swapped() -> bool:
            return {(process.state, process.version) for process in edge.status().processes} == {("configured", 4)}

        await eventually_async(all_swapped, 20)
        assert await edge.what_runs() == {"crash-at-commit.test"}
        assert {process.restarts for process in edge.status().processes} == {1}


async def test_a_process_that_is_killed_comes_back_with_the_running_version_and_an_alarm(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path, steady_after_seconds=0.2) as edge:
        victim = edge.status().processes[0]
        assert victim.pid
        os.kill(victim.pid, signal.SIGKILL)
        await eventually_async(lambda: edge.status().processes[0].restarts == 1, 20)
        await eventually_async(lambda: edge.status().processes[0].version == 3, 20)
        await eventually_async(lambda: edge.alarms()[-1:] == [("process_restarted", False)], 20)
        assert edge.alarms() == [("process_restarted", True), ("process_restarted", False)]
        assert edge.channel.woken


async def test_calls_that_a_kill_left_open_become_records_at_the_start(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.db", SystemClock(), SystemTokens())
    outbox.opened(OpenCall("call-1", "sip-call-1", "200", "201", "user-1", "user-2", SystemClock().now()))
    outbox.close()
    async with running(tmp_path):
        records = [event for event in events(tmp_path) if isinstance(event, CallEnded)]
        assert [(record.call_id, record.interrupted) for record in records] == [("call-1", True)]


async def test_alarms_of_an_earlier_run_are_over_until_found_again(tmp_path: Path) -> None:
    async with running(tmp_path) as edge:
        await edge.channel.handlers.on_snapshot(small_snapshot(1, "refuse.test"), SECRETS)
    async with running(tmp_path) as edge:
        assert edge.alarms() == [("snapshot_rejected", True), ("snapshot_rejected", False)]


async def test_site_state_reaches_the_processes(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        record = StateRecord(key="do_not_disturb/user-1", value=True, stamp=Stamp(wall_ms=1, node="edge-1"))
        await edge.channel.handlers.on_state((record,))
        answers = [await p.order("what_state", {}) for p in edge.agent._processes.values()]
        assert {answer.text for answer in answers} == {"do_not_disturb/user-1"}


async def test_commands_are_carried_out_or_refused_by_name(tmp_path: Path) -> None:
    async with running(tmp_path) as edge:
        unknown = await edge.channel.handlers.on_command(Command(command_id="1", name="dance"))
        assert (unknown.ok, unknown.text) == (False, "this agent knows no command dance")
        known = await edge.channel.handlers.on_command(Command(command_id="2", name="report_registrations"))
        assert (known.ok, known.text) == (False, "there is no order report_registrations")  # the stub's own words


async def test_the_figures_of_every_process_are_told_when_the_cloud_asks(tmp_path: Path) -> None:
    async with running(tmp_path) as edge:
        await eventually_async(lambda: all(p.status.figures for p in edge.agent._processes.values()))
        told = await edge.channel.handlers.on_command(Command(command_id="1", name="figures"))
        figures = EdgeFigures.model_validate_json(told.content).processes
        assert figures["agent"]["events_waiting"] == len(edge.agent._outbox)
        assert set(figures) == {"agent", *edge.agent._processes}
        assert all(figures[name] == {"state_records": 0} for name in edge.agent._processes)


async def test_a_fault_in_the_channel_does_not_stop_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def faulty(_: FakeChannel) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(FakeChannel, "run", faulty)
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        await eventually_async(lambda: ("channel_failed", True) in edge.alarms(), 20)
        assert await edge.what_runs() == {"demo.tandem.test"}


async def test_the_status_shows_channel_and_ports_and_no_secret(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    async with running(tmp_path) as edge:
        edge.channel.go_online()
        status = edge.status()
        assert (status.online, status.transport) == (True, "quic")
        assert all("stub" in process.ports for process in status.processes)
        assert "password" not in json.dumps(status.model_dump(mode="json"))
    assert edge.status().state == "stopped"


def test_two_agents_cannot_use_one_state_folder(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    with the_only_agent(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(Exception, match="another agent is running"), the_only_agent(tmp_path):
            pass
    assert not is_running(tmp_path)


async def test_a_snapshot_whose_needed_file_is_missing_is_refused_until_the_file_is_here(tmp_path: Path) -> None:
    keep_on_disk(tmp_path)
    content = b"a prompt"
    digest = hashlib.sha256(content).hexdigest()
    blob = Blob(digest=digest, size_bytes=len(content), needed=True)
    snapshot = small_snapshot(4).model_copy(update={"blobs": (blob, Blob(digest="f" * 64, size_bytes=9))})
    async with running(tmp_path) as edge:
        verdict = await edge.channel.handlers.on_snapshot(snapshot, SECRETS)
        assert verdict == Refused((f"file {digest} of 8 bytes is on its way",), waits=True)
        assert edge.status().running_version == 3
        with BlobCache(tmp_path / FOLDER, 1000).begin(digest, len(content)) as download:
            download.write(content)
            download.finish()
        assert await edge.channel.handlers.on_snapshot(snapshot, SECRETS) == Running()
        assert edge.status().running_version == 4, "a file that is not needed holds up nothing"
