"""The service manager hears when the agent is ready, lives and stops."""

import json
import socket
from pathlib import Path

from edge_agent.readiness import Readiness, ready_line
from edge_agent.settings import ServiceManager


def test_readiness_is_told_to_the_notify_socket(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        readiness = Readiness(ServiceManager(notify_socket=str(path)))
        readiness.ready("running")
        readiness.status("running")
        readiness.status("running")
        readiness.alive()
        readiness.stopping()
        told = [systemd.recv(500) for _ in range(4)]
    assert told == [b"READY=1\nSTATUS=running", b"STATUS=running", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_service_manager_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    Readiness(ServiceManager(notify_socket=str(tmp_path / "gone"))).alive()
    Readiness(ServiceManager()).alive()


def test_the_ready_line_is_json_after_one_word() -> None:
    word, _, rest = ready_line({"sip_udp": 5060}, 3).partition(" ")
    assert word == "ready"
    assert json.loads(rest) == {"ports": {"sip_udp": 5060}, "version": 3}
