"""FreeSWITCH's event socket (mod_event_socket): bytes in, messages out, in any cut.

A message is a block of headers that ends with an empty line, and a body of Content-Length bytes. Three things do not
follow from that and were seen in recorded conversations: the answer to `connect` has no Content-Length and comes with
every value escaped; other headers come as they are, so a percent sign in them means itself; an event's own headers
are the body of a message, and escaped.
"""

import json
from dataclasses import dataclass
from urllib.parse import unquote

from edge_agent.errors import EdgeError

MOST_HEADER_BYTES = 256 * 1024
"""A call with many variables has 6 KiB; what comes before an empty line may not be longer than this."""
MOST_BODY_BYTES = 1024 * 1024
MOST_HEADERS = 4096


class EslError(EdgeError):
    """What came is not the event socket's protocol, or more than its limits; the connection is of no further use."""


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """FreeSWITCH asks for the password; the first thing on a control connection."""


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The answer to the oldest command without one; `text` begins with +OK or -ERR."""

    text: str

    @property
    def ok(self) -> bool:
        """FreeSWITCH took the command, which need not mean that it can carry it out."""
        return self.text.startswith("+OK")


@dataclass(frozen=True, slots=True)
class ChannelData:
    """The answer to `connect`: all that is known of the call that the connection is for."""

    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """The answer to the oldest `api` command without one."""

    body: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened: its name, its headers with their values as they were meant, and its body."""

    name: str
    headers: dict[str, str]
    body: str = ""

    @property
    def subclass(self) -> str:
        """What kind of a CUSTOM event it is; empty for every other."""
        return self.headers.get("Event-Subclass", "")


@dataclass(frozen=True, slots=True)
class DisconnectNotice:
    """FreeSWITCH is about to close the connection; with `linger` it says first what else it has to say of the call."""

    linger: bool


Message = AuthRequest | CommandReply | ChannelData | ApiResponse | Event | DisconnectNotice


class EslReader:
    """One connection's bytes, as messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._headers: dict[str, str] | None = None
        self._missing = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with `data`, in their order; raises `EslError`."""
        self._buffer += data
        messages: list[Message] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if self._headers is None and not self._read_headers():
            return None
        headers = self._headers
        if headers is None or len(self._buffer) < self._missing:
            return None
        body = bytes(self._buffer[: self._missing])
        del self._buffer[: self._missing]
        self._headers = None
        return _message(headers, body)

    def _read_headers(self) -> bool:
        """Whether a block of headers is complete; it is taken from the buffer."""
        while self._buffer.startswith(b"\n"):
            del self._buffer[:1]
            self._searched = 0
        end = self._buffer.find(b"\n\n", max(0, self._searched - 1))
        if max(end, len(self._buffer) if end < 0 else 0) > MOST_HEADER_BYTES:
            raise EslError(f"headers of more than {MOST_HEADER_BYTES} bytes")
        if end < 0:
            self._searched = len(self._buffer)
            return False
        block = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._searched = 0
        self._headers = _headers(block, escaped=block.startswith(b"Event-Name: "))
        self._missing = _length(self._headers.get("Content-Length", "0"))
        return True


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise EslError("a Content-Length that is no number")
    if (length := int(text)) > MOST_BODY_BYTES:
        raise EslError(f"a body of more than {MOST_BODY_BYTES} bytes")
    return length


def _headers(block: bytes, *, escaped: bool) -> dict[str, str]:
    """Headers of a block; of one that comes twice the first counts. Values may hold every character but line feed."""
    lines = block.split(b"\n")
    if len(lines) > MOST_HEADERS:
        raise EslError(f"more than {MOST_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon:
            raise EslError("a header without a colon")
        value = value.removeprefix(" ")
        headers.setdefault(name, unquote(value, errors="replace") if escaped else value)
    return headers


def _message(headers: dict[str, str], body: bytes) -> Message:
    match headers.get("Content-Type", ""):
        case "auth/request":
            return AuthRequest()
        case "command/reply" if "Event-Name" in headers:
            return ChannelData(headers)
        case "command/reply":
            return CommandReply(headers.get("Reply-Text", ""))
        case "api/response":
            return ApiResponse(body.decode("utf-8", "replace"))
        case "text/event-plain":
            return _plain_event(body)
        case "text/event-json":
            return _json_event(body)
        case "text/disconnect-notice":
            return DisconnectNotice(linger=headers.get("Content-Disposition") == "linger")
        case "text/rude-rejection":
            raise EslError("FreeSWITCH refuses connections from this address")
        case kind:
            raise EslError(f"a message of an unknown kind {kind[:40]!r}")


def _plain_event(data: bytes) -> Event:
    block, _, rest = data.partition(b"\n\n")
    headers = _headers(block, escaped=True)
    length = _length(headers.get("Content-Length", "0"))
    if len(rest) < length:
        raise EslError("an event whose body is cut off")
    return Event(headers.get("Event-Name", ""), headers, rest[:length].decode("utf-8", "replace"))


def _json_event(data: bytes) -> Event:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EslError("an event that is no JSON") from error
    if not isinstance(fields, dict) or len(fields) > MOST_HEADERS:
        raise EslError("an event that is no JSON object of its size")
    headers = {name: value for name, value in fields.items() if isinstance(value, str)}
    body = headers.pop("_body", "")
    return Event(headers.get("Event-Name", ""), headers, body)
