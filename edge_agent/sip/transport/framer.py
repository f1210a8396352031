"""Cuts a byte stream into SIP messages by their Content-Length (RFC 3261 §18.3).

Keep-alives between them are found too (RFC 5626 §3.5.1).
"""

import re
from typing import Final

from edge_agent.sip.message import DEFAULT_LIMITS, BadMessage, DropReason, Limits

PING: Final = b"\r\n\r\n"
"""Stands in the result of `feed` for a keep-alive ping, to be answered with one CRLF."""

_LENGTH: Final = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)


class StreamFramer:
    """Holds at most one message and what came with it.

    Args:
        limits: `message_bytes` bounds head and body together.
    """

    __slots__ = ("_buffer", "_limit", "_needed", "_searched")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._buffer = bytearray()
        self._limit = limits.message_bytes
        self._searched = 0
        self._needed = 0

    @property
    def waiting(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, with `PING` for each keep-alive among them.

        Raises:
            BadMessage: the stream cannot be cut any further and has to be closed.
        """
        buffer = self._buffer
        buffer += data
        found: list[bytes] = []
        while buffer:
            if buffer[0] in b"\r\n":
                if buffer.startswith(PING):
                    found.append(PING)
                    del buffer[:4]
                elif PING.startswith(buffer):
                    break
                else:
                    # A single CRLF is a pong, or what some peers send after a body.
                    del buffer[:1]
                continue
            message = self._cut()
            if message is None:
                break
            found.append(message)
        return found

    def _cut(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < self._needed:
            return None
        end = buffer.find(PING, max(0, self._searched - 3))
        if end < 0:
            self._searched = len(buffer)
            if len(buffer) > self._limit:
                raise BadMessage(DropReason.TOO_LARGE, "Message Too Large", 513)
            return None
        if end + 4 > self._limit:
            raise BadMessage(DropReason.TOO_LARGE, "Message Too Large", 513)
        match = _LENGTH.search(buffer, 0, end)
        length = 0
        if match is not None:
            text = bytes(match.group(1)).strip(b" \t")
            if not text.isdigit() or len(text) > 9:
                raise BadMessage(DropReason.BAD_CONTENT_LENGTH, "Malformed Content-Length")
            length = int(text)
        total = end + 4 + length
        if total > self._limit:
            raise BadMessage(DropReason.TOO_LARGE, "Message Too Large", 513)
        if len(buffer) < total:
            # Not looked at again before it is whole, in whatever small pieces that comes.
            self._searched, self._needed = end, total
            return None
        self._searched = self._needed = 0
        message = bytes(buffer[:total])
        del buffer[:total]
        return message
