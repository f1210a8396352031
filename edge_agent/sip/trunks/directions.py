"""Which way media goes by a session description, as far as a call that was held concerns (RFC 3264 §5.1, §8.4)."""

from __future__ import annotations

import re
from typing import Final

_SILENT: Final = re.compile(rb"^a=(?:recvonly|inactive)[ \t]*\r?$", re.MULTILINE)
_DIRECTION: Final = re.compile(rb"^a=(?:sendrecv|sendonly|recvonly|inactive)[ \t]*\r?\n", re.MULTILINE)


def is_silent(description: bytes) -> bool:
    """Whether who wrote it would not speak: it was put on hold, and goes by that still."""
    return _SILENT.search(description) is not None


def both_ways(description: bytes) -> bytes:
    """The same without directions, which is both of them (RFC 8866 §6.7)."""
    return _DIRECTION.sub(b"", description)
