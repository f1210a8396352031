"""One line, from a bare Debian to an edge that the cloud sees online and a phone that is registered with it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.installer import build_bundle
from cloud.local.api_client import ApiClient
from cloud.local.settings import LocalSettings
from cloud.local.system import ADMIN_EMAIL, LocalSystem
from tests.support.bare_root import CACHE, BareRoot, bootstrapped
from tests.support.raw_sip import RawPhone
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("debootstrap"), pytest.mark.peer("unshare"), pytest.mark.timeout(900)]

FREE_PORTS = {
    "TANDEM_EDGE_SIP_UDP_PORT": "0",
    "TANDEM_EDGE_SIP_TCP_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_TFTP_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_HTTPS_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_PLUG_AND_PLAY_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_HTTP_PORT": "0",
    "TANDEM_EDGE_SIP_ADDRESS": "127.0.0.1",
}
DOMAIN = "installed.tandem.test"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LocalSystem]:
    """A cloud without an edge, serving the installer."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("NOT RUN: debootstrap as root")
    folder = tmp_path / "installer"
    folder.mkdir()
    settings = LocalSettings.from_arguments(["--any-ports", "--no-demo", "--state-dir", str(tmp_path / "cloud")])
    running = LocalSystem(settings, None, folder, lambda _: None)
    running.start()
    python = next(path.name.removeprefix("python") for path in (bootstrapped() / "usr/lib").glob("python3.*"))
    build_bundle.build(folder, running.api_url, (python,), CACHE / "wheels")
    yield running
    running.stop()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[BareRoot]:
    bare = BareRoot(tmp_path / "root")
    yield bare
    bare.remove()


class Customer:
    """A site with one user, one phone and an edge that is still to be installed."""

    def __init__(self, system: LocalSystem) -> None:
        self.api = ApiClient(system.api_url)
        self.api.log_in(ADMIN_EMAIL, system.keys.admin_password)
        msp = self.api.post("/msps", {"name": "Provider"})
        tenant = self.api.post("/tenants", {"msp_id": msp["id"], "name": "Customer", "domain": DOMAIN})
        self.site_id = self.api.post(
            "/sites", {"tenant_id": tenant["id"], "name": "Office", "time_zone": "Europe/Berlin"}
        )["id"]
        self.edge_id = self.api.post("/edges", {"site_id": self.site_id, "name": "Edge"})["id"]
        user = {"site_id": self.site_id, "username": "200", "extension": "200", "display_name": "Reception"}
        phone = {"site_id": self.site_id, "mac": "02000a000001", "model": "generic/sip", "name": "Phone"}
        phone["user_id"] = self.api.post("/users", user)["id"]
        (self.line,) = self.api.post("/devices", phone)["lines"]

    def code(self) -> str:
        return str(self.api.post(f"/edges/{self.edge_id}/enrollment-code")["code"])

    def edge(self) -> Any:
        return self.api.get(f"/edges/{self.edge_id}")

    def phone(self, sip_port: int) -> RawPhone:
        line = self.line
        return RawPhone(("127.0.0.1", sip_port), "200", line["auth_username"], line["password"], DOMAIN)


def test_one_line_ends_with_an_edge_online_and_a_phone_registered(
    system: LocalSystem, root: BareRoot, tmp_path: Path
) -> None:
    customer = Customer(system)
    code = customer.code()
    one_line = ("sh", "-c", f"curl -fsSL {system.api_url}/install.sh | sh -s -- --enroll {code}")
    output = tmp_path / "output"
    installing = root.start(*one_line, output=output, **FREE_PORTS)
    try:

        def online() -> bool:
            assert installing.poll() is None, output.read_text()
            return bool(customer.edge()["online"])

        eventually(online, 180, "the edge is online")
        status = root.path("/var/lib/tandem-edge/status.json")

        def configured() -> int | None:
            processes = json.loads(status.read_text())["processes"]
            sip = next(process for process in processes if process["name"] == "sip")
            return int(sip["ports"]["sip_udp"]) if sip["state"] == "configured" else None

        sip_port = eventually(configured, 60, "the configuration runs")
        assert sip_port
        with customer.phone(sip_port) as phone:
            assert phone.register().status == 200

        def registered() -> bool:
            return len(customer.api.items(f"/registrations?site_id={customer.site_id}")) == 1

        eventually(registered, 30, "the cloud shows the registration")
    finally:
        installing.kill()
        installing.wait()

    root.run("rm", "-rf", "/var/lib/tandem-edge", "/opt/tandem-edge", "/etc/tandem-edge")
    used = root.run(*one_line, **FREE_PORTS)
    assert used.returncode == 1
    assert "used" in used.stderr, used.stderr
    assert not root.path("/opt/tandem-edge").exists()
    assert not root.path("/var/lib/tandem-edge").exists()
