"""PUT /objects/{tenant}/{digest}: where clients bring large files on one machine, as they do to S3 in AWS.

Bytes go from the socket to the store in pieces, past Chalice, whose bodies are small and in memory.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from uuid import UUID

from cloud.api.chalicelib.problem import Problem, problem_response
from cloud.api.settings import Settings
from cloud.clock import Clock
from cloud.objects import (
    CHUNK_BYTES,
    TICKET_HEADER,
    FolderStore,
    ObjectTooLarge,
    ObjectUnlikeItsDigest,
    S3Places,
    SignedPlaces,
    s3_client,
)
from cloud.tokens import Tokens

_PATH: Final = re.compile(r"/objects/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9a-f]{64})")
_TICKET: Final = "HTTP_" + TICKET_HEADER.upper().replace("-", "_")

StartResponse = Callable[..., Any]
Environ = dict[str, Any]


class Uploads(NamedTuple):
    """What takes uploads on one machine."""

    store: FolderStore
    places: SignedPlaces


def uploads_of(settings: Settings, clock: Clock, tokens: Tokens) -> Uploads | None:
    """What the settings say of a folder of large files; None: there is none."""
    if settings.objects_folder is None:
        return None
    places = SignedPlaces(settings.public_url, settings.token_key.get_secret_value(), clock)
    return Uploads(FolderStore(settings.objects_folder, tokens), places)


def outside_origin(settings: Settings, clock: Clock) -> str | None:
    """Where browsers bring large files when that is not the API itself: to the bucket, past this process."""
    if settings.objects_bucket is None:
        return None
    return S3Places(settings.objects_bucket, s3_client(), clock).origin


class _Cut(Exception):
    """The client ended before all was there."""


class UploadedObjects:
    """A WSGI application in front of the API that takes uploads, and passes everything else on.

    Args:
        following: what answers everything else.
        uploads: where objects go, and whose tickets let clients in.
    """

    def __init__(self, following: Callable[[Environ, StartResponse], Iterable[bytes]], uploads: Uploads) -> None:
        self._following = following
        self._store, self._places = uploads

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        if found is None or environ["REQUEST_METHOD"] != "PUT":
            return self._following(environ, start_response)
        problem = self._take(environ, UUID(found[1]), found[2])
        if problem is None:
            start_response("204 No Content", [])
            return []
        response = problem_response(problem)
        body = response.body.encode()
        headers = [(name, str(value)) for name, value in response.headers.items()]
        # What is left of the body is not read, so the connection cannot be used again.
        headers += [("Content-Length", str(len(body))), ("Connection", "close")]
        start_response(f"{problem.status} {HTTPStatus(problem.status).phrase}", headers)
        return [body]

    def _take(self, environ: Environ, tenant_id: UUID, digest: str) -> Problem | None:
        length = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdigit() and len(length) < 12):
            return Problem(411, "length-required", "Say by Content-Length how many bytes the file has")
        size = int(length)
        if not self._places.admits(tenant_id, digest, size, environ.get(_TICKET, "")):
            return Problem(
                403, "forbidden", f"{TICKET_HEADER} does not allow this file with {size} bytes here, or no longer"
            )
        try:
            self._store.put(tenant_id, _pieces(environ["wsgi.input"], size), limit_bytes=size, announced=digest)
        except ObjectUnlikeItsDigest as error:
            return Problem(422, "invalid", str(error))
        except (ObjectTooLarge, _Cut):
            return Problem(400, "bad-request", f"Other than the {size} bytes came that were announced")
        return None


def _pieces(stream: Any, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = stream.read(min(left, CHUNK_BYTES))
        if not piece:
            raise _Cut
        left -= len(piece)
        yield piece
