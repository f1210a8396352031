"""A stand-in for one bucket of S3, which holds clients to what their requests have signed.

No S3: objects in memory, no listing, no parts. What it does as S3 documents it: it computes the signature (Signature
Version 4, of headers or of a presigned address) from the request as it came, refuses what is not signed, has lapsed or
lacks a signed header, compares bodies with their SHA-256 checksum, answers ranges, and keeps versions.
"""

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

ACCESS_KEY: Final = "AKIDSTANDIN"
SECRET_KEY: Final = "a secret of the stand-in"
CORS_HEADERS: Final = frozenset({"content-type", "x-amz-checksum-sha256"})
"""Those that the bucket's CORS rule allows."""


class _Version(NamedTuple):
    name: str
    content: bytes | None


@dataclass
class S3StandIn:
    """The bucket's state, and what was asked of it.

    Args:
        url: where it listens.
        refusals: the codes of the errors that it answered.
        gets: the ranges that were asked for.
        down: answer 503 to everything.
        portal_origin: whose pages may bring objects, as the bucket's CORS rule in infra/terraform says it.
    """

    url: str = ""
    versions: dict[str, list[_Version]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)
    down: bool = False
    portal_origin: str = ""


def logged_in(environment: pytest.MonkeyPatch, bucket: S3StandIn) -> None:
    """Give this process what a role's has in AWS: a log-in, a region, and where S3 is."""
    environment.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    environment.setenv("AWS_ENDPOINT_URL_S3", bucket.url)


@contextmanager
def running_s3() -> Iterator[S3StandIn]:
    """A stand-in that listens on this machine."""
    state = S3StandIn()

    class Handler(_Handler):
        bucket = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    bucket: S3StandIn
    protocol_version = "HTTP/1.1"

    def do_OPTIONS(self) -> None:
        """A browser asks before it sends another site's page's PUT (the Fetch standard, *CORS-preflight fetch*)."""
        asked = {one.strip().lower() for one in self.headers.get("Access-Control-Request-Headers", "").split(",")}
        method = self.headers.get("Access-Control-Request-Method")
        origin = self.headers.get("Origin")
        if origin != self.bucket.portal_origin or method != "PUT" or not asked <= CORS_HEADERS | {""}:
            self._error(403, "AccessForbidden")
            return
        allowed = {"Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Headers": ", ".join(CORS_HEADERS)}
        self._answer(200, headers=allowed)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        checksum = self.headers.get("x-amz-checksum-sha256", "")
        if self._refused(body):
            return
        if base64.b64encode(hashlib.sha256(body).digest()).decode() != checksum:
            self._error(400, "BadDigest")
            return
        kept = self.bucket.versions.setdefault(self._key(), [])
        kept.append(_Version(str(len(kept)), body))
        self._answer(200)

    def do_GET(self) -> None:
        content = self._found()
        if content is None:
            return
        asked = self.headers.get("Range", "")
        self.bucket.gets.append(asked)
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        if found is None:
            self._answer(200, content)
            return
        first, last = int(found[1]), int(found[2] or len(content))
        if first >= len(content):
            self._error(416, "InvalidRange")
            return
        piece = content[first : last + 1]
        self._answer(206, piece, {"Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"})

    def do_HEAD(self) -> None:
        content = self._found()
        if content is not None:
            self._answer(200, content)

    def do_DELETE(self) -> None:
        if not self._refused(b""):
            kept = self.bucket.versions.setdefault(self._key(), [])
            kept.append(_Version(str(len(kept)), None))
            self._answer(204)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that the base class has
        """Nothing is logged."""

    def _found(self) -> bytes | None:
        if self._refused(b""):
            return None
        kept = self.bucket.versions.get(self._key(), [])
        wanted = dict(parse_qsl(urlsplit(self.path).query)).get("versionId")
        chosen = next((one for one in kept if one.name == wanted), None) if wanted else (kept[-1] if kept else None)
        if chosen is None or chosen.content is None:
            self._error(404, "NoSuchKey")
            return None
        self._version = chosen.name
        return chosen.content

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status in {200, 206} and self.command in {"GET", "HEAD"}:
            self.send_header("x-amz-version-id", self._version)
        if self.headers.get("Origin") == self.bucket.portal_origin:
            self.send_header("Access-Control-Allow-Origin", self.bucket.portal_origin)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self.bucket.refusals.append(code)
        self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())

    def _refused(self, body: bytes) -> bool:
        code = "SlowDown" if self.bucket.down else self._wrong(body)
        if code:
            self._error(503 if self.bucket.down else 403, code)
        return bool(code)

    def _wrong(self, body: bytes) -> str:
        """What is wrong with the request's signature; empty: nothing (docs: *Authenticating Requests*, SigV4)."""
        target = urlsplit(self.path)
        query = parse_qsl(target.query, keep_blank_values=True)
        given = dict(query)
        if "X-Amz-Signature" in given:
            credential, moment = given["X-Amz-Credential"], given["X-Amz-Date"]
            signed, signature, payload = given["X-Amz-SignedHeaders"], given["X-Amz-Signature"], "UNSIGNED-PAYLOAD"
            end = _moment(moment) + timedelta(seconds=int(given["X-Amz-Expires"]))
            if datetime.now(UTC) > end:
                return "AccessDenied"
        else:
            told = dict(re.findall(r"(\w+)=([^,]+)", self.headers.get("Authorization", "")))
            if not {"Credential", "SignedHeaders", "Signature"} <= told.keys():
                return "AccessDenied"
            credential, signed, signature = told["Credential"], told["SignedHeaders"], told["Signature"]
            moment, payload = self.headers["x-amz-date"], self.headers["x-amz-content-sha256"]
            if payload not in {"UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()}:
                return "XAmzContentSHA256Mismatch"
        names = signed.split(";")
        # Whatever S3 acts upon must be signed.
        if any(name.lower().startswith("x-amz-") and name.lower() not in names for name in self.headers):
            return "AccessDenied"
        canonical = "\n".join(
            [
                self.command,
                quote(unquote(target.path)),
                "&".join(
                    f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
                    for name, value in sorted(query)
                    if name != "X-Amz-Signature"
                ),
                *(f"{name}:{' '.join(self.headers.get(name, '').split())}" for name in names),
                "",
                signed,
                payload,
            ]
        )
        key_id, *scope = credential.split("/")
        key = f"AWS4{SECRET_KEY}".encode()
        for part in scope:
            key = hmac.digest(key, part.encode(), "sha256")
        text = "\n".join(["AWS4-HMAC-SHA256", moment, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
        right = hmac.new(key, text.encode(), "sha256").hexdigest()
        return "" if (key_id, signature) == (ACCESS_KEY, right) else "SignatureDoesNotMatch"


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
