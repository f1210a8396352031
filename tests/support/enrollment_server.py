"""A cloud that does nothing but enroll edges, over TLS on loopback; what it answers is the test's business."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cloud.pbx.authority import Authority
from cloud.pbx.enrollment import code_text
from tests.support.real_hub import server_certificate


@dataclass
class EnrollmentServer:
    """What is served, and what was asked for.

    Args:
        authority: issued the server's certificate; served at /ca.pem unless `ca_pem` says otherwise.
        port: TCP.
    """

    authority: Authority
    port: int
    status: int = 201
    answer: dict[str, Any] | bytes = field(default_factory=dict)
    ca_pem: bytes | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    def code(self, token: str = "one-time-token") -> str:
        """A code that leads here."""
        return code_text(f"https://127.0.0.1:{self.port}", self.authority.fingerprint, token)


@contextmanager
def enrollment_server(authority: Authority, folder: Path) -> Iterator[EnrollmentServer]:
    """Serve until the block ends."""
    served = EnrollmentServer(authority, 0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.ca_pem if served.ca_pem is not None else authority.certificate_pem.encode()
            self._answer(200 if self.path == "/ca.pem" else 404, content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.requests.append({"path": self.path, **json.loads(body)})
            answer = served.answer
            self._answer(served.status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that breaks the handshake off is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = server_certificate(authority, folder).context.wrap_socket(server.socket, server_side=True)
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
