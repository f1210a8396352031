"""Telling whoever started the agent that it is ready, that it lives, and that it stops (sd_notify(3))."""

import contextlib
import json
import socket
from collections.abc import Mapping

from edge_agent.settings import ServiceManager


class Readiness:
    """Speaks to systemd's notify socket; does nothing when there is none.

    Args:
        manager: what the environment said about the service manager.
    """

    def __init__(self, manager: ServiceManager) -> None:
        self._path = manager.notify_socket
        self._told: str | None = None

    def ready(self, status: str) -> None:
        """The agent does what it is there for."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """What `systemctl status` shows."""
        if status != self._told:
            self._told = status
            self._send(f"STATUS={status}")

    def alive(self) -> None:
        """To be called at least twice in each watchdog interval."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The agent was asked to stop."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if self._path is None:
            return
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        # A service manager that does not listen must not stop the telephones.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.setblocking(False)
            end.sendto(text.encode(), address)


def ready_line(ports: Mapping[str, int], version: int | None) -> str:
    """The line that `tandem-edge run` prints when it is ready, for programs that start it."""
    return "ready " + json.dumps({"version": version, "ports": dict(ports)}, sort_keys=True)
