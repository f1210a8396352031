"""`python -m cloud.api openapi|bootstrap|serve`: print the description, make the first account, serve over HTTP."""

import argparse
import getpass
import json
import sys

from pydantic import SecretStr

from cloud.api.app import create_app, make_api, make_services
from cloud.api.chalicelib.openapi import describe
from cloud.api.settings import read_settings
from cloud.clock import SystemClock
from cloud.pbx.accounts import ensure_platform_admin
from cloud.pbx.audit import Actor
from cloud.pbx.database import PLATFORM
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Invalid
from cloud.tokens import SystemTokens


def openapi_text() -> str:
    """The OpenAPI document as it is checked in (tests/golden/openapi.json)."""
    return json.dumps(describe(make_api()), indent=2, ensure_ascii=False) + "\n"


def _bootstrap(email: str, password: SecretStr) -> str:
    """Harmless when the account is there."""
    services = make_services(read_settings())
    try:
        with services.database.session(PLATFORM) as session:
            desk = Desk(session, Actor("bootstrap"), services.clock, services.tokens, services.keys)
            made = ensure_platform_admin(desk, services.gate.passwords, email, password)
    finally:
        services.database.close()
    return f"{email} can log in" if made else f"{email} has an account already; nothing was changed"


def _serve(host: str, port: int) -> None:
    from cloud.api.uploads import outside_origin, uploads_of
    from cloud.api.wsgi import make_server, make_wsgi

    settings = read_settings()
    clock = SystemClock()
    uploads = uploads_of(settings, clock, SystemTokens(clock))
    origin = outside_origin(settings, clock)
    wsgi = make_wsgi(create_app(settings), settings.portal_dir, settings.installer_dir, uploads, origin)
    server = make_server(wsgi, host, port)
    try:
        server.start()
    except KeyboardInterrupt:
        server.stop()


def main() -> None:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m cloud.api", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("openapi", help="print the OpenAPI document")
    bootstrap = commands.add_parser("bootstrap", help="make the first platform administrator; asks for the password")
    bootstrap.add_argument("email")
    serve = commands.add_parser("serve", help="serve the API over HTTP")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8080)
    wanted = parser.parse_args()
    match wanted.command:
        case "openapi":
            sys.stdout.write(openapi_text())
        case "bootstrap":
            secret = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
            try:
                said = _bootstrap(wanted.email, SecretStr(secret))
            except Invalid as refused:
                sys.exit("; ".join(f"{problem.field}: {problem.message}" for problem in refused.problems))
            sys.stdout.write(f"{said}\n")
        case _:
            _serve(wanted.host, wanted.port)


if __name__ == "__main__":
    main()
