"""The stand-in for FreeSWITCH as a program of its own."""

import sys
from pathlib import Path

_SOURCE = Path(__file__).with_name("stand_in_freeswitch.py")


def stand_in(folder: Path, name: str = "freeswitch") -> Path:
    """Where it is now; one with `broken` in its name ends at once."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{_SOURCE.read_text(encoding='utf-8')}", encoding="utf-8")
    program.chmod(0o700)
    return program
