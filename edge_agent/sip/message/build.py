"""New messages: responses from requests (RFC 3261 §8.2.6), requests from their parts."""

from collections.abc import Iterable, Sequence
from typing import Final

from edge_agent.sip.message.errors import BadMessage
from edge_agent.sip.message.headers import canonical, one_line
from edge_agent.sip.message.message import Message

RawHeader = tuple[bytes, bytes]
"""Name as it shall stand on the wire, and value."""

REASONS: Final = {
    100: b"Trying",
    180: b"Ringing",
    181: b"Call Is Being Forwarded",
    182: b"Queued",
    183: b"Session Progress",
    200: b"OK",
    202: b"Accepted",
    300: b"Multiple Choices",
    301: b"Moved Permanently",
    302: b"Moved Temporarily",
    305: b"Use Proxy",
    380: b"Alternative Service",
    400: b"Bad Request",
    401: b"Unauthorized",
    402: b"Payment Required",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    406: b"Not Acceptable",
    407: b"Proxy Authentication Required",
    408: b"Request Timeout",
    410: b"Gone",
    412: b"Conditional Request Failed",
    413: b"Request Entity Too Large",
    414: b"Request-URI Too Long",
    415: b"Unsupported Media Type",
    416: b"Unsupported URI Scheme",
    420: b"Bad Extension",
    421: b"Extension Required",
    422: b"Session Interval Too Small",
    423: b"Interval Too Brief",
    429: b"Provide Referrer Identity",
    430: b"Flow Failed",
    439: b"First Hop Lacks Outbound Support",
    440: b"Max-Breadth Exceeded",
    478: b"Unresolvable Destination",
    480: b"Temporarily Unavailable",
    481: b"Call/Transaction Does Not Exist",
    482: b"Loop Detected",
    483: b"Too Many Hops",
    484: b"Address Incomplete",
    485: b"Ambiguous",
    486: b"Busy Here",
    487: b"Request Terminated",
    488: b"Not Acceptable Here",
    489: b"Bad Event",
    491: b"Request Pending",
    493: b"Undecipherable",
    500: b"Server Internal Error",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Server Time-out",
    505: b"Version Not Supported",
    513: b"Message Too Large",
    600: b"Busy Everywhere",
    603: b"Decline",
    604: b"Does Not Exist Anywhere",
    606: b"Not Acceptable",
}

_IN_ORDER: Final = (b"via", b"from", b"to", b"call-id", b"cseq")
_COPIED: Final = frozenset(_IN_ORDER)


def response_lines(
    request: Message, status: int, reason: bytes = b"", headers: Iterable[RawHeader] = (), to_tag: bytes = b""
) -> list[bytes]:
    """The lines of a response: Via, From, To, Call-ID and CSeq as in the request, then `headers`.

    Args:
        request: what is answered; headers that it lacks are left out.
        status: SIP status code.
        reason: phrase; empty means the usual one.
        headers: further headers.
        to_tag: put on To when the request's has none; required for any status but 100 (§8.2.6.2).
    """
    lines = [one_line(b"SIP/2.0 %d " % status + (reason or REASONS.get(status, b"Response")))]
    if request.repeats:
        wanted = _COPIED
        for name, line in zip(request.names, request.lines, strict=True):
            if name in wanted:
                if name == b"to" and to_tag and not _has_tag(request):
                    line = one_line(line + b";tag=" + to_tag)
                lines.append(line)
    else:
        theirs = request.lines
        lines += [theirs[at] for name in _IN_ORDER if (at := request.index(name)) > 0]
        if to_tag and request.has(b"to") and not _has_tag(request):
            to = theirs[request.index(b"to")]
            lines[lines.index(to)] = one_line(to + b";tag=" + to_tag)
    if status == 100 and (at := request.index(b"timestamp")) > 0:
        lines.append(request.lines[at])
    lines.extend([one_line(name + b": " + value) for name, value in headers])
    return lines


def _has_tag(request: Message) -> bool:
    """Whether To has a tag; a To that cannot be read is still repeated in the answer that says so."""
    try:
        return bool(request.to_tag)
    except BadMessage:
        return True


def response_bytes(
    request: Message,
    status: int,
    reason: bytes = b"",
    headers: Iterable[RawHeader] = (),
    to_tag: bytes = b"",
    body: bytes = b"",
) -> bytes:
    """A whole response, ready to send; see `response_lines`. A body's Content-Type is the caller's to give."""
    lines = response_lines(request, status, reason, headers, to_tag)
    lines.append(b"Content-Length: %d\r\n\r\n" % len(body))
    return b"\r\n".join(lines) + body


def response_to(
    request: Message,
    status: int,
    reason: bytes = b"",
    headers: Iterable[RawHeader] = (),
    to_tag: bytes = b"",
    body: bytes = b"",
) -> Message:
    """As `response_bytes`, as a message that can be changed before it is sent."""
    lines = response_lines(request, status, reason, headers, to_tag)
    lines.append(b"Content-Length: %d" % len(body))
    names = [b"", *(canonical(line.partition(b":")[0]) for line in lines[1:])]
    return Message(lines, names, body, b"", status)


def new_request(method: bytes, uri: bytes, headers: Sequence[RawHeader], body: bytes = b"") -> Message:
    """A request of our own; Content-Length is added, everything else is in `headers`, in that order."""
    lines = [one_line(method + b" " + uri + b" SIP/2.0"), *(one_line(name + b": " + value) for name, value in headers)]
    lines.append(b"Content-Length: %d" % len(body))
    names = [b"", *(canonical(name) for name, _ in headers), b"content-length"]
    return Message(lines, names, body, method, 0)
