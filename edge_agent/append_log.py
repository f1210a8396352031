"""What is to be safe against kill -9 at once and can be put in its place later: lines appended to a file.

One `write` costs a few microseconds, a commit of a database ten times as much; so a process on the path of calls
appends here, and carries what has gathered into its database now and then. The file begins with its generation, and the
database remembers, in the same transaction, the last generation that it took: nothing is lost, nothing is taken twice.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

_HEADER: Final = b"generation %d\n"


class AppendLog:
    """One file, one writer.

    Args:
        path: the file; made when something is appended.

    Use: `left_over()` once, take what it gives, `begin(generation)`; then `append` …, and `begin` with the next
    generation whenever everything appended is in its place.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._generation = 0
        self._length = 0
        """Bytes of the file that count; 0: nothing was appended in this generation."""
        self._clean = False
        """Whether the file has nothing beyond `_length`."""

    @property
    def generation(self) -> int:
        """Of what is appended now."""
        return self._generation

    def left_over(self) -> tuple[int, list[str]]:
        """Generation and whole lines that an earlier process left; (0, []) when there are none.

        A last line without its end was never acknowledged to anybody.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0, []
        header, _, rest = content.partition(b"\n")
        word, _, number = header.partition(b" ")
        if word != b"generation" or not number.isdigit():
            return 0, []
        return int(number), [line.decode("utf-8", "replace") for line in rest.split(b"\n")[:-1]]

    def begin(self, generation: int) -> None:
        """Everything appended before is in its place; from here on lines are of this generation."""
        self._generation = generation
        self._length = 0
        self._clean = False
        # When it cannot be emptied now, the next `append` tries again before it writes.
        with contextlib.suppress(OSError):
            self._empty()

    def append(self, lines: str) -> None:
        """Write lines, each with its end; safe against kill -9 when this returns.

        Raises:
            OSError: the disk would not; nothing was appended.
        """
        if not self._clean:
            self._empty()
        data = lines.encode("utf-8", "replace")
        if not self._length:
            data = _HEADER % self._generation + data
        self._clean = False
        written = os.write(self._descriptor, data)
        if written != len(data):
            self._empty()
            raise OSError(f"{self._path.name}: no room")
        self._length += written
        self._clean = True

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _empty(self) -> None:
        """Cut off what does not count."""
        if self._descriptor < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
        os.ftruncate(self._descriptor, self._length)
        self._clean = True
