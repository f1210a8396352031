"""How rtpengine is started where it is ours: as a program in the foreground, without its part in the kernel."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_agent.media.rtpengine.requests import interface_name
from edge_agent.network.marks import Dscp

PROGRAM: Final = "rtpengine"
PACKAGE: Final = "rtpengine-daemon"
_NEVER_SECONDS: Final = 604_800
"""A week: the signalling says when a stream is over."""


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """What our rtpengine is told at its start.

    Args:
        places: the local address that each of our hosts is reached at, by the host that parties are told; numeric.
        control_port: of the loopback interface, for requests.
        first_port, last_port: of media.
    """

    places: Mapping[str, str]
    control_port: int
    first_port: int
    last_port: int


def found_program() -> str | None:
    """Where the program is; None: it is not installed."""
    return shutil.which(PROGRAM)


def command_line(program: str, settings: ProgramSettings) -> tuple[str, ...]:
    """The command that runs it.

    The source of a party is learned from its packets, the described address before others (`heuristic`).
    """
    interfaces = (f"--interface={interface_name(host)}/{at}" for host, at in settings.places.items())
    return (
        program,
        "--config-file=none",
        "--foreground",
        "--log-stderr",
        "--log-level=4",
        "--table=-1",
        *interfaces,
        f"--listen-ng=127.0.0.1:{settings.control_port}",
        f"--port-min={settings.first_port}",
        f"--port-max={settings.last_port}",
        f"--tos={Dscp.VOICE.octet}",
        "--endpoint-learning=heuristic",
        f"--timeout={_NEVER_SECONDS}",
        f"--silent-timeout={_NEVER_SECONDS}",
        f"--offer-timeout={_NEVER_SECONDS}",
        "--delete-delay=0",
        "--num-threads=2",
    )
