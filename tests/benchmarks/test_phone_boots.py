"""The load of booting phones is a real one: every phone gets its own file from our server, by both ways."""

import sys
from pathlib import Path

import pytest

from benchmarks.provisioning.__main__ import cpu_seconds, running
from benchmarks.provisioning.boots import boot


@pytest.mark.parametrize("how", ["http", "tftp"])
async def test_every_phone_of_the_load_gets_its_file(how: str, tmp_path: Path) -> None:
    with running(sys.executable, "-m", "benchmarks.provisioning.site", "20", str(tmp_path)) as server:
        assert server.stdout is not None
        http, tftp = map(int, server.stdout.readline().split())
        _, failed = await boot(how, 20, http if how == "http" else tftp)
        assert failed == 0
        assert cpu_seconds(server.pid) > 0
