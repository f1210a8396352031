"""Phones that answer by themselves: asked to by the dial plan only, never by whoever calls."""

from __future__ import annotations

from typing import Final

from edge_agent.sip.message import Message
from edge_agent.sip.message.build import RawHeader

ANSWER_AT_ONCE: Final[tuple[RawHeader, ...]] = (
    (b"Answer-Mode", b"Auto"),
    (b"Call-Info", b"<sip:intercom.invalid>;answer-after=0"),
    (b"Alert-Info", b"<http://intercom.invalid>;info=alert-autoanswer;delay=0"),
)
"""RFC 5373, and what phones of different makers know instead; each passes over what it does not know."""
_MODES: Final = (b"answer-mode", b"priv-answer-mode")
_INFORMATION: Final = ((b"call-info", b"Call-Info"), (b"alert-info", b"Alert-Info"))
_WISHES: Final = (b"answer-after", b"auto-answer", b"autoanswer", b"auto answer", b"intercom")


def remove_wishes(request: Message) -> None:
    """Take out of an INVITE what would make a phone answer by itself: that opens somebody's microphone."""
    for name in _MODES:
        if request.has(name):
            request.remove(name)
    for name, shown in _INFORMATION:
        if not request.has(name):
            continue
        values = request.all(name)
        kept = [value for value in values if not any(wish in value.lower() for wish in _WISHES)]
        if len(kept) < len(values):
            request.remove(name)
            for value in kept:
                request.append(shown, value)
