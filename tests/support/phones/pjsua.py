"""pjsua2 2.15 (PyPI package pjsua2-python) behind the verbs of a phone; `pjsua_program` is the phone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Final

from tests.support.phones.phone import Event, Lines, Phone, Seen
from tests.support.phones.trace import Trace

PACKETS: Final = 5
"""RTP packets that count as audio."""


class PjsuaPhone(Phone):
    """One pjsua2 in a process of its own."""

    program: ClassVar[str] = "pjsua2"
    tone_hz = 440
    """What it says all the time; to be set before it starts."""
    srtp = ""
    """`mandatory` has it take and make calls with SRTP (SDES) only; to be set before it starts."""
    publishes = False
    """Whether it publishes its user's presence (RFC 3903)."""

    def start(self) -> None:
        account = self.account
        settings = {
            "username": account.username,
            "auth_username": account.auth_username,
            "password": account.password,
            "domain": account.domain,
            "registrar": account.registrar,
            "transport": account.transport,
            "authority": str(self.surroundings.authority),
            "log": str(self.folder / "log"),
            "packets": str(PACKETS),
            "tone_hz": str(self.tone_hz),
            "srtp": self.srtp,
            "publishes": "yes" if self.publishes else "",
            "recordings": str(self.folder / "heard"),
        }
        file = self.folder / "settings.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "tests.support.phones.pjsua_program", str(file)]
        self._trace, self._log, self._lines = Trace(), Lines(self.folder / "log"), Lines(self.folder / "said")
        with self._lines.path.open("wb") as out, (self.folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=errors)

    def stop(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(3)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()

    def poll(self) -> list[Event]:
        assert self._process.poll() is None, f"{self.name} ended with {self._process.returncode}:\n{self.said()}"
        found = [event for line in self._log.new() for event in self._trace.take(line)]
        for line in self._lines.new():
            what, detail = json.loads(line)
            if what in Seen.__members__:
                found.append(Event(Seen[what], detail))
        return found

    def _do(self, *words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()

    def call(self, number: str) -> None:
        self._do("call", self.uri(number))

    def answer(self) -> None:
        self._do("answer")

    def decline(self) -> None:
        self._do("refuse", str(self.busy_status))

    def let_it_ring(self) -> None:
        self._do("refuse", str(self.no_answer_status))

    def hang_up(self) -> None:
        self._do("hang_up")

    def hold(self) -> None:
        self._do("hold")

    def resume(self) -> None:
        self._do("resume")

    def transfer(self, number: str) -> None:
        self._do("transfer", self.uri(number))

    def join(self) -> None:
        self._do("join")

    def press(self, keys: str) -> None:
        """Press keys in the newest call (RFC 4733)."""
        self._do("press", keys)

    def watch(self, number: str) -> None:
        """Watch somebody's presence; `Seen.PRESENCE` tells of it as `open` or `closed`."""
        self._do("watch", self.uri(number))

    def say(self, basic: str, note: str) -> None:
        """Set one's own presence: `open` or `closed`, and a note."""
        self._do("say", basic, note)

    def heard(self) -> list[Path]:
        """What the other end said, in a file for each call that is over."""
        return sorted(self.folder.glob("heard.*.wav"), key=lambda file: file.stat().st_mtime_ns)

    def said(self) -> str:
        parts = [self._lines.path, self.folder / "errors", self.folder / "log"]
        return "\n".join(part.read_text("utf-8", "replace")[-2500:] for part in parts if part.exists())
