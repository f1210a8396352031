"""An HTTP server that receives webhooks as a test scripts it: it keeps what arrives and answers what the test says."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What to answer: status, headers, body; `hold` keeps the peer waiting until it is set."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hold: threading.Event | None = None


class ScriptedReceiver:
    """Keeps requests in `received`; answers with `answers` in turn, then with 200."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?site=1"
        self.received: list[Received] = []
        self.answers: deque[Answer] = deque()


@contextmanager
def scripted_receiver() -> Iterator[ScriptedReceiver]:
    """A receiver on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.received.append(Received(self.path, dict(self.headers.items()), body))
            answer = receiver.answers.popleft() if receiver.answers else Answer()
            if answer.hold is not None:
                answer.hold.wait(30)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            with suppress(BrokenPipeError, ConnectionResetError):  # the peer may have given up
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            return  # keep quiet

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = ScriptedReceiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
