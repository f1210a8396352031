"""Bodies of several parts (RFC 2046 §5.1, RFC 5621): which of them is the session description."""

from __future__ import annotations

import re
from typing import Final

from edge_agent.sip.message import Message
from edge_agent.sip.user_agent.asked import SDP

MULTIPART: Final = b"multipart/mixed"
_BOUNDARY: Final = re.compile(rb';\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_TYPE: Final = re.compile(rb"^content-type[ \t]*:[ \t]*([^;\r\n]*)", re.IGNORECASE | re.MULTILINE)
_MOST_PARTS: Final = 20


def kind_of(message: Message) -> bytes:
    """The media type of a body, lower case, without parameters."""
    return (message.get(b"content-type") or b"").partition(b";")[0].strip().lower()


def session_of(message: Message) -> bytes:
    """The session description in a message's body, whatever else is there; empty: there is none."""
    if kind_of(message) != MULTIPART:
        return message.body
    boundary = _BOUNDARY.search(message.get(b"content-type") or b"")
    if boundary is None:
        return b""
    parts = (b"\r\n" + message.body).split(b"\r\n--" + (boundary[1] or boundary[2]), _MOST_PARTS + 1)
    for part in parts[1 : _MOST_PARTS + 1]:
        head, empty, body = part.partition(b"\r\n\r\n")
        found = _TYPE.search(head)
        if empty and found is not None and found[1].strip().lower() == SDP:
            return body
    return b""
