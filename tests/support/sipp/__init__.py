"""Drive sipp (Debian package sip-tester 3.6): scenarios beside this file, one class to run them."""

import contextlib
import re
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

SCENARIOS: Final = Path(__file__).parent


class SippFailed(AssertionError):
    """sipp's exit status was not 0; the text ends with what it said."""


@dataclass(frozen=True)
class SippAccount:
    """Who sipp is."""

    username: str
    auth_username: str
    password: str = field(repr=False)
    domain: str = "demo.tandem.test"

    def row(self, third: str, event: str = "") -> str:
        """A line of sipp's input file: user, authentication, the scenario's own field, domain, event."""
        authentication = f"[authentication username={self.auth_username} password={self.password}]"
        return f"{self.username};{authentication};{third};{self.domain};{event}"


def free_udp_port() -> int:
    """A port that nothing holds now."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_media_ports() -> int:
    """The first of four ports that nothing holds now: sipp takes an even one for audio, and the one after the next for
    video."""
    while True:
        first = free_udp_port() & ~1
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + 4):
                    held.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
        return first


class Sipp:
    """One sipp process.

    Args:
        folder: where its files go.
        scenario: name of a scenario beside this file.
        target: `host:port` it sends to; empty for a scenario that waits.
        rows: input lines, taken in turn.
        calls: how many, then it ends by itself.
        rate: new calls a second.
        at_once: how many are in flight at most.
        talk_ms: length of the scenario's pause.
        answers_notifies: any NOTIFY that the scenario does not wait for is answered 200, whenever it comes; `notifies`
            has them.
    """

    def __init__(
        self,
        folder: Path,
        scenario: str,
        target: str = "",
        rows: tuple[str, ...] = (),
        calls: int = 1,
        rate: int = 50,
        talk_ms: int = 100,
        port: int | None = None,
        transport: str = "u1",
        at_once: int = 2000,
        answers_notifies: bool = False,
    ) -> None:
        self.port = port or free_udp_port()
        self._errors = folder / f"{scenario}-{self.port}.errors"
        command = [shutil.which("sipp") or "sipp", "-sf", str(SCENARIOS / f"{scenario}.xml")]
        if rows:
            table = folder / f"{scenario}-{self.port}.csv"
            table.touch(mode=0o600)
            table.write_text("SEQUENTIAL\n" + "\n".join(rows) + "\n", encoding="utf-8")
            command += ["-inf", str(table)]
        command += ["-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1", "-mp", str(free_media_ports())]
        command += ["-t", transport, "-m", str(calls), "-r", str(rate), "-d", str(talk_ms), "-nostdin"]
        command += ["-l", str(at_once), "-buff_size", "212992"]
        command += ["-trace_err", "-error_file", str(self._errors), "-timeout_error", "-timeout", "110s"]
        self._messages = folder / f"{scenario}-{self.port}.messages"
        if answers_notifies:
            command += ["-aa", "-trace_msg", "-message_file", str(self._messages)]
        self._command = [*command, *([target] if target else [])]
        self._log = folder / f"{scenario}-{self.port}.log"
        self._folder = folder

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def notifies(self) -> list[str]:
        """Each NOTIFY that came, in their order; one that came twice only once."""
        traced = self._messages.read_bytes() if self._messages.exists() else b""
        found: dict[str, None] = {}
        for head in re.finditer(rb"message received \[(\d+)\] bytes :\n\n", traced):
            message = traced[head.end() : head.end() + int(head[1])]
            if message.startswith(b"NOTIFY ") and len(message) == int(head[1]):
                found[message.decode("utf-8", "replace")] = None
        return list(found)

    def notified(self, header: str) -> list[str]:
        """That header of each of them."""
        return re.findall(rf"(?m)^{header}: (.+?)\r?$", "\n".join(self.notifies()))

    def finish(self, within: float) -> None:
        """Wait for its end.

        Raises:
            SippFailed: its exit status is not 0.
        """
        try:
            status = self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise SippFailed(f"sipp was not done within {within} s:\n{self._said()}") from None
        if status:
            raise SippFailed(f"sipp ended with {status}:\n{self._said()}")

    def _said(self) -> str:
        errors = self._errors.read_text(encoding="utf-8", errors="replace") if self._errors.exists() else ""
        return self._log.read_text(encoding="utf-8", errors="replace")[-1500:] + errors[:3000]


def run(folder: Path, scenario: str, target: str, rows: tuple[str, ...], within: float = 30.0, **options: int) -> None:
    """Run a scenario to its end.

    Raises:
        SippFailed: it did not succeed.
    """
    with Sipp(folder, scenario, target, rows, **options) as sipp:  # type: ignore[arg-type]  # options are numbers
        sipp.finish(within)
