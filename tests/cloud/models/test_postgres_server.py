"""The embedded PostgreSQL: keeps its data, survives being killed, and says why when it does not start."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import psycopg
import pytest

from cloud.local.postgres import PostgresFailed, PostgresServer, find_binaries, prepare_database
from cloud.models.upgrading import check


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that the server's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-pg-"))
    folder.chmod(0o755)
    yield folder
    rmtree(folder, ignore_errors=True)


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:"), autocommit=True)


def test_data_outlives_a_stop_and_a_crash_and_preparing_again_changes_nothing(folder: Path) -> None:
    server = PostgresServer(folder, find_binaries(), durable=False)
    urls = prepare_database(server.start(), "tandem")
    try:
        with connect(urls.owner) as connection:
            connection.execute("create table kept (value int)")
            connection.execute("insert into kept values (42)")
        server.stop()
        assert server.pid is None
        server.start()
        server.kill()
        again = PostgresServer(folder, find_binaries(), durable=False)
        try:
            assert prepare_database(again.start(), "tandem") == urls
            with connect(urls.owner) as connection:
                assert connection.execute("select value from kept").fetchone() == (42,)
                connection.execute("drop table kept")
            check(urls.owner)
        finally:
            again.stop()
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    server = PostgresServer(folder, find_binaries(), durable=False)
    server.start()
    server.stop()
    (folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        server.start()


def test_binaries_that_were_asked_for_come_first(tmp_path: Path) -> None:
    for program in ("initdb", "postgres"):
        (tmp_path / program).touch()
    assert find_binaries(str(tmp_path)) == tmp_path
    assert find_binaries(str(tmp_path / "nothing")) != tmp_path / "nothing"


def test_a_folder_with_a_long_path_gets_its_socket_elsewhere(folder: Path) -> None:
    deep = folder / ("x" * 100)
    server = PostgresServer(deep, find_binaries(), durable=False)
    try:
        connect(server.start()).close()
    finally:
        server.stop()
