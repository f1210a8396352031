"""`make run`: it names what is in its way, and finds its data again."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from cloud.local.running import read_running
from cloud.local.system import LocalSystem
from tests.system.conftest import Site, settings_for


def test_a_port_in_use_is_reported_by_name_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "cloud.local", "--any-ports", "--state-dir", str(tmp_path), "--no-portal"]
        done = subprocess.run(
            [*command, "--api-port", str(port)], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 1
    assert f"api: port {port} (tcp) on 127.0.0.1 is in use; --api-port takes another" in done.stderr


def test_it_starts_stops_at_ctrl_c_and_starts_again_with_its_data(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cloud.local", "--any-ports", "--state-dir", str(tmp_path)]
    command += ["--no-portal", "--no-installer"]

    def run_until_ready() -> tuple[str, str]:
        """Start it, read what is there, press Ctrl-C: the site's id and its last snapshot version."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        deadline = threading.Timer(90, process.kill)
        deadline.start()
        try:
            for line in process.stdout:
                if line.startswith("ready"):
                    break
            running = read_running(tmp_path)
            assert running is not None, "it became ready and said where it is"
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait() == 0
            assert "stopped; the data stays in" in rest
            return running.site_id, running.edge_id
        finally:
            deadline.cancel()
            process.kill()
            process.wait()
            process.stdout.close()

    first = run_until_ready()
    assert run_until_ready() == first
    assert read_running(tmp_path) is None


def test_a_system_that_was_killed_comes_back_with_the_same_site_and_phones(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    system = LocalSystem(settings, None, None, lambda _: None)
    try:
        system.start()
        before = Site(system).running
    finally:
        for part in system.parts.values():
            part.kill()
        system.stop_database(kill=True)
    again = LocalSystem(settings, None, None, lambda _: None)
    try:
        again.start()
        site = Site(again)
        assert (site.running.site_id, site.running.edge_id) == (before.site_id, before.edge_id)
        with site.phone(0) as phone:
            assert phone.register().status == 200
    finally:
        again.stop()
