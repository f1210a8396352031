"""From a request to its response: methods, conditions and ranges (RFC 9110). No sockets, no clock."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from edge_agent.provisioning.render import RenderedFile
from edge_agent.provisioning.serve.desk import Desk, Question, Refusal

MAX_TARGET: Final = 1024
ALLOWED: Final = ("GET", "HEAD")

Headers = tuple[tuple[str, str], ...]

_ENTITY_TAG = re.compile(r'\s*(?:W/)?("[^"]*")\s*')
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """The head of a request."""

    method: str
    target: str
    address: str
    """The client's IP address."""
    headers: Headers = ()
    """Names in lower case."""

    def header(self, name: str) -> str:
        """A header's value; several of one name are joined by commas; empty when there is none."""
        return ", ".join(value for each, value in self.headers if each == name)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response; `Content-Length`, `Date` and `Connection` are the server's business."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    body_length: int = 0
    """What `Content-Length` says: longer than `body` in the answer to HEAD."""


def respond(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The response to a request."""
    if request.method not in ALLOWED:
        return _text(request, 405, "Method Not Allowed", (("allow", ", ".join(ALLOWED)),))
    name = _name(request.target)
    if name is None:
        return _text(request, 404, "Not Found")
    question = Question(name, request.address, "http", request.header("user-agent"))
    answer = desk.ask(question)
    match answer:
        case RenderedFile():
            return _file(request, answer)
        case Refusal.TOO_MANY_GUESSES:
            return _text(request, 429, "Too Many Requests", (("retry-after", "600"),))
        case Refusal.NO_SUCH_FILE | Refusal.UNKNOWN_PHONE:
            return _text(request, 404, "Not Found")


def error_response(status: int, reason: str) -> HttpResponse:
    """A response to something that was no request."""
    body = f"{reason}\n".encode()
    return HttpResponse(status, (("content-type", "text/plain; charset=utf-8"),), body, len(body))


def _name(target: str) -> str | None:
    """The file that a target names (RFC 9112 §3.2), without its query; None when it names none."""
    if len(target) > MAX_TARGET:
        return None
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if not path.startswith("/"):
        return None
    name = unquote_to_bytes(path).decode("utf-8", "replace").lstrip("/")
    return name if name and name.isprintable() else None


def _file(request: HttpRequest, file: RenderedFile) -> HttpResponse:
    headers: Headers = (
        ("etag", file.etag),
        ("cache-control", "private, no-cache" if file.device_id is not None else "no-cache"),
        ("accept-ranges", "bytes"),
    )
    if _matches(request.header("if-none-match"), file.etag):
        return HttpResponse(304, headers)
    headers = (*headers, ("content-type", file.content_type), ("x-content-type-options", "nosniff"))
    part = _range(request, file)
    if part is None:
        return _with_body(request, 200, headers, file.body)
    if part.start >= part.stop:
        return _text(request, 416, "Range Not Satisfiable", (("content-range", f"bytes */{len(file.body)}"),))
    place = ("content-range", f"bytes {part.start}-{part.stop - 1}/{len(file.body)}")
    return _with_body(request, 206, (*headers, place), file.body[part.start : part.stop])


def _range(request: HttpRequest, file: RenderedFile) -> range | None:
    """The bytes asked for (RFC 9110 §14.2); None means all; an empty range cannot be satisfied."""
    text = request.header("range")
    match = _RANGE.fullmatch(text)
    if request.method != "GET" or match is None or match[1] == match[2] == "":
        return None  # a server may ignore Range, and several ranges are not worth their parts
    condition = request.header("if-range")
    if condition and condition.strip() != file.etag:
        return None
    size = len(file.body)
    if match[1] == "":
        return range(max(0, size - int(match[2])), size)
    first = int(match[1])
    if match[2] and int(match[2]) < first:
        return None
    return range(first, min(int(match[2]) + 1, size) if match[2] else size)


def _matches(condition: str, etag: str) -> bool:
    """Whether `If-None-Match` names this entity tag, by weak comparison (RFC 9110 §8.8.3.2)."""
    if condition.strip() == "*":
        return True
    return etag in _tags(condition)


def _tags(condition: str) -> Iterable[str]:
    return [match[1] for match in _ENTITY_TAG.finditer(condition)]


def _text(request: HttpRequest, status: int, reason: str, headers: Headers = ()) -> HttpResponse:
    content_type = ("content-type", "text/plain; charset=utf-8")
    return _with_body(request, status, (*headers, content_type), f"{reason}\n".encode())


def _with_body(request: HttpRequest, status: int, headers: Headers, body: bytes) -> HttpResponse:
    return HttpResponse(status, headers, b"" if request.method == "HEAD" else body, len(body))
