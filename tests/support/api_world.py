"""The whole API on a test's own database, called as WSGI without sockets, with an account for each role."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from pydantic import SecretBytes, SecretStr

from cloud.api.app import make_app
from cloud.api.chalicelib.listening_tickets import ListeningTickets
from cloud.api.chalicelib.services import Ca, HubAddress, Services
from cloud.api.chalicelib.tokens import AccessTokens
from cloud.api.uploads import Uploads
from cloud.api.wsgi import Wsgi, make_wsgi
from cloud.objects import FolderStore, SignedPlaces
from cloud.pbx.accounts import AccountFields, create_account
from cloud.pbx.audit import Actor
from cloud.pbx.authentication import FailureCounter, Gate
from cloud.pbx.authority import Authority
from cloud.pbx.blobs import Files
from cloud.pbx.database import PLATFORM
from cloud.pbx.desk import Desk
from cloud.pbx.passwords import Passwords
from contract.devices import load_catalogue
from tests.support.customers import TOKENS, Customer, HandClock, add_user, key_service, new_customer
from tests.support.postgres import Databases

QUOTA_BYTES = 1_000_000
"""Of large files of one tenant."""
PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class MemoryAuthorityStore:
    """Keeps the authority for as long as the test runs."""

    def __init__(self) -> None:
        self._pem: bytes | None = None

    def load(self) -> bytes | None:
        return self._pem

    def keep(self, pem: bytes) -> bytes:
        self._pem = self._pem or pem
        return self._pem


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def fields(self) -> set[str]:
        """The fields that a problem names."""
        return {problem["field"] for problem in self.json.get("problems", [])}


@dataclass
class Client:
    """Calls a WSGI application; `token` goes along as the bearer token."""

    wsgi: Wsgi
    token: str | None = None
    address: str = "192.0.2.1"
    headers: dict[str, str] = field(default_factory=dict)

    def as_(self, token: str | None) -> "Client":
        """The same, asking as somebody else."""
        return Client(self.wsgi, token, self.address)

    def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """One request; `body` is sent as JSON, `raw` as it is."""
        path, _, query = target.partition("?")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": self.address,
            "CONTENT_LENGTH": str(len(data)),
            "CONTENT_TYPE": "application/json" if data else "",
            "wsgi.input": io.BytesIO(data),
        }
        if self.token is not None:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        for name, value in {**self.headers, **(headers or {})}.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        seen: dict[str, Any] = {}

        def start_response(status: str, response_headers: list[tuple[str, str]], _error: Any = None) -> None:
            seen["status"] = int(status.split(maxsplit=1)[0])
            seen["headers"] = {name.lower(): value for name, value in response_headers}

        content = b"".join(self.wsgi(environ, start_response))
        return Answer(seen["status"], seen["headers"], content)

    def get(self, target: str, headers: dict[str, str] | None = None) -> Answer:
        return self.call("GET", target, headers=headers)

    def post(self, target: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return self.call("POST", target, body, headers)

    def put(self, target: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return self.call("PUT", target, body, headers)

    def patch(self, target: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        return self.call("PATCH", target, body, headers)

    def delete(self, target: str, headers: dict[str, str] | None = None) -> Answer:
        return self.call("DELETE", target, headers=headers)


@dataclass
class ApiWorld:
    """Two tenants of two providers, and who may log in."""

    databases: Databases
    clock: HandClock
    services: Services
    anyone: Client
    ours: Customer
    theirs: Customer
    user_id: UUID
    """The telephone user that the account `user@…` is for."""
    platform: Client
    msp: Client
    admin: Client
    """Administrator of our tenant."""
    user: Client
    stranger: Client
    """Administrator of their tenant."""

    def desk(self) -> Any:
        """A desk of the platform, within a transaction: `with world.desk() as desk`."""
        return _Desk(self)


class _Desk:
    def __init__(self, world: ApiWorld) -> None:
        self._transaction = world.services.database.session(PLATFORM)
        self._services = world.services

    def __enter__(self) -> Desk:
        session, services = self._transaction.__enter__(), self._services
        return Desk(session, Actor("test"), services.clock, services.tokens, services.keys)

    def __exit__(self, *error: Any) -> None:
        self._transaction.__exit__(*error)


def make_services(
    databases: Databases, clock: HandClock, folder: Path | None = None, files: Files | None = None
) -> Services:
    """The API's parts on a test's own database, with cheap passwords.

    Args:
        folder: for large files; None: there are none, unless
        files: says where else they are.
    """
    passwords = Passwords(CHEAP)
    gate = Gate(databases.api, clock, TOKENS, passwords, FailureCounter(clock))
    authority = Authority.open(MemoryAuthorityStore(), clock.now())
    return Services(
        database=databases.api,
        clock=clock,
        tokens=TOKENS,
        access=AccessTokens(SecretBytes(b"k" * 32), clock),
        listening=ListeningTickets(SecretBytes(b"k" * 32), clock, secure=False),
        gate=gate,
        keys=key_service(),
        catalogue=load_catalogue(),
        ca=Ca.of(authority.certificate_pem),
        hub=HubAddress("hub.tandem.test", 4433, "wss://hub.tandem.test/channel"),
        enrollment_url="https://api.tandem.test:8443",
        installer_url="https://api.tandem.test/install.sh",
        files=files or (Files(*uploads_in(folder, clock), QUOTA_BYTES) if folder is not None else None),
        insecure_webhooks=False,
    )


def uploads_in(folder: Path, clock: HandClock) -> Uploads:
    """What takes large files into a folder."""
    return Uploads(FolderStore(folder / "objects", TOKENS), SignedPlaces("http://localhost:8080", b"k" * 32, clock))


def make_world(databases: Databases, folder: Path, files: Files | None = None) -> ApiWorld:
    """Two customers and an account of each role of ours, logged in.

    Args:
        folder: for large files, unless
        files: says where else they are.
    """
    clock = HandClock()
    services = make_services(databases, clock, folder, files)
    ours, theirs = new_customer(databases.api), new_customer(databases.api)
    with databases.api.session(ours.scope) as session:
        user_id = add_user(session, ours, "200").id
    with databases.api.session(theirs.scope) as session:
        add_user(session, theirs, "200", "Workshop")
    with databases.api.session(PLATFORM) as session:
        desk = Desk(session, Actor("test"), clock, TOKENS, services.keys)
        for fields in (
            AccountFields("platform_admin", "platform@tandem.test", SecretStr(PASSWORD)),
            AccountFields("msp_admin", "msp@tandem.test", SecretStr(PASSWORD), msp_id=ours.msp_id),
            AccountFields("tenant_admin", "admin@tandem.test", SecretStr(PASSWORD), tenant_id=ours.tenant_id),
            AccountFields("user", "user@tandem.test", SecretStr(PASSWORD), tenant_id=ours.tenant_id, user_id=user_id),
            AccountFields("tenant_admin", "stranger@tandem.test", SecretStr(PASSWORD), tenant_id=theirs.tenant_id),
        ):
            create_account(desk, services.gate.passwords, fields, "platform_admin")
    anyone = Client(make_wsgi(make_app(services), uploads=uploads_in(folder, clock)))
    clients = {
        name: anyone.as_(log_in(anyone, f"{name}@tandem.test"))
        for name in ("platform", "msp", "admin", "user", "stranger")
    }
    return ApiWorld(databases, clock, services, anyone, ours, theirs, user_id, **clients)


def log_in(client: Client, email: str, password: str = PASSWORD) -> str:
    """An access token."""
    answer = client.post("/sessions", {"email": email, "password": password})
    assert answer.status == 201, answer.body
    return str(answer.json["access_token"])
