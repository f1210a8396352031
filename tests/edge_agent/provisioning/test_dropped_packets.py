"""Real TFTP clients on a network that drops every so many packets (nftables) end with the right bytes."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.namespaces import SITE_ADDRESS, Lan, lan
from tests.support.waiting import eventually

FILE = "001565000001.cfg"
pytestmark = [pytest.mark.peer(name) for name in ("ip", "unshare", "nft", "curl")] + [pytest.mark.timeout(180)]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Lan]:
    """A site whose edge serves, and a phone's machine that loses packets both ways."""
    with lan() as made:
        made.run(made.phone, "ip", "address", "add", "192.0.2.9/24", "dev", "eth0")
        with made.running(made.site, sys.executable, "-m", "tests.support.dhcp_edge", str(tmp_path), "null"):
            eventually(lambda: made.listens(made.site, 69), 60)
            yield made


def lose(network: Lan, one_of: int) -> None:
    """From here on, the phone loses one UDP packet of so many that come to it, and the edge one of twice as many.

    Until each has lost four: for ever, the same block of a last window of just so many would be lost again and again,
    until the client gives up.
    """
    for machine, every in ((network.phone, one_of), (network.site, 2 * one_of)):
        network.run(machine, "nft", "add table inet lossy")
        network.run(machine, "nft", "add chain inet lossy in { type filter hook input priority 0 ; }")
        for place in range(1, 5):
            rule = f"meta l4proto udp numgen inc mod 1000000 {place * every - 1} counter drop"
            network.run(machine, "nft", f"add rule inet lossy in {rule}")


def lost(network: Lan) -> int:
    """How many packets were lost."""
    listed = [
        network.run(machine, "nft", "list", "table", "inet", "lossy") for machine in (network.phone, network.site)
    ]
    return sum(int(found) for text in listed for found in re.findall(r"packets (\d+)", text))


def right(network: Lan) -> bytes:
    """The phone's file, by HTTP."""
    text = network.run(network.phone, "curl", "-sS", "-f", f"http://{SITE_ADDRESS}:8090/{FILE}")
    assert len(text) > 5000
    return text.encode()


@pytest.mark.peer("atftp")
@pytest.mark.parametrize("window", [1, 4, 16])
def test_atftp_with_windows(network: Lan, tmp_path: Path, window: int) -> None:
    wanted = right(network)
    lose(network, 11)
    options = ("--option", "timeout 1", "--option", f"windowsize {window}", "--option", "blksize 256")
    network.run(network.phone, "atftp", *options, "-g", "-r", FILE, "-l", f"{tmp_path}/got", SITE_ADDRESS, seconds=120)
    assert (tmp_path / "got").read_bytes() == wanted
    assert lost(network) >= 2


@pytest.mark.peer("tftp")
def test_tftp_hpa_and_curl(network: Lan, tmp_path: Path) -> None:
    wanted = right(network)
    lose(network, 9)
    get = ("-c", "get", FILE, f"{tmp_path}/got")
    network.run(network.phone, "tftp", "-4", "-m", "binary", SITE_ADDRESS, *get, seconds=120)
    assert (tmp_path / "got").read_bytes() == wanted
    url = f"tftp://{SITE_ADDRESS}/{FILE}"
    network.run(network.phone, "curl", "-sS", "-m", "100", "-o", f"{tmp_path}/curl", url, seconds=120)
    assert (tmp_path / "curl").read_bytes() == wanted
    assert lost(network) >= 4
