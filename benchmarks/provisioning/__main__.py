"""`python -m benchmarks.provisioning [PHONES] [ROUNDS]`: the last phone served and the CPU spent, beside the peers.

Then the time in which a call is set up through a whole edge, at rest and while its phones boot.
"""

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.provisioning import calls
from benchmarks.provisioning.boots import boot
from tests.support.sipp import free_udp_port

TICKS = os.sysconf("SC_CLK_TCK")


_PEERS: Final = {"nginx-light": "nginx", "tftpd-hpa": "in.tftpd"}
"""Debian package → its program."""


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used so far."""
    total = 0.0
    for each in [pid, *children(pid)]:
        try:
            fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except FileNotFoundError:  # a child has ended, and counts with its parent
            continue
        total += sum(map(int, fields[11:15])) / TICKS
    return total


def children(pid: int) -> list[int]:
    """The processes that it started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(each) for each in text.split()]


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A program for as long as it is measured."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def nginx(folder: Path, files: Path, port: int) -> tuple[str, ...]:
    """nginx as it comes, with one worker, serving a folder."""
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; {user} worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;"
        "events { worker_connections 4096; }"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port} backlog=1024; root {files}; }} }}",
        encoding="ascii",
    )
    return (shutil.which("nginx") or "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))


def main(phones: int = 1000, rounds: int = 3) -> None:
    """Measure, interleaved, and print."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    lacking = [package for package, program in _PEERS.items() if shutil.which(program) is None]
    if lacking:
        print(f"NOT RUN: the phones' servers beside their peers (apt-get install {' '.join(lacking)})")
    else:
        beside_nginx_and_tftpd(phones, rounds)
    calls_meanwhile(phones)


def calls_meanwhile(phones: int) -> None:
    """How long calls take to be set up while the phones of a whole edge boot again and again, and while none does."""
    idle, storm = calls.measure(phones)
    for name, at in (("median", 0.5), ("p90", 0.9), ("p99", 0.99)):
        alone, beside = (sorted(each)[min(len(each) - 1, int(at * len(each)))] * 1000 for each in (idle, storm))
        said = f"idle {alone:.1f} ms, while {phones} phones boot {beside:.1f} ms, {beside / alone:.2f} times"
        print(f"call set-up {name}: {said}")


def beside_nginx_and_tftpd(phones: int, rounds: int) -> None:
    """The last phone served and the CPU spent, round by round beside the peers."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        files = folder / "files"
        files.mkdir()
        ours = stack.enter_context(
            running(sys.executable, "-m", "benchmarks.provisioning.site", str(phones), str(files))
        )
        assert ours.stdout is not None
        http, tftp = map(int, ours.stdout.readline().split())
        peer_http, peer_tftp = free_udp_port(), free_udp_port()
        web = stack.enter_context(running(*nginx(folder, files, peer_http)))
        daemon = shutil.which("in.tftpd") or "in.tftpd"
        place = f"127.0.0.1:{peer_tftp}"
        trivial = stack.enter_context(running(daemon, "-L", "-4", "-a", place, "-s", "-u", "root", str(files)))
        time.sleep(1.0)
        for how, port, peer, process in (("http", peer_http, "nginx", web), ("tftp", peer_tftp, "tftpd-hpa", trivial)):
            measured: dict[str, list[tuple[float, float, int]]] = {"ours": [], peer: []}
            for _ in range(rounds):
                for who, at, pid in (("ours", {"http": http, "tftp": tftp}[how], ours.pid), (peer, port, process.pid)):
                    before = cpu_seconds(pid)
                    seconds, failed = asyncio.run(boot(how, phones, at))
                    measured[who].append((seconds, cpu_seconds(pid) - before, failed))
            for who, runs in measured.items():
                last, cpu = (statistics.median(run[place] for run in runs) for place in (0, 1))
                failures = sum(run[2] for run in runs)
                said = f"last of {phones} after {last:.2f} s, {phones / last:.0f}/s, CPU {cpu:.2f} s, failed {failures}"
                print(f"{how} {who}: {said}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
