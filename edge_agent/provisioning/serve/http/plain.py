"""The requests that nearly every phone sends, read and answered without a library's objects. No sockets, no clock.

Only what can mean one thing is taken: GET or HEAD with plain header lines, one Host, no body and nothing that changes
the connection (RFC 9112). All else is left to h11, which says what is wrong with it.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from edge_agent.provisioning.serve.http.answer import HttpResponse

END_OF_HEAD: Final = b"\r\n\r\n"
_HEAD: Final = re.compile(
    rb"(GET|HEAD) ([!-~]+) HTTP/1\.([01])\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_ELSEWHERE: Final = frozenset({"content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"})
_REASONS: Final = {int(status): status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """The head of a request without a body."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    """Names in lower case."""
    last: bool
    """The client wants no further answer on this connection."""
    size: int
    """How many bytes it takes."""


def plain_request(data: bytes) -> PlainRequest | None:
    """The request that these bytes begin with; None when it is not as plain as that."""
    match = _HEAD.match(data)
    if match is None:
        return None
    headers = []
    names = set()
    last = match[3] == b"0"
    for line in match[4].decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in _ELSEWHERE or (name in names and name == "host"):
            return None
        if name == "connection":
            if value.lower() not in ("close", "keep-alive"):
                return None
            last = last or value.lower() == "close"
        names.add(name)
        headers.append((name, value))
    if "host" not in names and match[3] == b"1":
        return None
    return PlainRequest(match[1].decode(), match[2].decode(), tuple(headers), last, match.end())


def response_bytes(response: HttpResponse, date: str, *, close: bool) -> bytes:
    """A response as it goes over the wire; the head of it in one piece with the body."""
    lines = [f"HTTP/1.1 {response.status} {_REASONS[response.status]}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in response.headers]
    lines.append(f"date: {date}\r\n")
    if response.status != HTTPStatus.NOT_MODIFIED:
        lines.append(f"content-length: {response.body_length}\r\n")
    if close:
        lines.append("connection: close\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1", "replace") + response.body
