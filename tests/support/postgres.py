"""A real PostgreSQL for tests: one server per test process, one database per test, copied from a migrated template.

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


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[DatabaseUrls]:
    """A database with the newest schema and no rows, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    administrator = server.url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(f"create database {name} template {TEMPLATE} owner tandem_owner")
    try:
        url = server.url.replace("@/postgres?", f"@/{name}?")
        yield DatabaseUrls.of(url, url.replace("//postgres@", "//tandem_owner@"))
    finally:
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def database_urls(postgres_server: PostgresServer) -> Iterator[DatabaseUrls]:
    """Addresses of this test's own database."""
    with fresh_database(postgres_server) as urls:
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
