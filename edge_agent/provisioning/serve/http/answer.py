"""From a request to its response: methods, conditions and ranges (RFC 9110). No sockets, no clock."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from edge_agent.provisioning.access import Refusal
from edge_agent.provisioning.firmware import StoredFile
from edge_agent.provisioning.render import RenderedFile
from edge_agent.provisioning.serve.desk import Desk, Question
from edge_agent.provisioning.serve.http.credentials import Claim, Passwords
from edge_agent.provisioning.uploads import UploadRefused, Uploads

MAX_TARGET: Final = 1024
ALLOWED: Final = ("GET", "HEAD")
UPLOADS: Final = ("PUT", "POST")

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
    body: bytes = field(default=b"", repr=False)
    secure: bool = False
    """Whether it came over TLS."""
    certificate_of: str = ""
    """The MAC address in the client's certificate, which was checked."""

    def header(self, name: str) -> str:
        """A header's value; several of one name are joined by commas; empty when there is none."""
        return ", ".join(value for each, value in self.headers if each == name)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """Some or all of a file on the disk."""

    file: StoredFile
    part: range


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response; `Content-Length`, `Date` and `Connection` are the server's business."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    body_length: int = 0
    """What `Content-Length` says: longer than `body` in the answer to HEAD."""
    stored: "StoredPart | None" = None
    """What is sent from the disk in place of `body`; None: nothing is."""


@dataclass(frozen=True, slots=True)
class Service:
    """What stands behind the answers: which files there are, whose passwords, and where uploads go."""

    desk: Desk
    passwords: Passwords | None = None
    uploads: Uploads | None = None


def needs_disk(target: str, desk: Desk) -> bool:
    """Whether the answer to a request for this target may come from the disk, and take its time."""
    name = _name(target)
    return name is not None and desk.may_be_stored(name)


def respond(request: HttpRequest, service: Service, now: float = 0.0) -> HttpResponse:
    """The response to a request.

    Args:
        now: seconds, wall time.
    """
    upload = request.method in UPLOADS and service.uploads is not None
    if request.method not in ALLOWED and not upload:
        allowed = (*ALLOWED, *(UPLOADS if service.uploads is not None else ()))
        return _text(request, 405, "Method Not Allowed", (("allow", ", ".join(allowed)),))
    name = _name(request.target)
    if name is None:
        return _text(request, 404, "Not Found")
    claim = Claim()
    if service.passwords is not None and (header := request.header("authorization")):
        claim = service.passwords.check(header, request.method, request.target, request.address, now)
    question = Question(
        name,
        request.address,
        "https" if request.secure else "http",
        request.header("user-agent"),
        certificate_of=request.certificate_of,
        password_of=claim.mac,
        wrong_password=claim.wrong,
    )
    if upload:
        return _take(request, service, question, now)
    answer = service.desk.ask(question)
    if isinstance(answer, RenderedFile):
        return _file(request, answer)
    if isinstance(answer, StoredFile):
        return _stored(request, answer)
    return _refusal(request, service, answer, now)


def _refusal(request: HttpRequest, service: Service, why: Refusal, now: float) -> HttpResponse:
    match why:
        case Refusal.TOO_MANY_GUESSES | Refusal.TOO_MANY_REQUESTS:
            wait = "600" if why is Refusal.TOO_MANY_GUESSES else "60"
            return _text(request, 429, "Too Many Requests", (("retry-after", wait),))
        case Refusal.PROOF_NEEDED | Refusal.WRONG_PASSWORD if service.passwords is not None:
            challenges = service.passwords.challenges(request.address, now)
            if not request.secure:
                challenges = challenges[:-1]  # a password by Basic would go over the network in clear
            return _text(request, 401, "Unauthorized", tuple(("www-authenticate", each) for each in challenges))
        case _:
            # Why is the portal's business; a stranger learns nothing from the difference.
            return _text(request, 404, "Not Found")


def _take(request: HttpRequest, service: Service, question: Question, now: float) -> HttpResponse:
    """Keep what a phone sends."""
    if service.uploads is None or service.desk.library.find(question.name) is not None:
        return _text(request, 403, "Forbidden")  # what we give, nobody replaces
    device_id = service.desk.may_upload(question)
    if isinstance(device_id, Refusal):
        return _refusal(request, service, device_id, now)
    try:
        service.uploads.keep(device_id, question.name, request.body)
    except UploadRefused:
        return _text(request, 403, "Forbidden")
    except OSError:
        return _text(request, 507, "Insufficient Storage")
    return _text(request, 201, "Created")


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
    part = _range(request, file.etag, len(file.body))
    if part is None:
        return _with_body(request, 200, headers, file.body)
    if part.start >= part.stop:
        return _text(request, 416, "Range Not Satisfiable", (("content-range", f"bytes */{len(file.body)}"),))
    place = ("content-range", f"bytes {part.start}-{part.stop - 1}/{len(file.body)}")
    return _with_body(request, 206, (*headers, place), file.body[part.start : part.stop])


def _stored(request: HttpRequest, file: StoredFile) -> HttpResponse:
    """A file on the disk: it holds no secret, and its name never means other bytes."""
    headers: Headers = (("etag", file.etag), ("cache-control", "no-cache"), ("accept-ranges", "bytes"))
    if _matches(request.header("if-none-match"), file.etag):
        return HttpResponse(304, headers)
    headers = (*headers, ("content-type", "application/octet-stream"), ("x-content-type-options", "nosniff"))
    part = _range(request, file.etag, file.size_bytes)
    if part is not None and part.start >= part.stop:
        return _text(request, 416, "Range Not Satisfiable", (("content-range", f"bytes */{file.size_bytes}"),))
    if part is not None:
        headers = (*headers, ("content-range", f"bytes {part.start}-{part.stop - 1}/{file.size_bytes}"))
    sent = part if part is not None else range(file.size_bytes)
    stored = StoredPart(file, sent) if request.method == "GET" else None
    return HttpResponse(200 if part is None else 206, headers, b"", len(sent), stored)


def _range(request: HttpRequest, etag: str, size: int) -> range | None:
    """The bytes asked for (RFC 9110 §14.2); None means all; an empty range cannot be satisfied."""
    text = request.header("range")
    match = _RANGE.fullmatch(text)
    if request.method != "GET" or match is None or match[1] == match[2] == "":
        return None  # a server may ignore Range, and several ranges are not worth their parts
    condition = request.header("if-range")
    if condition and condition.strip() != etag:
        return None
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
