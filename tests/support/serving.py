"""A WSGI application on a port of this machine, as it is served for real."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud.api.wsgi import Wsgi, make_server


@contextmanager
def serving(wsgi: Wsgi, certificate: tuple[Path, Path] | None = None) -> Iterator[tuple[str, int]]:
    """The application behind cheroot on a free port of this machine."""
    server = make_server(wsgi, "127.0.0.1", 0, threads=4, certificate=certificate)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.bind_addr
    finally:
        server.stop()
        thread.join(timeout=10)
