"""Which UDP ports the processes below a process hold, as the kernel tells (Linux /proc)."""

import re
from pathlib import Path
from typing import Final

_SOCKET: Final = re.compile(r"socket:\[(\d+)\]")


def family_of(pid: int) -> set[int]:
    """This process and every one below it."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parents.setdefault(int(text.rsplit(")", 1)[1].split()[1]), []).append(int(status.parent.name))
    found, waiting = set[int](), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting.extend(parents.get(one, []))
    return found


def udp_ports(pids: set[int]) -> set[int]:
    """The local UDP ports that these processes hold open."""
    ports: dict[str, int] = {}
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            ports[fields[9]] = int(fields[1].rsplit(":", 1)[1], 16)
    held = set[int]()
    for pid in pids:
        try:
            descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                found = _SOCKET.match(str(descriptor.readlink()))
            except OSError:
                continue
            if found and found[1] in ports:
                held.add(ports[found[1]])
    return held
