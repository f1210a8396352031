"""One process of the system on this machine: started, watched, restarted, stopped; its state is there to look at."""

import ctypes
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

from cloud.errors import CloudError

State = Literal["starting", "ready", "stopped", "failed"]
READY_PREFIX: Final = "ready"
"""A process that is ready says so in a line `ready {…}` of JSON on its standard output."""
_PR_SET_PDEATHSIG: Final = 1
_LOG_BYTES: Final = 20 * 1024 * 1024


class PartFailed(CloudError):
    """A process ended before it was ready; the text ends with its last lines."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What the watcher tells the main thread: the process of this part is gone."""

    part: "Part"
    status: int


class Part:
    """One child process.

    Args:
        name: what people know it by.
        command: program and arguments.
        environment: the child's whole environment.
        log: file that its output is appended to.
        on_state: told each change of state, from any thread.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        log: Path,
        on_state: Callable[["Part"], None],
    ) -> None:
        self.name = name
        self.state: State = "stopped"
        self.facts: dict[str, Any] = {}
        """What it said in its ready line."""
        self._command = command
        self._environment = dict(environment)
        self._log = log
        self._on_state = on_state
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = threading.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, ended: "queue.SimpleQueue[Ended | None]") -> None:
        """Start it; call from the main thread only, because the child dies with the thread that made it."""
        self._ready = ready = threading.Event()
        self._set("starting")
        # When this process is killed the children follow, each stopping cleanly.
        stop_with_parent = ctypes.CDLL(None).prctl
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process only, which then stops them in order
            preexec_fn=lambda: stop_with_parent(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509  one system call
        )
        assert self._process.stdout is not None  # noqa: S101  stdout is a pipe
        threading.Thread(
            target=self._watch, args=(self._process, self._process.stdout, ready, ended), daemon=True
        ).start()

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        output: IO[bytes],
        ready: threading.Event,
        ended: "queue.SimpleQueue[Ended | None]",
    ) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        with output, self._log.open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                if line.startswith(READY_PREFIX.encode()):
                    self._note_ready(line, ready)
        status = process.wait()
        if process is self._process:  # not started anew meanwhile
            self._set("failed" if status else "stopped")
        ready.set()
        ended.put(Ended(self, status))

    def _note_ready(self, line: bytes, ready: threading.Event) -> None:
        text = line.decode("utf-8", "replace")[len(READY_PREFIX) :].strip()
        try:
            facts = json.loads(text) if text else {}
        except json.JSONDecodeError:
            return
        self.facts = facts
        if not ready.is_set():
            self._set("ready")
            ready.set()

    def _set(self, state: State) -> None:
        self.state = state
        self._on_state(self)

    def wait_ready(self, within: float) -> None:
        """Until it has said that it is ready.

        Raises:
            PartFailed: it ended instead, or said nothing for `within` seconds.
        """
        in_time = self._ready.wait(within)
        if self.state != "ready":
            why = f"ended with {self._process.poll() if self._process else None}" if in_time else f"not in {within:g} s"
            raise PartFailed(f"{self.name} is not ready ({why}); the end of {self._log}:\n{self.last_lines()}")

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        if not self._log.exists():
            return "(empty)"
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self, within: float = 10.0) -> None:
        """Ask it to stop; after `within` seconds, make it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
