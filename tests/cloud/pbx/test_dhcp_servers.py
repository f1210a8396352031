"""What is shown for dnsmasq and Kea, served by them: a real client gets its vendor's option 43."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.pbx.dhcp_options import options_for, snippets, vendor_options_for
from contract.devices import load_catalogue
from tests.support.namespaces import Lan, lan
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("ip"), pytest.mark.peer("unshare"), pytest.mark.peer("udhcpc"), pytest.mark.timeout(120)]

EDGE = "192.0.2.1"
URL = b"http://192.0.2.1:8090/"
SNOM, YEALINK, OTHER = "00:04:13:00:00:01", "00:15:65:00:00:01", "02:00:00:00:00:01"


@pytest.fixture
def network() -> Iterator[Lan]:
    with lan() as made:
        made.run(made.other, "ip", "address", "add", "192.0.2.200/24", "dev", "eth0")
        yield made


def text_for(server: str) -> str:
    vendors = vendor_options_for(load_catalogue(), EDGE, 8090, 30)
    return next(one.text for one in snippets(options_for(EDGE, 8090, 30), vendors) if one.server == server)


def option_43(network: Lan, folder: Path, mac: str) -> bytes:
    """What a client with this MAC address gets in option 43."""
    network.run(network.phone, "ip", "link", "set", "eth0", "address", mac)
    told, script = folder / "told", folder / "script"
    told.unlink(missing_ok=True)
    script.write_text(f'#!/bin/sh\n[ "$1" = bound ] && env > {told}\nexit 0\n')
    script.chmod(0o755)
    client = ("udhcpc", "-f", "-n", "-q", "-t", "8", "-T", "1", "-i", "eth0", "-s", str(script), "-O", "43")
    network.run(network.phone, *client)
    found = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
    return bytes.fromhex(found.get("opt43", ""))


def gets_what_its_vendor_takes(network: Lan, folder: Path) -> None:
    assert option_43(network, folder, SNOM) == b"\x42\x16" + URL + b"\x84\x0230"
    assert option_43(network, folder, YEALINK) == URL
    assert option_43(network, folder, OTHER) == b""


@pytest.mark.peer("dnsmasq")
def test_dnsmasq_gives_each_vendors_phones_their_option_43(network: Lan, tmp_path: Path) -> None:
    conf = tmp_path / "dnsmasq.conf"
    conf.write_text(
        f"port=0\nno-ping\ninterface=eth0\ndhcp-leasefile={tmp_path}/leases\npid-file={tmp_path}/pid\n"
        f"dhcp-range=192.0.2.210,192.0.2.220,10m\n{text_for('dnsmasq')}"
    )
    with network.running(network.other, "dnsmasq", f"--conf-file={conf}", "--no-daemon"):
        eventually(lambda: network.listens(network.other, 67))
        gets_what_its_vendor_takes(network, tmp_path)


@pytest.mark.peer("kea-dhcp4")
def test_kea_gives_each_vendors_phones_their_option_43(network: Lan, tmp_path: Path) -> None:
    server = {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "persist": False},
        "subnet4": [{"subnet": "192.0.2.0/24", "pools": [{"pool": "192.0.2.210 - 192.0.2.220"}]}],
        **json.loads("{" + text_for("kea") + "}"),
    }
    conf = tmp_path / "kea.conf"
    conf.write_text(json.dumps({"Dhcp4": server}))
    where = ("env", f"KEA_PIDFILE_DIR={tmp_path}", f"KEA_LOCKFILE_DIR={tmp_path}")
    with network.running(network.other, *where, "kea-dhcp4", "-c", str(conf)):
        eventually(lambda: network.listens(network.other, 67))
        gets_what_its_vendor_takes(network, tmp_path)
