"""Recordings whose writer has not finished them: FreeSWITCH says in a file's head how much there is once it is done.

It outlives us, and writes on; and it answers that it stops before it has.
"""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import BinaryIO, Final

_HEAD_BYTES: Final = 4096
"""Where the samples begin at the latest."""


def is_whole(path: Path) -> bool:
    """Whether a WAV file has as many samples as its head says.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb") as file:
        at, size, there = _samples(file)
    return at > 0 and size == there


def take_over(path: Path) -> None:
    """Make what is there of a recording a whole file, which nobody else writes to.

    Args:
        path: WAV; left alone where its head is right, or nothing can be made of it.

    Raises:
        OSError: it is not there, or the disk would not.
    """
    with path.open("rb") as file:
        at, size, there = _samples(file)
        there -= there % 2
        if not at or size == there or not there:
            return
        aside = path.with_name(f".{path.name}.new")
        file.seek(0)
        head = file.read(at)
        with aside.open("wb") as whole:
            os.fchmod(whole.fileno(), 0o600)
            whole.write(head[:4] + struct.pack("<I", at + there - 8) + head[8:-4] + struct.pack("<I", there))
            shutil.copyfileobj(file, whole)
            whole.truncate(at + there)
            whole.flush()
            os.fsync(whole.fileno())
    aside.replace(path)


def take_copy(path: Path) -> None:
    """Put a copy of what is there now in the place of a file that another may still write to.

    Raises:
        OSError: it is not there, or the disk would not.
    """
    aside = path.with_name(f".{path.name}.new")
    with path.open("rb") as file, aside.open("wb") as whole:
        os.fchmod(whole.fileno(), 0o600)
        shutil.copyfileobj(file, whole)
        whole.flush()
        os.fsync(whole.fileno())
    aside.replace(path)


def _samples(file: BinaryIO) -> tuple[int, int, int]:
    """Where the samples begin, 0: nowhere; how many bytes the head says that there are; and how many there are."""
    head, length = file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_size
    at = 12
    while head[:4] == b"RIFF" and at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        at += 8
        if name == b"data":
            return at, size, length - at
        at += size + size % 2
    return 0, 0, 0
