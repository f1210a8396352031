"""Recorded conversations of FreeSWITCH's event socket, from tests/data/esl (its README says how a file is written)."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "esl"
_FRAME = re.compile(rb"@@ ([0-9.]+) (S->C|C->S) (\d+)\n")


@dataclass(frozen=True, slots=True)
class Frame:
    """What one side sent at once; `seconds` since the beginning."""

    seconds: float
    from_freeswitch: bool
    data: bytes


def names() -> list[str]:
    """Every recording."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def frames(name: str) -> list[Frame]:
    """A recording's frames, in their order."""
    data, found, at = (FOLDER / f"{name}.txt").read_bytes(), list[Frame](), 0
    while at < len(data):
        if data.startswith(b"## ", at) or data.startswith(b"\n", at):
            at = data.index(b"\n", at) + 1
            continue
        if (head := _FRAME.match(data, at)) is None:
            raise ValueError(f"{name}: no frame at byte {at}")
        end = head.end() + int(head[3])
        found.append(Frame(float(head[1]), head[2] == b"S->C", data[head.end() : end]))
        at = end
    return found


def said_by_freeswitch(name: str) -> bytes:
    """All that FreeSWITCH sent."""
    return b"".join(frame.data for frame in frames(name) if frame.from_freeswitch)


def asked_by_agent(name: str) -> list[bytes]:
    """The commands that FreeSWITCH was sent."""
    return [frame.data for frame in frames(name) if not frame.from_freeswitch]
