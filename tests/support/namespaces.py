"""Three machines on one switch: network namespaces of our own, made without being root on this machine."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import eventually

SITE_ADDRESS = "192.0.2.1"


@dataclass(frozen=True)
class Lan:
    """`site` is the edge's machine, 192.0.2.1/24 on its `eth0`; `phone` and `other` have no address on theirs."""

    site: int
    phone: int
    other: int

    def command(self, machine: int, *command: str) -> list[str]:
        """A command line that runs there."""
        return ["nsenter", "--target", str(machine), "--user", "--net", "--preserve-credentials", *command]

    def run(self, machine: int, *command: str, seconds: float = 60) -> str:
        """What a command there printed; it must succeed."""
        done = self.result(machine, *command, seconds=seconds)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def result(self, machine: int, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """What became of a command there."""
        return subprocess.run(
            self.command(machine, *command), capture_output=True, text=True, timeout=seconds, check=False
        )

    def listens(self, machine: int, port: int) -> bool:
        """Whether a program there has this UDP port."""
        return f":{port:04X} " in Path(f"/proc/{machine}/net/udp").read_text(encoding="ascii")

    @contextlib.contextmanager
    def running(self, machine: int, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A program there that lasts as long as the block."""
        with subprocess.Popen(
            self.command(machine, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@contextlib.contextmanager
def lan() -> Iterator[Lan]:
    """A site's network; it and all that runs in it is gone after the block."""
    with contextlib.ExitStack() as stack:
        site = _holder(stack, "unshare", "--map-root-user", "--net", "sleep", "infinity")
        entered = ("nsenter", "--target", str(site), "--user", "--preserve-credentials")
        switch, phone, other = (_holder(stack, *entered, "unshare", "--net", "sleep", "infinity") for _ in range(3))
        made = Lan(site, phone, other)
        made.run(switch, "ip", "link", "add", "name", "switch", "type", "bridge")
        made.run(switch, "ip", "link", "set", "switch", "up")
        for number, machine in enumerate((site, phone, other)):
            port = f"port{number}"
            made.run(switch, "ip", "link", "add", "name", port, "type", "veth", "peer", "name", "eth0")
            made.run(switch, "ip", "link", "set", "eth0", "netns", str(machine))
            made.run(switch, "ip", "link", "set", port, "master", "switch", "up")
            made.run(machine, "ip", "link", "set", "lo", "up")
            made.run(machine, "ip", "link", "set", "eth0", "up")
        made.run(site, "ip", "address", "add", f"{SITE_ADDRESS}/24", "dev", "eth0")
        yield made


def _holder(stack: contextlib.ExitStack, *command: str) -> int:
    """A process that keeps a namespace; its number once it is in it."""
    process = stack.enter_context(subprocess.Popen(command))
    stack.callback(process.kill)

    def is_there() -> bool:
        return Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii").strip() == "sleep"

    eventually(is_there)
    return process.pid
