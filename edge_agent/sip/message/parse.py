"""Bytes to a message; what is wrong with them has a name."""

import re
from typing import Final

from edge_agent.sip.message.characters import TAB
from edge_agent.sip.message.errors import BadMessage, DropReason
from edge_agent.sip.message.headers import CANONICAL, TOKEN, canonical
from edge_agent.sip.message.limits import DEFAULT_LIMITS, Limits
from edge_agent.sip.message.message import Message

_FOLD: Final = re.compile(rb"\r\n[ \t]+")
_USUAL: Final = frozenset(b"INVITE ACK BYE CANCEL REGISTER OPTIONS SUBSCRIBE NOTIFY INFO UPDATE PRACK".split())
_VERSION: Final = re.compile(rb"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """One whole message, as a datagram or a framer gave it.

    Only the structure is looked at: start line, header lines, length of the body.

    Args:
        data: start line to end of body; empty lines in front are ignored (RFC 3261 §7.5).
        limits: bounds on size and number of headers.

    Raises:
        BadMessage: with what could be read of it when that may be enough for an answer.
    """
    if len(data) > limits.message_bytes:
        raise BadMessage(DropReason.TOO_LARGE, "Message Too Large", 513)
    if data[:1] in (b"\r", b"\n"):
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise BadMessage(DropReason.NO_END_OF_HEADERS, "No End of Headers")
    head = data[:end]
    lines = head.splitlines()
    known = CANONICAL.get
    # A line without a colon asks for the empty key, which nothing has.
    names = [known(line[: line.find(b":") + 1]) or b"" for line in lines]
    names[0] = b""
    if names.count(b"") > 1 and (b"\r\n " in head or b"\r\n\t" in head):
        # The name of a line that is folded is never known, for it begins with white space.
        head = _FOLD.sub(b" ", head)
        lines = head.splitlines()
        names = [b""] * len(lines)
    if len(lines) - 1 > limits.headers:
        raise BadMessage(DropReason.TOO_MANY_HEADERS, "Too Many Headers")
    if b"\r\n".join(lines) != head:
        raise BadMessage(DropReason.STRAY_LINE_END, "Stray Line End")
    method, status, problem = _start_line(lines[0])
    if names.count(b"") > 1:
        _name_the_unusual(lines, names)
    message = Message(lines, names, data[end + 4 :], method, status)
    message.find_places()
    if end > limits.header_bytes:
        _check_lengths(message, limits)
    if problem is not None:
        problem.partial = message
        raise problem
    _cut_body(message)
    return message


def _name_the_unusual(lines: list[bytes], names: list[bytes]) -> None:
    """Fill in the names of header lines that were never seen in that spelling."""
    for at in range(1, len(lines)):
        if not names[at]:
            spelled, colon, _ = lines[at].partition(b":")
            if not colon:
                raise BadMessage(DropReason.BAD_HEADER_LINE, "Malformed Header Line")
            names[at] = canonical(spelled)


def _check_lengths(message: Message, limits: Limits) -> None:
    if len(message.lines[0]) > limits.header_bytes:
        raise BadMessage(DropReason.HEADER_TOO_LONG, "Request-URI Too Long", 414, message)
    if max(map(len, message.lines)) > limits.header_bytes:
        raise BadMessage(DropReason.HEADER_TOO_LONG, "Header Too Long", partial=message)


def _start_line(line: bytes) -> tuple[bytes, int, BadMessage | None]:
    """Method and status, with a problem that can still be answered."""
    parts = line.split(b" ")
    if len(parts) == 3 and parts[2] == b"SIP/2.0" and parts[0] in _USUAL and parts[1] and TAB not in line:
        return parts[0], 0, None
    if line[:8] == b"SIP/2.0 " or (line[:4].upper() == b"SIP/" and _VERSION.match(line)):
        version, _, rest = line.partition(b" ")
        code = rest[:3]
        if version.upper() != b"SIP/2.0" or not code.isdigit() or rest[3:4] not in (b" ", b""):
            raise BadMessage(DropReason.BAD_START_LINE, "Malformed Status Line")
        if not 100 <= int(code) <= 699:
            raise BadMessage(DropReason.BAD_START_LINE, "Malformed Status Line")
        return b"", int(code), None
    method = parts[0]
    if len(parts) < 3 or TOKEN.fullmatch(method) is None:
        raise BadMessage(DropReason.NOT_SIP, "Not SIP")
    version = parts[-1]
    if _VERSION.fullmatch(version) is None:
        if len(parts) > 3:
            return method, 0, BadMessage(DropReason.BAD_START_LINE, "Malformed Request Line")
        raise BadMessage(DropReason.NOT_SIP, "Not SIP")
    if version.upper() != b"SIP/2.0":
        return method, 0, BadMessage(DropReason.BAD_VERSION, "Version Not Supported", 505)
    if len(parts) != 3 or not parts[1] or TAB in line:
        return method, 0, BadMessage(DropReason.BAD_START_LINE, "Malformed Request Line")
    return method, 0, None


def _cut_body(message: Message) -> None:
    """Hold the body to its Content-Length (RFC 3261 §18.3): longer data is cut, shorter data is an error."""
    value = message.get(b"content-length")
    if value is None or (value == b"0" and not message.body and not message.repeats):
        return
    if not value.isdigit() or len(value) > 9:
        raise BadMessage(DropReason.BAD_CONTENT_LENGTH, "Malformed Content-Length", partial=message)
    if message.repeats and len(set(message.all(b"content-length"))) > 1:
        raise BadMessage(DropReason.BAD_CONTENT_LENGTH, "Contradicting Content-Length", partial=message)
    length = int(value)
    if length > len(message.body):
        raise BadMessage(DropReason.TRUNCATED_BODY, "Body Shorter Than Content-Length", partial=message)
    if length < len(message.body):
        message.body = message.body[:length]
