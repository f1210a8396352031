"""How long who sent a response wants to be left alone (RFC 3261 §20.33)."""

from __future__ import annotations

import re
from typing import Final

from edge_agent.sip.message.message import Message

_DELTA_SECONDS: Final = re.compile(rb"([0-9]{1,9})[ \t]*(?:[;(].*)?")
"""Digits, then parameters or a comment, which change nothing here."""


def retry_after_seconds(response: Message) -> float | None:
    """Seconds that a `Retry-After` header asks for; None: there is none, or it makes no sense."""
    value = response.get(b"retry-after")
    if value is None:
        return None
    found = _DELTA_SECONDS.fullmatch(value.strip())
    return float(found[1]) if found is not None else None
