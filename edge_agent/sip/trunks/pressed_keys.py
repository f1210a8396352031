"""Keys that are pressed during a call: as information (INFO), and whether they are what begins and ends a recording."""

from __future__ import annotations

import re
from typing import Final

MOST_SECONDS: Final = 3.0
"""Between two keys of one sequence."""
_RELAY: Final = re.compile(rb"^\s*signal\s*=\s*([0-9*#])\s*$", re.IGNORECASE | re.MULTILINE)
_PLAIN: Final = re.compile(rb"\s*([0-9*#])\s*")
_MOST_BYTES: Final = 256


def key_of(content_type: str, body: bytes) -> str:
    """The key that information is about; empty: it is about something else.

    Args:
        content_type: such as `application/dtmf-relay`, with parameters or without.
        body: as it came.
    """
    if len(body) > _MOST_BYTES:
        return ""
    match content_type.partition(";")[0].strip().lower():
        case "application/dtmf-relay":
            found = _RELAY.search(body)
        case "application/dtmf":
            found = _PLAIN.fullmatch(body)
        case _:
            return ""
    return found[1].decode() if found is not None else ""


class KeySequence:
    """What was pressed last."""

    __slots__ = ("_at", "_pressed")

    def __init__(self) -> None:
        self._pressed, self._at = "", 0.0

    def completes(self, wanted: str, key: str, now: float) -> bool:
        """Whether these keys were pressed, one soon after the other, the last of them now.

        Args:
            wanted: the keys; empty: none are.
            key: pressed now.
            now: seconds, monotonic.
        """
        if not wanted:
            return False
        before = self._pressed if now - self._at <= MOST_SECONDS else ""
        self._pressed, self._at = (before + key)[-len(wanted) :], now
        if self._pressed != wanted:
            return False
        self._pressed = ""
        return True
