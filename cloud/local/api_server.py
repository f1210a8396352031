"""`python -m cloud.local.api_server`: the API with the portal, over HTTP for this machine and TLS for edges."""

import os
import signal
import sys
import threading
from pathlib import Path

from cheroot.ssl.builtin import BuiltinSSLAdapter

from cloud.api.app import create_app
from cloud.api.settings import WrongSettings, read_settings
from cloud.api.uploads import outside_origin, uploads_of
from cloud.api.wsgi import make_server, make_wsgi
from cloud.clock import SystemClock
from cloud.logs import write_logs
from cloud.tokens import SystemTokens


def main() -> int:
    """Serve until SIGTERM. Arguments: host, HTTP port, TLS port, certificate file, key file."""
    write_logs()
    host, port, tls_port, certificate, key = sys.argv[1:6]
    try:
        settings = read_settings()
    except WrongSettings as problem:
        print(problem, file=sys.stderr)
        return 2
    clock = SystemClock()
    uploads = uploads_of(settings, clock, SystemTokens(clock))
    origin = outside_origin(settings, clock)
    wsgi = make_wsgi(create_app(settings), settings.portal_dir, settings.installer_dir, uploads, origin)
    plain = make_server(wsgi, host, int(port))
    secure = make_server(wsgi, host, int(tls_port))
    secure.ssl_adapter = BuiltinSSLAdapter(str(Path(certificate)), str(Path(key)))
    servers = (plain, secure)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    for server in servers:
        server.prepare()
        threading.Thread(target=server.serve, daemon=True).start()
    print("ready {}", flush=True)
    stop.wait()
    for server in servers:
        server.stop()
    # Handlers that still wait for something must not keep the process from ending.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
