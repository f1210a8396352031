"""The whole agent, with its real processes and the cloud away."""

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.sync.events import CallEnded, EngineTold, PhoneFetched, RegistrationChanged
from edge_agent.clock import SystemClock
from edge_agent.ports import OpenCall
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.raw_sip import RawPhone
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.waiting import eventually


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    prepare_state(folder, small_snapshot(3), SMALL_SECRETS)
    return folder


@pytest.fixture
def edge(state_dir: Path) -> Iterator[EdgeProcess]:
    running = EdgeProcess(state_dir)
    yield running
    running.stop()


def phone_at(edge: EdgeProcess, port: int | None = None) -> RawPhone:
    address = ("127.0.0.1", port or edge.ports()["sip_udp"])
    return RawPhone(address, "200", "auth200", SMALL_SECRETS["s-1:1"])


def events(folder: Path) -> list[object]:
    outbox = Outbox.open(folder / "outbox.db", SystemClock(), SystemTokens())
    try:
        return [event.body.what for event in outbox.read(0, 100)]
    finally:
        outbox.close()


def children(edge: EdgeProcess) -> list[int]:
    return [process["pid"] for process in edge.status()["processes"]]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_with_the_cloud_away_phones_register_and_fetch_their_files(edge: EdgeProcess, state_dir: Path) -> None:
    assert edge.ready()["version"] == 3
    with phone_at(edge) as phone:
        assert phone.register().status == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{edge.ports()['http']}/001565000001.cfg", timeout=5) as answer:
        text = answer.read().decode()
    assert SMALL_SECRETS["s-1:1"] in text
    assert f"{edge.ports()['sip_udp']}" in text
    wanted: set[type] = {EngineTold, RegistrationChanged, PhoneFetched}
    eventually(lambda: {type(event) for event in events(state_dir)} == wanted, 3, "all are on their way to the cloud")
    assert edge.status()["online"] is False


def test_a_wrong_password_is_refused(edge: EdgeProcess) -> None:
    with RawPhone(("127.0.0.1", edge.ports()["sip_udp"]), "200", "auth200", "guess") as phone:
        assert phone.register().status in (401, 403)


def test_a_killed_agent_leaves_no_process_and_comes_back_with_every_binding_and_event(state_dir: Path) -> None:
    first = EdgeProcess(state_dir)
    ports = first.ports()
    with phone_at(first) as phone:
        assert phone.register().status == 200
    left = children(first)
    outbox = Outbox.open(state_dir / "outbox.db", SystemClock(), SystemTokens())
    outbox.opened(OpenCall("call-1", "sip-1", "200", "201", "user-1", "user-2", SystemClock().now()))
    outbox.close()
    first.kill()
    eventually(lambda: not any(map(alive, left)), 5, "every process ends with the agent")
    fixed = {
        "TANDEM_EDGE_SIP_UDP_PORT": str(ports["sip_udp"]),
        "TANDEM_EDGE_SIP_TCP_PORT": str(ports["sip_tcp"]),
    }
    second = EdgeProcess(state_dir, fixed)
    try:
        assert second.ports()["sip_udp"] == ports["sip_udp"]

        def bindings() -> int:
            sip = next(process for process in second.status()["processes"] if process["name"] == "sip")
            return int(sip["figures"].get("registrations", 0))

        eventually(lambda: bindings() == 1, 20, "the binding is back")
        kept = [event for event in events(state_dir) if not isinstance(event, EngineTold)]
        assert [type(event) for event in kept] == [RegistrationChanged, CallEnded]
        assert isinstance(kept[1], CallEnded)
        assert kept[1].interrupted
    finally:
        second.stop()


def test_a_killed_process_comes_back_on_the_same_port_with_its_bindings(edge: EdgeProcess) -> None:
    port = edge.ports()["sip_udp"]
    with phone_at(edge) as phone:
        assert phone.register().status == 200
    victim = next(process for process in edge.status()["processes"] if process["name"] == "sip")
    os.kill(victim["pid"], signal.SIGKILL)

    def again() -> bool:
        sip = next(process for process in edge.status()["processes"] if process["name"] == "sip")
        return bool(sip["restarts"] == 1 and sip["state"] == "configured")

    eventually(again, 20, "the SIP process is configured again")
    assert edge.ports()["sip_udp"] == port
    with phone_at(edge) as phone:
        assert phone.register().status == 200


def test_the_agent_stops_within_seconds_and_leaves_nothing_running(state_dir: Path) -> None:
    running = EdgeProcess(state_dir)
    running.ready()
    left = children(running)
    assert len(left) == 3
    assert running.stop(within=5) == 0
    assert not any(map(alive, left))
    assert running.status()["running"] is False


def test_without_a_configuration_the_agent_waits_for_the_first_and_tells_systemd(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    prepare_state(folder, None, {})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        running = EdgeProcess(folder, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"})
        try:
            assert running.ready()["version"] is None
            assert running.status()["state"] == "waiting for first configuration"
        finally:
            assert running.stop() == 0
        told = [systemd.recv(500) for _ in range(3)]
        while told[-1] != b"STOPPING=1":
            told.append(systemd.recv(500))
    assert b"READY=1\nSTATUS=waiting for first configuration" in told
    assert b"WATCHDOG=1" in told


def test_no_secret_reaches_log_or_status(edge: EdgeProcess, state_dir: Path) -> None:
    with phone_at(edge) as phone:
        assert phone.register().status == 200
    shown = edge.errors.read_text() + edge.output.read_text() + (state_dir / "status.json").read_text()
    assert not [secret for secret in SMALL_SECRETS.values() if secret in shown]
    on_disk = b"".join(path.read_bytes() for path in state_dir.rglob("*") if path.is_file())
    assert not [secret for secret in SMALL_SECRETS.values() if secret.encode() in on_disk]
