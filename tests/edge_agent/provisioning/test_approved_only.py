"""On a network where only approved phones are served, a phone that says nothing of itself is known by its address."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.namespaces import SITE_ADDRESS, Lan, lan
from tests.support.waiting import eventually

KNOWN, STRANGER = "001565000001", "805ec0999998"
SHARED = "yealink-directory.xml"
pytestmark = [pytest.mark.peer(name) for name in ("ip", "unshare", "atftp", "curl")] + [pytest.mark.timeout(180)]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[tuple[Lan, subprocess.Popen[str]]]:
    with lan() as made:
        for machine, mac, address in ((made.phone, KNOWN, "192.0.2.8"), (made.other, STRANGER, "192.0.2.9")):
            pairs = ":".join(re.findall("..", mac))
            made.run(machine, "ip", "link", "set", "eth0", "address", pairs)
            made.run(machine, "ip", "address", "add", f"{address}/24", "dev", "eth0")
        command = (sys.executable, "-m", "tests.support.dhcp_edge", str(tmp_path), "null", "approved_only")
        with made.running(made.site, *command) as edge:
            eventually(lambda: made.listens(made.site, 69), 60)
            yield made, edge


def asked(edge: subprocess.Popen[str], question: str) -> list[dict[str, Any]]:
    assert edge.stdin is not None
    assert edge.stdout is not None
    edge.stdin.write(f"{question}\n")
    edge.stdin.flush()
    answer: list[dict[str, Any]] = json.loads(edge.stdout.readline())
    return answer


def test_a_stranger_gets_nothing_and_is_named_with_its_reason(
    network: tuple[Lan, subprocess.Popen[str]], tmp_path: Path
) -> None:
    made, edge = network
    url = f"http://{SITE_ADDRESS}:8090/{SHARED}"
    assert "Directory" in made.run(made.phone, "curl", "-sSf", url)
    assert made.result(made.other, "curl", "-sSf", url).returncode == 22
    for machine, name in ((made.phone, "known"), (made.other, "stranger")):
        made.result(machine, "atftp", "-g", "-r", SHARED, "-l", str(tmp_path / name), SITE_ADDRESS)
    assert (tmp_path / "known").stat().st_size > 100
    assert not (tmp_path / "stranger").exists() or not (tmp_path / "stranger").stat().st_size
    eventually(lambda: asked(edge, "unknown"), 10)
    (unknown,) = asked(edge, "unknown")
    assert (unknown["mac"], unknown["certainty"]) == (STRANGER, {"mac": "likely", "vendor": "hint"})
    assert {(one["reason"], one["address"]) for one in asked(edge, "refused")} == {("not_approved", "192.0.2.9")}
