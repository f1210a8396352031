"""The one-line installer, in a bare Debian: from `curl | sh` to a running edge, and back to nothing.

The cloud is a folder of files and a stand-in that enrolls.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cloud.installer import build_bundle
from tests.support.bare_root import CACHE, BareRoot, bootstrapped
from tests.support.enrollment_server import EnrollmentServer, enrollment_server
from tests.support.real_hub import new_authority
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("debootstrap"), pytest.mark.peer("unshare"), pytest.mark.timeout(900)]

FREE_PORTS = {
    "TANDEM_EDGE_SIP_UDP_PORT": "0",
    "TANDEM_EDGE_SIP_TCP_PORT": "0",
    "TANDEM_EDGE_SIP_TLS_PORT": "0",
    "TANDEM_EDGE_SIP_SITES_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_TFTP_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_HTTPS_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_PLUG_AND_PLAY_PORT": "0",
    "TANDEM_EDGE_PROVISIONING_HTTP_PORT": "0",
    "TANDEM_EDGE_SIP_ADDRESS": "127.0.0.1",
}
LEFT_BEHIND = (
    "/opt/tandem-edge",
    "/var/lib/tandem-edge",
    "/etc/tandem-edge",
    "/etc/systemd/system/tandem-edge.service",
)
NET_BIND_SERVICE = 1 << 10


class Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


class Cloud:
    """What the API would serve."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def build(self) -> None:
        build_bundle.build(self.folder, self.url, (python_of(bootstrapped()),), CACHE / "wheels")

    def bundle(self) -> Path:
        (bundle,) = (self.folder / "agent").glob("*.tar.gz")
        return bundle


def python_of(root: Path) -> str:
    return next(path.name.removeprefix("python") for path in (root / "usr/lib").glob("python3.*"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("NOT RUN: debootstrap as root")
    folder = tmp_path_factory.mktemp("cloud")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    cloud = Cloud(folder, f"http://127.0.0.1:{server.server_address[1]}")
    cloud.build()
    yield cloud
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def shared_root(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareRoot]:
    bare = BareRoot(tmp_path_factory.mktemp("bare") / "root")
    yield bare
    bare.remove()


@pytest.fixture
def root(shared_root: BareRoot, cloud: Cloud) -> Iterator[BareRoot]:
    """A root that is bare at the beginning of each test: copying one takes longer than clearing it."""
    yield shared_root
    install(shared_root, cloud, "--uninstall")
    for path in shared_root.path("/tmp").iterdir():
        shutil.rmtree(path)
    assert nothing_is_left(shared_root)


@pytest.fixture
def enrolling(tmp_path: Path) -> Iterator[EnrollmentServer]:
    authority = new_authority(tmp_path / "authority")
    with enrollment_server(authority, tmp_path / "tls") as served:
        served.answer = {
            "edge_id": "edge-1",
            "site_id": "site-1",
            "hub": {"host": "127.0.0.1", "quic_port": 9, "websocket_url": "wss://127.0.0.1:9/channel"},
            "ca_pem": authority.certificate_pem,
        }
        yield served


def one_line(cloud: Cloud, *options: str) -> tuple[str, ...]:
    return ("sh", "-c", f"curl -fsSL {cloud.url}/install.sh | sh -s -- {' '.join(options)}")


def install(root: BareRoot, cloud: Cloud, *options: str) -> subprocess.CompletedProcess[str]:
    return root.run(*one_line(cloud, *options), **FREE_PORTS)


def nothing_is_left(root: BareRoot) -> bool:
    paths = [path for path in LEFT_BEHIND if root.path(path).exists()]
    rest = [path.name for path in root.path("/tmp").iterdir()]
    return not paths and not rest and "tandem-edge" not in root.path("/etc/passwd").read_text()


def test_one_line_ends_with_a_running_edge_and_one_word_removes_it(
    root: BareRoot, cloud: Cloud, enrolling: EnrollmentServer, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    running = root.start(*one_line(cloud, "--enroll", enrolling.code()), output=output, **FREE_PORTS)
    try:
        status_file = root.path("/var/lib/tandem-edge/status.json")

        def waits_for_configuration() -> bool:
            assert running.poll() is None, output.read_text()
            if not status_file.exists():
                return False
            return bool(json.loads(status_file.read_text())["state"] == "waiting for first configuration")

        eventually(waits_for_configuration, 120, "the agent runs")
        lines = root.processes()
        (sip,) = (pid for pid, line in lines.items() if "edge_agent.processes.sip" in line)
        facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{sip}/status").read_text().splitlines())
        assert facts["Uid"].split()[0] != "0"
        assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == NET_BIND_SERVICE
        assert facts["NoNewPrivs"].strip() == "1"
        shown = root.run("/opt/tandem-edge/current/bin/tandem-edge", "status", "--json")
        assert json.loads(shown.stdout)["running"] is True
        (supervisor,) = (pid for pid, line in lines.items() if "supervise.sh" in line)
        os.kill(supervisor, signal.SIGTERM)
        assert running.wait(20) == 0, output.read_text()
        assert root.processes() == {}
    finally:
        running.kill()
        running.wait()
    identity = root.path("/var/lib/tandem-edge/identity.json").read_bytes()

    again = install(root, cloud, "--enroll", enrolling.code(), "--no-service")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "enrolled already" in again.stdout
    assert root.path("/var/lib/tandem-edge/identity.json").read_bytes() == identity
    assert len(list(root.path("/opt/tandem-edge/releases").iterdir())) == 1

    gone = install(root, cloud, "--uninstall")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert nothing_is_left(root)


def test_a_used_code_is_refused_in_the_clouds_words_and_nothing_is_left(
    root: BareRoot, cloud: Cloud, enrolling: EnrollmentServer
) -> None:
    enrolling.status = 410
    enrolling.answer = {"title": "Gone", "detail": "This code was used at 10:00; create a new one in the portal."}
    done = install(root, cloud, "--enroll", enrolling.code())
    assert done.returncode == 1
    assert "This code was used at 10:00; create a new one in the portal." in done.stderr
    assert nothing_is_left(root)


def test_without_a_code_nothing_begins(root: BareRoot, cloud: Cloud) -> None:
    done = install(root, cloud)
    assert done.returncode == 1
    assert "give --enroll CODE" in done.stderr
    assert nothing_is_left(root)


def test_a_damaged_bundle_is_not_installed(root: BareRoot, cloud: Cloud, enrolling: EnrollmentServer) -> None:
    bundle = cloud.bundle()
    good = bundle.read_bytes()
    bundle.write_bytes(good[:-100] + b"x" * 100)
    try:
        done = install(root, cloud, "--enroll", enrolling.code())
    finally:
        bundle.write_bytes(good)
    assert done.returncode == 1
    assert "was damaged on its way" in done.stderr
    assert nothing_is_left(root)
    assert enrolling.requests == []


def test_a_script_that_was_cut_off_does_nothing(root: BareRoot, cloud: Cloud) -> None:
    script = (cloud.folder / "install.sh").read_text()
    for share in (0.3, 0.6, 0.9):
        root.run("sh", "-c", script[: int(len(script) * share)], "sh", "--enroll", "TDM1-x")
        assert nothing_is_left(root)


def test_without_root_it_says_what_it_cannot_do_and_what_it_can(
    root: BareRoot, cloud: Cloud, enrolling: EnrollmentServer
) -> None:
    def as_nobody(*options: str) -> subprocess.CompletedProcess[str]:
        nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
        return root.run(*nobody, *one_line(cloud, "--enroll", enrolling.code(), *options), **FREE_PORTS)

    refused = as_nobody()
    assert refused.returncode == 1
    for part in ("needs root", "create the user tandem-edge", "TFTP is 69", "sudo sh", "--prefix"):
        assert part in refused.stderr
    assert nothing_is_left(root)
    assert enrolling.requests == []
    allowed = as_nobody("--prefix", "/tmp/own", "--no-service")
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert "Start it with: /tmp/own/current/bin/tandem-edge run --settings /tmp/own/etc/edge.toml" in allowed.stdout
    checked = root.run("/tmp/own/current/bin/tandem-edge", "check-config", "--settings", "/tmp/own/etc/edge.toml")
    assert "/tmp/own/state" in checked.stdout
    removed = root.run("setpriv", "--reuid", "65534", *one_line(cloud, "--uninstall", "--prefix", "/tmp/own"))
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert nothing_is_left(root)


def test_where_systemd_runs_the_agent_becomes_a_service(
    root: BareRoot, cloud: Cloud, enrolling: EnrollmentServer
) -> None:
    """systemd itself cannot run in here: a stand-in notes what it is told."""
    runs, told = root.path("/run/systemd/system"), root.path("/run/systemd/told")
    systemctl, units = root.path("/usr/local/bin/systemctl"), root.path("/etc/systemd/system")
    runs.mkdir(parents=True)
    units.mkdir(parents=True, exist_ok=True)
    systemctl.write_text('#!/bin/sh\necho "$*" >>/run/systemd/told\n')
    systemctl.chmod(0o755)
    try:
        done = install(root, cloud, "--enroll", enrolling.code())
        assert done.returncode == 0, done.stdout + done.stderr
        assert "runs as the service tandem-edge" in done.stdout
        unit = (units / "tandem-edge.service").read_text()
        assert "ExecStart=/opt/tandem-edge/current/bin/tandem-edge run\n" in unit
        assert "Environment=TANDEM_EDGE_SETTINGS=/etc/tandem-edge/edge.toml\n" in unit
        assert "User=tandem-edge\n" in unit
        gone = install(root, cloud, "--uninstall", "--keep-state")
        assert gone.returncode == 0, gone.stdout + gone.stderr
        assert not (units / "tandem-edge.service").exists()
        assert root.path("/var/lib/tandem-edge/identity.json").exists()
        assert told.read_text().splitlines() == [
            "daemon-reload",
            "enable --quiet tandem-edge",
            "restart tandem-edge",
            "disable --now --quiet tandem-edge",
            "daemon-reload",
        ]
    finally:
        systemctl.unlink()
        shutil.rmtree(root.path("/run/systemd"))


def test_running_it_again_upgrades_in_place_and_keeps_the_identity(
    root: BareRoot, cloud: Cloud, enrolling: EnrollmentServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = install(root, cloud, "--enroll", enrolling.code(), "--no-service")
    assert first.returncode == 0, first.stdout + first.stderr
    before = root.path("/opt/tandem-edge/current").readlink()
    identity = root.path("/var/lib/tandem-edge/identity.json").read_bytes()
    newer = tmp_path / "sources"
    shutil.copytree(build_bundle.SOURCES, newer)
    (newer / "supervise.sh").write_text((newer / "supervise.sh").read_text() + "# newer\n")
    monkeypatch.setattr(build_bundle, "SOURCES", newer)
    cloud.build()
    monkeypatch.undo()
    try:
        second = install(root, cloud, "--no-service")
    finally:
        cloud.build()
    assert second.returncode == 0, second.stdout + second.stderr
    after = root.path("/opt/tandem-edge/current").readlink()
    assert after != before
    assert root.path(str(after / "supervise.sh")).read_text().endswith("# newer\n")
    assert root.path("/var/lib/tandem-edge/identity.json").read_bytes() == identity
    assert len(enrolling.requests) == 1
