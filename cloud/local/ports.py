"""The ports of one machine: found free, or reported by name when they are not."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from cloud.errors import CloudError

Kind = Literal["tcp", "udp"]
Wanted = tuple[str, int, tuple[Kind, ...]]
"""Host, port, and what the port must be free for."""

_TYPES: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


class PortsInUse(CloudError):
    """Ports that something else holds; the text names each with what it was for and how to choose another."""


def is_free(host: str, port: int, kinds: tuple[Kind, ...]) -> bool:
    """Whether `port` can be bound on `host` for each of these kinds."""
    try:
        for kind in kinds:
            with socket.socket(type=_TYPES[kind]) as probe:
                if kind == "tcp":  # as servers do: a connection that lingers holds no port
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
    except OSError:
        return False
    return True


def find_free(host: str, kinds: tuple[Kind, ...], taken: set[int]) -> int:
    """A port that is free for each of these kinds, and not among `taken`."""
    for _ in range(500):
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
        if port not in taken and is_free(host, port, kinds):
            return port
    raise PortsInUse(f"no free port on {host}")


def settle(wanted: Mapping[str, Wanted], remembered: Path) -> dict[str, int]:
    """The port of each name: the wanted one; where 0 was asked for the one of the last run, or else a free one.

    Args:
        wanted: by name: host, port, and what it must be free for.
        remembered: file that keeps them, because an enrolled edge knows the hub by its port.

    Raises:
        PortsInUse: naming every one that is taken.
    """
    earlier: dict[str, int] = json.loads(remembered.read_text(encoding="ascii")) if remembered.exists() else {}
    settled: dict[str, int] = {}
    problems: list[str] = []
    for name, (host, port, kinds) in wanted.items():
        if port == 0 and name in earlier and is_free(host, earlier[name], kinds):
            settled[name] = earlier[name]
        elif port == 0:
            settled[name] = find_free(host, kinds, set(settled.values()) | set(earlier.values()))
        elif is_free(host, port, kinds):
            settled[name] = port
        else:
            option = f"--{name.replace('_', '-')}-port"
            problems.append(f"{name}: port {port} ({'/'.join(kinds)}) on {host} is in use; {option} takes another")
    if problems:
        raise PortsInUse("\n".join(problems))
    new = remembered.with_suffix(".new")
    new.write_text(json.dumps(settled), encoding="ascii")
    new.replace(remembered)
    return settled
