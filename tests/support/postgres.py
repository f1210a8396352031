"""A real PostgreSQL for tests: one server per test process, one database per test, copied from a migrated
template or left empty by an earlier test.

The fixtures are plugged in by `pytest_plugins`/imports of the tests' conftest files:
`postgres_server` (session), `database_urls` (function) and `databases` (function).
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import psycopg
import pytest

from cloud.local.postgres import DatabaseUrls, PostgresServer, find_binaries, prepare_database
from cloud.models.upgrading import ensure_roles
from cloud.pbx.database import Database

TEMPLATE = "tandem_template"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Databases:
    """One test's database, as each role."""

    urls: DatabaseUrls
    api: Database
    hub: Database
    worker: Database


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server in a folder of its own below the temporary folder (a unix socket's path must be short)."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-pg-"))
    folder.chmod(0o755)
    server = PostgresServer(folder, find_binaries(), durable=False)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The test process's PostgreSQL, with roles and the migrated template."""
    with running_server() as server:
        ensure_roles(server.url)
        prepare_database(server.url, TEMPLATE)
        yield server


_EMPTY = "; ".join(f"delete from {table}" for table in ("audit", "accounts", "tenants", "msps", "idempotency"))
"""What belongs to a tenant goes with it."""
_USES = 40
"""How many tests share a database, one after the other, before it is dropped: deleted rows make it slower."""


class EmptyDatabases:
    """Databases with the newest schema and no rows; making one takes twenty times as long as emptying one."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._administrator = server.url.replace("postgresql+psycopg:", "postgresql:")
        self._idle: list[tuple[str, int]] = []

    @contextmanager
    def one(self) -> Iterator[DatabaseUrls]:
        """A database for one test; whoever is still connected at the end is disconnected."""
        name, uses = self._idle.pop() if self._idle else (self._create(), 0)
        try:
            url = self._server.url.replace("@/postgres?", f"@/{name}?")
            yield DatabaseUrls.of(url, url.replace("//postgres@", "//tandem_owner@"))
        finally:
            if uses + 1 < _USES and self._emptied(name):
                self._idle.append((name, uses + 1))
            else:
                with psycopg.connect(self._administrator, autocommit=True) as connection:
                    connection.execute(f"drop database {name} with (force)")

    def _create(self) -> str:
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self._administrator, autocommit=True) as connection:
            connection.execute(f"create database {name} template {TEMPLATE} owner tandem_owner")
        return name

    def _emptied(self, name: str) -> bool:
        """False: the database is not as it was, and of no use any more."""
        try:
            with psycopg.connect(self._administrator.replace("@/postgres?", f"@/{name}?")) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
                connection.execute("set lock_timeout = '5s'")
                connection.execute(_EMPTY)
        except psycopg.Error:
            return False
        return True


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[DatabaseUrls]:
    """A database with the newest schema and no rows, for whoever starts a server of their own."""
    with EmptyDatabases(server).one() as urls:
        yield urls


@pytest.fixture(scope="session")
def empty_databases(postgres_server: PostgresServer) -> EmptyDatabases:
    """The test process's databases."""
    return EmptyDatabases(postgres_server)


@pytest.fixture
def database_urls(empty_databases: EmptyDatabases) -> Iterator[DatabaseUrls]:
    """Addresses of this test's own database."""
    with empty_databases.one() as urls:
        yield urls


@pytest.fixture
def databases(database_urls: DatabaseUrls) -> Iterator[Databases]:
    """This test's own database, as each role."""
    opened = Databases(
        urls=database_urls,
        api=Database(database_urls.api, pool_size=3),
        hub=Database(database_urls.hub, pool_size=3),
        worker=Database(database_urls.worker, pool_size=3),
    )
    try:
        yield opened
    finally:
        for database in (opened.api, opened.hub, opened.worker):
            database.close()
