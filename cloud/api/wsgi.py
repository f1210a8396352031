"""Serve the Chalice app with any threaded WSGI server, together with the portal and the installer's files.

Routing, authorizers and CORS preflight are Chalice's own local gateway, so that one machine and API Gateway behave
alike. Order: the installer's files, the portal's files, a browser asking for a page (the portal's index), the API.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LambdaEventConverter, LocalChalice, LocalGateway, LocalGatewayException, RouteMatcher
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from whitenoise import WhiteNoise

from cloud.api.chalicelib.authorizer import Unauthorized
from cloud.api.chalicelib.problem import Problem, problem_of_status, problem_response
from cloud.api.chalicelib.sound_parts import SOUND
from cloud.api.uploads import UploadedObjects, Uploads
from contract.snapshot import MAX_BLOB_BYTES

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request body; more is answered 413."""
LAMBDA_SECONDS: Final = 29
_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
Headers = Sequence[tuple[str, str]]

StartResponse = Callable[..., Any]
Environ = dict[str, Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_source_address: ContextVar[str] = ContextVar("source_address", default="")


class _Converter(LambdaEventConverter):
    """The local event with what a real one has besides: the client's address, method, path and stage."""

    def create_lambda_event(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> dict[str, Any]:
        event: dict[str, Any] = super().create_lambda_event(method, path, headers, body)
        context = event["requestContext"]
        context["identity"]["sourceIp"] = _source_address.get()
        context["stage"] = ""
        return {**event, "httpMethod": method, "path": context["path"]}


class ChaliceWsgi:
    """A Chalice app as a WSGI application, safe for any number of threads."""

    def __init__(self, app: Chalice) -> None:
        # A current_request per thread, exactly as `chalice local` does it.
        app.__class__ = type(f"ThreadSafe{type(app).__name__}", (LocalChalice, type(app)), {})
        self._gateway = LocalGateway(app, Config.create(lambda_timeout=LAMBDA_SECONDS))
        self._gateway.event_converter = _Converter(RouteMatcher(list(app.routes)), app.api.binary_types)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        token = _source_address.set(environ.get("REMOTE_ADDR", ""))
        try:
            status, headers, body = self._answer(environ)
        finally:
            _source_address.reset(token)
        if status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            body = b""
            headers = [(name, value) for name, value in headers if name.lower() != "content-type"]
        else:
            headers.append(("Content-Length", str(len(body))))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            if length > MAX_BODY:
                return _of_problem(problem_of_status(413))
            body = environ["wsgi.input"].read(length).decode() if length > 0 else None
        except ValueError:  # no number, or no UTF-8
            return _of_problem(problem_of_status(400))
        query = environ.get("QUERY_STRING")
        target = environ.get("PATH_INFO", "/") + (f"?{query}" if query else "")
        method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
        headers = _headers(environ)
        if target.startswith("/listening/"):
            # As CloudFront does: the gateway gives bytes only to who asks for them, and a player asks for anything.
            headers["Accept"] = SOUND
        try:
            response = self._gateway.handle_request(method, target, headers, body)
        except Unauthorized:
            return _of_problem(problem_of_status(401))
        except LocalGatewayException as refused:
            return _of_problem(_gateway_problem(refused))
        content = response["body"] or ""
        raw = base64.b64decode(content) if response.get("isBase64Encoded") else content.encode()
        return response["statusCode"], _flat({**response["headers"], **response["multiValueHeaders"]}), raw


def _gateway_problem(refused: LocalGatewayException) -> Problem:
    # The gateway says 403 to an unknown path and 401 to a missing token; only its authorizer says AccessDenied.
    if refused.CODE == HTTPStatus.FORBIDDEN and "AccessDenied" not in str(refused.headers):
        return problem_of_status(404)
    return problem_of_status(refused.CODE)


def _of_problem(problem: Problem) -> tuple[int, list[tuple[str, str]], bytes]:
    response = problem_response(problem)
    return response.status_code, _flat(response.headers), response.body.encode()


def _headers(environ: Environ) -> dict[str, str]:
    headers = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    return headers


def _flat(headers: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, str(one)) for name, value in headers.items() for one in (value if isinstance(value, list) else [value])
    ]


def page_headers(objects_origin: str | None) -> Headers:
    """What CloudFront says with the portal in AWS; a page's own meta element cannot forbid frames.

    Args:
        objects_origin: where pages bring large files, beside the API; None: nowhere else.
    """
    policy = _POLICY if objects_origin is None else f"{_POLICY}; connect-src 'self' {objects_origin}"
    return (
        ("Content-Security-Policy", policy),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
    )


class PortalPages:
    """Sends a browser that asks for a page to the portal's index; every other request goes on to the API.

    The portal's addresses and the API's are the same words (`/sites`): a browser that navigates asks for text/html,
    a program does not.

    Args:
        api: what answers everything else.
        index: the portal's first page.
        headers: said with it.
    """

    def __init__(self, api: Wsgi, index: Path, headers: Headers) -> None:
        self._api = api
        self._headers = headers
        self._index = index.read_bytes()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        wants_page = environ["REQUEST_METHOD"] in {"GET", "HEAD"} and "text/html" in environ.get("HTTP_ACCEPT", "")
        if not wants_page or environ.get("PATH_INFO", "/") in {"/openapi.json", "/health", "/ca.pem"}:
            return self._api(environ, start_response)
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(self._index))),
            ("Cache-Control", "no-cache"),
            ("Vary", "Accept"),
            *self._headers,
        ]
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self._index]


def make_wsgi(
    app: Chalice,
    portal_dir: Path | None = None,
    installer_dir: Path | None = None,
    uploads: Uploads | None = None,
    objects_origin: str | None = None,
) -> Wsgi:
    """The API with what stands beside it on one machine.

    Args:
        portal_dir: the built portal; None (or a folder without index.html) when there is none.
        installer_dir: holds `install.sh` and whatever it fetches: `agent/…` and `bundles/…` appear at
            `/agent/…` and `/bundles/…`, `install.sh` at `/install.sh`.
        uploads: what takes large files; None: nothing does.
        objects_origin: the bucket's, where the portal brings large files instead.
    """
    wsgi: Wsgi = ChaliceWsgi(app)
    if portal_dir is not None and (portal_dir / "index.html").is_file():
        treatment = page_headers(objects_origin)

        def say_how_to_treat(headers: Any, _path: str, _url: str) -> None:
            """WhiteNoise's own way to add headers to a file; `/index.html` is a page as well."""
            for name, value in treatment:
                headers[name] = value

        pages = PortalPages(wsgi, portal_dir / "index.html", treatment)
        wsgi = WhiteNoise(pages, root=str(portal_dir), index_file=False, add_headers_function=say_how_to_treat)
    if installer_dir is not None:
        wsgi = InstallerFiles(wsgi, installer_dir)
    if uploads is not None:
        wsgi = UploadedObjects(wsgi, uploads)
    return wsgi


class InstallerFiles:
    """`/install.sh`, `/agent/…` and `/bundles/…` from a folder that may be filled while we run."""

    PREFIXES: Final = ("/agent/", "/bundles/")

    def __init__(self, following: Wsgi, folder: Path) -> None:
        self._following = following
        self._folder = folder.resolve()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not (
            path == "/install.sh" or path.startswith(self.PREFIXES)
        ):
            return self._following(environ, start_response)
        file = (self._folder / path.lstrip("/")).resolve() if "\x00" not in path else self._folder
        if not file.is_relative_to(self._folder) or not file.is_file():
            status, headers, body = _of_problem(problem_of_status(404))
            start_response(f"{status} Not Found", [*headers, ("Content-Length", str(len(body)))])
            return [body]
        kind = {".sh": "text/x-shellscript", ".json": "application/json", ".txt": "text/plain"}.get(file.suffix)
        headers = [
            ("Content-Type", kind or "application/octet-stream"),
            ("Content-Length", str(file.stat().st_size)),
            ("Cache-Control", "no-cache"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start_response("200 OK", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        return _blocks(file)


def _blocks(file: Path, size: int = 256 * 1024) -> Iterable[bytes]:
    with file.open("rb") as stream:
        while block := stream.read(size):
            yield block


def make_server(
    wsgi: Wsgi, host: str, port: int, threads: int = 16, certificate: tuple[Path, Path] | None = None
) -> Server:
    """A server that listens once `prepare()` was called and answers in `serve()` until `stop()`.

    Args:
        port: 0 takes a free one; `server.bind_addr` tells it after `prepare()`.
        threads: requests that are answered at once.
        certificate: PEM files of a TLS certificate (with its chain) and its key; None: plain HTTP.
    """
    server = Server((host, port), wsgi, numthreads=threads, server_name="tandem")
    # The API itself takes MAX_BODY; the rest is for files that are brought.
    server.max_request_body_size = MAX_BLOB_BYTES
    server.max_request_header_size = 64 * 1024
    if certificate is not None:
        server.ssl_adapter = BuiltinSSLAdapter(*map(str, certificate))
    return server
