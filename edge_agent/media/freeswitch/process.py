"""A FreeSWITCH of the agent's own: found, configured, started, watched, and taken over again by the next agent.

It is no child that dies with the agent: its calls go on while an agent that was killed is started again, and meet the
new one by another `socket` of the dialplan. It ends when the agent is asked to stop.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from edge_agent.clock import Clock
from edge_agent.durable_file import write_durably
from edge_agent.media.errors import MediaError
from edge_agent.media.freeswitch import commands
from edge_agent.media.freeswitch.configuration import CONTEXT, LOOPBACK, FreeSwitchPorts, configuration
from edge_agent.media.freeswitch.control import RELOADED, ControlLost, FreeSwitchControl
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

PLACES: Final = (Path("/usr/local/freeswitch/bin/freeswitch"), Path("/opt/freeswitch/bin/freeswitch"))
"""Where it is looked for besides the search path."""
START_SECONDS: Final = 30.0
"""Its first start on a machine takes 5 s, later ones 1.5 s."""
STOP_SECONDS: Final = 12.0
"""It takes 7 to 8 s to stop."""
WATCH_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 20.0
BACK_SECONDS: Final = 6.0
"""By then each call of an agent that was killed has come back by itself."""
_LONGEST_PAUSE: Final = 10.0
_NOT_READY: Final = "is not ready"
"""What its status says while it loads modules: it refuses calls then."""


class FreeSwitchFailed(MediaError):
    """FreeSWITCH is not on this machine, or does not start; the text says which, and where its log is."""


class Kept(BaseModel):
    """What the next agent has to know of a FreeSWITCH that goes on without us; nobody else's to read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: SecretStr
    sip: int
    control: int
    events: int


@dataclass(frozen=True, slots=True)
class FreeSwitchSettings:
    """What does not change while the agent runs.

    Args:
        program: the program.
        folder: for its configuration, log and databases.
        rtp_address: an address of this machine that phones reach.
        rtp: first and last port.
        most_sessions: legs at one time.
        codecs: in FreeSWITCH's spelling, the most wanted first.
        hung_seconds: one that does not answer within this is ended.
    """

    program: Path
    folder: Path
    rtp_address: str
    rtp: tuple[int, int]
    most_sessions: int
    codecs: tuple[str, ...]
    hung_seconds: float = 20.0


def found_program(named: str) -> Path:
    """Where FreeSWITCH is.

    Args:
        named: what the settings say; empty looks for it.

    Raises:
        FreeSwitchFailed: it is not there.
    """
    if named:
        if not os.access(named, os.X_OK):
            raise FreeSwitchFailed(f"media.freeswitch_program: {named} is no program that may be run")
        return Path(named)
    on_path = shutil.which("freeswitch")
    places: tuple[Path, ...] = (*((Path(on_path),) if on_path else ()), *PLACES)
    for place in places:
        if os.access(place, os.X_OK):
            return place
    raise FreeSwitchFailed(
        "engine freeswitch is asked for, but FreeSWITCH is not on this machine: install it, or say where it is by "
        "media.freeswitch_program"
    )


def kept_in(folder: Path) -> Kept | None:
    """What an earlier agent wrote down; None: nothing that can be used."""
    try:
        return Kept.model_validate_json((folder / "control.json").read_bytes())
    except (OSError, ValidationError):
        return None


class FreeSwitchProcess:
    """Keeps one FreeSWITCH up.

    Args:
        settings: of it.
        kept: its ports and password, which `choose` made.
        served: UUIDs of the calls that the agent has now; others are brought to it anew after it took over.
        engine_is: hears which one has the calls, by an id that it keeps as long as it runs; empty: it is gone.
        has_fax: told whether it can receive fax, each time it is up.
    """

    def __init__(
        self,
        settings: FreeSwitchSettings,
        kept: Kept,
        clock: Clock,
        served: Callable[[], Collection[str]],
        engine_is: Callable[[str], None] = lambda engine_id: None,
        has_fax: Callable[[bool], object] = lambda _: None,
    ) -> None:
        self._settings, self._kept, self._clock, self._served = settings, kept, clock, served
        self._engine_is, self._has_fax = engine_is, has_fax
        self._child: int | None = None
        self._stopping = asyncio.Event()
        self.running: asyncio.Task[None] | None = None
        self.bringing_back: asyncio.Task[None] | None = None
        self.control: FreeSwitchControl | None = None
        """While it is up."""
        self.has_been_up = asyncio.Event()
        self.starts = 0

    def begin(self) -> None:
        """Take over the one that runs, or start it, and keep it up until `stop`."""
        self.running = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Have it end; it hangs up its calls and takes some seconds for the rest, which nobody waits for."""
        self._stopping.set()
        for task in (self.running, self.bringing_back):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        _signal(self._pid() or self._child, signal.SIGTERM)

    async def _run(self) -> None:
        pause = 0.5
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            try:
                control = await self._adopted() or await self._started()
                try:
                    self.control = control
                    if identity := self._identity():
                        self._engine_is(identity)
                    self.has_been_up.set()
                    self._has_fax((await control.ask(commands.has_fax())).strip() == "true")
                    await self._watch(control)
                finally:
                    self.control = None
                    await control.close()
                    if self._pid() is None:
                        self._engine_is("")
            except (MediaError, OSError) as error:
                self._reaped()
                log.warning("freeswitch_down", extra={"problem": str(error)})
            pause = 0.5 if self._clock.monotonic() - began > STEADY_SECONDS else min(2 * pause, _LONGEST_PAUSE)
            await self._pause(pause)
            self._reaped()

    async def _adopted(self) -> FreeSwitchControl | None:
        """A connection with the one that an earlier agent left, or that is still up; None: there is none."""
        if self._pid() is None:
            return None
        try:
            control = await FreeSwitchControl.open(LOOPBACK, self._kept.control, self._kept.password, within=3.0)
        except ControlLost:
            await self._end_of_it()
            return None
        async with contextlib.AsyncExitStack() as unless_in_use:
            unless_in_use.push_async_callback(control.close)
            await self._reconfigure(control)
            unless_in_use.pop_all()
        log.info("freeswitch_taken_over")
        self.bringing_back = asyncio.get_running_loop().create_task(self._bring_back(control))
        return control

    async def _reconfigure(self, control: FreeSwitchControl) -> None:
        """Have it read its file anew where that is not what it should be."""
        wanted, file = self._configuration().encode(), self._settings.folder / "conf" / "freeswitch.xml"
        if content_of(file) == wanted:
            return
        write_durably(file, wanted)
        if (answer := await control.ask(commands.api("reloadxml"))).strip() != RELOADED:
            log.error("freeswitch_configuration_refused", extra={"problem": answer.strip()[:200]})

    async def _bring_back(self, control: FreeSwitchControl) -> None:
        """Calls that did not come back by themselves, such as those in a conference, are brought to the agent anew."""
        await self._pause(BACK_SECONDS)
        with contextlib.suppress(ControlLost, ValueError):
            rows = json.loads(await control.ask(commands.show_channels())).get("rows", [])
            served = self._served()
            for row in rows:
                call, dialled = str(row.get("uuid", "")), str(row.get("dest", ""))
                if call not in served and dialled:
                    await control.ask(commands.api("uuid_transfer", call, dialled, "XML", CONTEXT))

    async def _started(self) -> FreeSwitchControl:
        folder, self.starts = self._settings.folder, self.starts + 1
        for part in ("conf", "log", "db", "run"):
            (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(folder / "conf" / "freeswitch.xml", self._configuration().encode())
        places = [word for part in ("conf", "log", "db", "run") for word in (f"-{part}", str(folder / part))]
        self._spawn([str(self._settings.program), "-nf", "-nc", "-np", "-nonat", *places])
        deadline = self._clock.monotonic() + START_SECONDS
        status: int | None = None
        while status is None and self._clock.monotonic() < deadline:
            with contextlib.suppress(ControlLost):
                control = await FreeSwitchControl.open(LOOPBACK, self._kept.control, self._kept.password)
                while _NOT_READY in await control.ask(commands.api("status")) and self._clock.monotonic() < deadline:
                    await self._pause(0.1)
                log.info("freeswitch_started", extra={"pid": self._child})
                return control
            await self._pause(0.2)
            status = self._reaped()
        _signal(self._child, signal.SIGKILL)
        how = f"ended with status {status}" if status is not None else "does not come up"
        raise FreeSwitchFailed(f"FreeSWITCH {how}; see {folder / 'log' / 'freeswitch.log'}")

    async def _watch(self, control: FreeSwitchControl) -> None:
        """Until it is gone; one that does not answer any more is ended."""
        over = asyncio.ensure_future(control.over())
        try:
            while not over.done():
                await control.ask(commands.api("status"), within=self._settings.hung_seconds)
                await asyncio.wait([over], timeout=WATCH_SECONDS)
        except ControlLost:
            if not over.done():
                _signal(self._pid(), signal.SIGKILL)
            raise
        finally:
            over.cancel()
        raise ControlLost("FreeSWITCH has ended")

    async def _end_of_it(self) -> None:
        """One that is ending, or that is not to be spoken with, would keep the next one from starting."""
        deadline = self._clock.monotonic() + STOP_SECONDS
        _signal(self._pid(), signal.SIGTERM)
        while (pid := self._pid()) is not None:
            if self._clock.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
            await self._pause(0.1)

    def _spawn(self, words: list[str]) -> None:
        """Start it as a session of its own, without our environment."""
        nothing = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in range(3)]
        self._child = os.posix_spawn(words[0], words, {"PATH": os.defpath}, file_actions=nothing, setsid=True)

    def _reaped(self) -> int | None:
        """The status of our own child, once it has ended; None: it goes on, or there is none of our own."""
        if self._child is not None:
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if pid:
                self._child = None
                return os.waitstatus_to_exitcode(status)
        return None

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _configuration(self) -> str:
        kept, settings = self._kept, self._settings
        ports = FreeSwitchPorts(kept.sip, kept.control, kept.events, settings.rtp, settings.rtp_address)
        return configuration(ports, kept.password, settings.most_sessions, settings.codecs)

    def _identity(self) -> str:
        """Which one runs: its process, and when that was started, in the system's own count (proc(5))."""
        pid = self._pid() or self._child
        try:
            started = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
        except (OSError, IndexError):
            return ""
        return f"freeswitch-{pid}-{started}"

    def _pid(self) -> int | None:
        """Its process, by the file that it writes, where that still is a FreeSWITCH of this folder."""
        return pid_of(self._settings.folder)


def pid_of(folder: Path) -> int | None:
    """The process that a folder's pid file names, where that still is a FreeSWITCH of this folder."""
    try:
        pid = int((folder / "run" / "freeswitch.pid").read_text(encoding="ascii")[:20].strip() or "0")
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(folder / "run") in command else None


def taken(port: int) -> bool:
    """Whether somebody has a port of loopback, by TCP or UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return True
    return False


def choose(folder: Path, tokens: Tokens, sip: int, events: int, free: Callable[[], int]) -> Kept:
    """Its ports and password, the earlier ones where there are some, and write them down.

    Args:
        folder: of the FreeSWITCH.
        tokens: makes a password.
        sip: the UDP port that the settings ask for; 0: any.
        events: the TCP port at which the agent takes calls.
        free: finds a free port.
    """
    earlier = kept_in(folder)
    # One that goes on has its ports; where none does, somebody else may have taken them meanwhile.
    keeps = earlier is not None and (pid_of(folder) is not None or not (taken(earlier.control) or taken(earlier.sip)))
    kept = Kept(
        password=earlier.password if earlier else SecretStr(tokens.token(24)),
        sip=sip or (earlier.sip if earlier and keeps else free()),
        control=earlier.control if earlier and keeps else free(),
        events=events,
    )
    if kept != earlier:
        shown = {**kept.model_dump(), "password": kept.password.get_secret_value()}
        write_durably(folder / "control.json", json.dumps(shown).encode())
    return kept


def content_of(file: Path) -> bytes:
    """What is in a file; nothing where it is not there."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
