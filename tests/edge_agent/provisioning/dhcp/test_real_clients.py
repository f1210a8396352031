"""DHCP with real clients and real other servers, each in a network namespace of its own."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.namespaces import Lan, lan
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("ip"), pytest.mark.peer("unshare"), pytest.mark.timeout(180)]

RANGE = {
    "network": "192.0.2.0/24",
    "first": "192.0.2.100",
    "last": "192.0.2.150",
    "router": "192.0.2.254",
    "name_servers": ["192.0.2.53"],
    "ntp_servers": ["192.0.2.123"],
    "lease_seconds": 600,
}
LOOK_SECONDS = 20.0
SNOM = "000413000001"


class Edge:
    """A running `tests.support.dhcp_edge`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, question: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def in_state(self, state: str) -> Any:
        """The status, once it is in this state."""
        return eventually(lambda: (told := self.ask("status"))["state"] == state and told, LOOK_SECONDS, state)

    def has_alarms(self, *names: str) -> None:
        """These alarms are active, once they have reached the outbox."""
        eventually(lambda: self.ask("alarms") == [*names], LOOK_SECONDS, f"alarms {names}")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def edge(network: Lan, folder: Path, rules: dict[str, Any] | None) -> Iterator[Edge]:
    command = (sys.executable, "-m", "tests.support.dhcp_edge", str(folder), json.dumps(rules))
    with network.running(network.site, *command) as process:
        yield Edge(process)


@pytest.fixture
def network() -> Iterator[Lan]:
    with lan() as made:
        yield made


def be_phone(network: Lan, mac: str) -> None:
    pairs = ":".join(re.findall("..", mac))
    network.run(network.phone, "ip", "link", "set", "eth0", "address", pairs)


def udhcpc(network: Lan, folder: Path, *options: str, tries: int = 6) -> dict[str, str]:
    """What busybox's client was told: the variables that its script got; empty without a lease."""
    script = folder / "udhcpc.sh"
    script.write_text(f'#!/bin/sh\n[ "$1" = bound ] && env > {folder}/udhcpc.env\nexit 0\n')
    script.chmod(0o755)
    told = folder / "udhcpc.env"
    told.unlink(missing_ok=True)
    wanted = ("-O", "ntpsrv", "-O", "66", "-O", "132", "-O", "160")
    base = ("udhcpc", "-f", "-n", "-q", "-t", str(tries), "-T", "2", "-i", "eth0", "-s", str(script), *wanted)
    network.result(network.phone, *base, *options, seconds=90)
    if not told.exists():
        return {}
    return dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)


def dhclient(network: Lan, folder: Path, conf: str, *options: str, seconds: float = 60) -> dict[str, str]:
    """What Debian's ISC client was told; its leases file stays in the folder, as after a reboot of the phone."""
    (folder / "dhclient.conf").write_text(f"timeout 25;\nretry 5;\n{conf}\n")
    script = folder / "dhclient.sh"
    reasons = "BOUND|RENEW|REBIND|REBOOT"
    script.write_text(f'#!/bin/sh\ncase "$reason" in {reasons}) env > {folder}/dhclient.env;; esac\nexit 0\n')
    script.chmod(0o755)
    told = folder / "dhclient.env"
    told.unlink(missing_ok=True)
    leases = folder / "dhclient.leases"
    files = ("-cf", f"{folder}/dhclient.conf", "-lf", str(leases), "-pf", f"{folder}/dhclient.pid")

    def is_kept() -> dict[str, str]:
        """What the script was told; nothing until the client has written the lease too, which it does afterwards."""
        if not told.exists() or not leases.exists():
            return {}
        variables = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
        written = leases.read_text()
        address = variables.get("new_ip_address")
        kept = address is not None and f"fixed-address {address};" in written and written.endswith("}\n")
        return variables if kept else {}

    with network.running(network.phone, "dhclient", "-4", "-d", "-1", *files, "-sf", str(script), *options, "eth0"):
        return eventually(is_kept, seconds)


@pytest.mark.peer("udhcpc")
@pytest.mark.peer("dhclient")
def test_phones_get_an_address_and_their_vendors_options_and_keep_it_over_a_kill(network: Lan, tmp_path: Path) -> None:
    rules = {"ranges": [{**RANGE, "reservations": [{"mac": SNOM, "address": "192.0.2.77"}]}], "voice_vlan": 30}
    with edge(network, tmp_path, rules) as running:
        assert running.in_state("looking")["leases"] == []
        running.in_state("serving")
        be_phone(network, SNOM)
        told = udhcpc(network, tmp_path, "-V", "snomD785", "-O", "43")
        assert (told["ip"], told["subnet"], told["router"]) == ("192.0.2.77", "255.255.255.0", "192.0.2.254")
        assert (told["dns"], told["ntpsrv"], told["lease"]) == ("192.0.2.53", "192.0.2.123", "600")
        assert told["serverid"] == "192.0.2.1"
        # A plug-in names what its phones take, so that what they do not ask for is not missing.
        assert bytes.fromhex(told["opt43"]) == b"\x42\x16http://192.0.2.1:8090/\x84\x0230"
        be_phone(network, "02000000aa01")
        conf = 'send vendor-class-identifier "Panasonic KX-HDV130";\nrequest subnet-mask, routers, tftp-server-name;'
        first = dhclient(network, tmp_path, conf)
        assert first["new_tftp_server_name"] == "http://192.0.2.1:8090/"
        status = running.ask("status")
        assert [lease["mac"] for lease in status["leases"]] == [SNOM, "02000000aa01"]
        assert status["leases"][0]["reserved"] is True
        running.kill()  # right after the acknowledgement
    with edge(network, tmp_path, rules) as running:
        kept = running.ask("status")
        assert [lease["address"] for lease in kept["leases"]] == ["192.0.2.77", first["new_ip_address"]]
        again = dhclient(network, tmp_path, conf)  # at once, before the look for other servers is over
        assert (again["reason"], again["new_ip_address"]) == ("REBOOT", first["new_ip_address"])


@pytest.mark.peer("udhcpc")
def test_an_address_that_somebody_uses_without_asking_is_not_given(network: Lan, tmp_path: Path) -> None:
    rules = {"ranges": [{**RANGE, "first": "192.0.2.100", "last": "192.0.2.101"}]}
    network.run(network.other, "ip", "address", "add", "192.0.2.100/24", "dev", "eth0")
    with edge(network, tmp_path, rules) as running:
        running.in_state("serving")
        assert udhcpc(network, tmp_path)["ip"] == "192.0.2.101"
        assert running.ask("status")["pool_free"] == 0
        be_phone(network, "02000000aa02")
        assert udhcpc(network, tmp_path, tries=2) == {}
        running.has_alarms("dhcp_range_full")


@pytest.mark.peer("udhcpc")
@pytest.mark.peer("dhclient")
@pytest.mark.peer("dnsmasq")
def test_a_server_that_comes_later_is_noticed_and_phones_keep_what_they_have(network: Lan, tmp_path: Path) -> None:
    with edge(network, tmp_path, {"ranges": [RANGE]}) as running:
        running.in_state("serving")
        first = dhclient(network, tmp_path, "")
        assert first["new_dhcp_server_identifier"] == "192.0.2.1"
        with another_dnsmasq(network, tmp_path):
            be_phone(network, "02000000aa03")
            # It takes the quicker offer; that it asks the other server is what the edge hears.
            assert udhcpc(network, tmp_path)["serverid"] == "192.0.2.200"
            status = running.in_state("withdrawn")
            assert [(one["address"], one["interface"]) for one in status["others"]] == [("192.0.2.200", "eth0")]
            running.has_alarms("dhcp_other_server")
            be_phone(network, status["leases"][0]["mac"])
            again = dhclient(network, tmp_path, "")
            assert (again["reason"], again["new_ip_address"]) == ("REBOOT", first["new_ip_address"])


@contextmanager
def another_dnsmasq(network: Lan, folder: Path) -> Iterator[None]:
    network.run(network.other, "ip", "address", "add", "192.0.2.200/24", "dev", "eth0")
    where = ("--conf-file=/dev/null", "--port=0", "--no-daemon", "--no-ping")
    files = (f"--dhcp-leasefile={folder}/dnsmasq.leases", f"--pid-file={folder}/dnsmasq.pid")
    range_ = "--dhcp-range=192.0.2.210,192.0.2.220,10m"
    with network.running(network.other, "dnsmasq", *where, *files, "--interface=eth0", range_):
        eventually(lambda: network.listens(network.other, 67))
        yield


@pytest.mark.peer("udhcpc")
@pytest.mark.peer("kea-dhcp4")
def test_beside_kea_nothing_is_leased(network: Lan, tmp_path: Path) -> None:
    network.run(network.other, "ip", "address", "add", "192.0.2.200/24", "dev", "eth0")
    lease_file = {"type": "memfile", "persist": False}
    subnet = {"subnet": "192.0.2.0/24", "pools": [{"pool": "192.0.2.210 - 192.0.2.220"}]}
    config = {
        "Dhcp4": {"interfaces-config": {"interfaces": ["eth0"]}, "lease-database": lease_file, "subnet4": [subnet]}
    }
    (tmp_path / "kea.conf").write_text(json.dumps(config))
    where = ("env", f"KEA_PIDFILE_DIR={tmp_path}", f"KEA_LOCKFILE_DIR={tmp_path}")
    kea = network.running(network.other, *where, "kea-dhcp4", "-c", str(tmp_path / "kea.conf"))
    with kea, edge(network, tmp_path, {"ranges": [RANGE]}) as running:
        status = running.in_state("withdrawn")
        assert [one["address"] for one in status["others"]] == ["192.0.2.200"]
        assert udhcpc(network, tmp_path)["serverid"] == "192.0.2.200"
        status = running.ask("status")
        assert status["leases"] == []
        running.has_alarms("dhcp_other_server")
        assert status["dropped"]["not_serving"] >= 1


def test_beside_another_server_an_inform_is_answered_and_an_unknown_phone_is_seen(network: Lan, tmp_path: Path) -> None:
    with edge(network, tmp_path, {"voice_vlan": 30}) as running:
        assert running.in_state("proxy")["leases"] == []
        be_phone(network, "0004f2000001")
        network.run(network.phone, "ip", "address", "add", "192.0.2.9/24", "dev", "eth0")
        program = (
            sys.executable,
            "-m",
            "tests.support.dhcp_inform",
            "192.0.2.9",
            "0004f2000001",
            "PolycomVVX-VVX_400",
            "ge-0/7",
        )
        told = json.loads(network.run(network.phone, *program))
        assert bytes.fromhex(told["160"]) == b"http://192.0.2.1:8090/"
        assert "51" not in told
        seen = eventually(lambda: running.ask("unknown"), LOOK_SECONDS, "the phone was seen")
        assert running.ask("alarms") == []
        assert [(one["mac"], one["vendor"], one["protocol"]) for one in seen] == [("0004f2000001", "polycom", "dhcp")]
        assert seen[0]["switch_port"] == "ge-0/7"


@pytest.mark.peer("udhcpc")
def test_offers_without_an_address_are_off_by_default_because_some_clients_take_them(
    network: Lan, tmp_path: Path
) -> None:
    be_phone(network, SNOM)
    client = ("udhcpc", "-f", "-n", "-q", "-t", "2", "-T", "1", "-i", "eth0", "-s", "/bin/true", "-V", "snomD785")
    for rules, takes in (({}, False), ({"proxy_offers": True}, True)):
        with edge(network, tmp_path, rules) as running:
            running.in_state("proxy")
            said = network.result(network.phone, *client).stderr
            assert ("select for 0.0.0.0, server 192.0.2.1" in said) is takes, said


def test_without_a_rule_the_ports_stay_free(network: Lan, tmp_path: Path) -> None:
    with edge(network, tmp_path, None) as running:
        assert running.ask("status")["state"] == "off"
        assert not network.listens(network.site, 67)
        assert network.listens(network.site, 69)
