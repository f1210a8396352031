"""The site's relay: rtpengine where it is installed or given, and our own for whatever that cannot carry.

The agent starts the program itself, on a loopback control port that the system chooses, and starts it again when it
ends or does not answer. One that somebody else runs on this machine is spoken with at the address that the settings
name.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from edge_agent.clock import Clock
from edge_agent.health.alarms import Alarms
from edge_agent.media.rtpengine.control import ControlSocket, RtpengineError, open_control
from edge_agent.media.rtpengine.program import PACKAGE, ProgramSettings, command_line, found_program
from edge_agent.media.rtpengine.relay import RtpengineRelay
from edge_agent.media.rtpengine.requests import ping
from edge_agent.network.own_addresses import address_outwards, address_outwards_six
from edge_agent.ports import QualityTold, RelayedStream
from edge_agent.processes.backoff import Backoff
from edge_agent.processes.link import Answer
from edge_agent.processes.media_relay import ProcessMediaRelay, ProcessPortsAhead
from edge_agent.processes.supervisor import ProcessStatus
from edge_agent.processes.trunks import relay_settings
from edge_agent.settings import Settings
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

NAME: Final = "rtpengine"
LOOK_SECONDS: Final = 1.0
GREETING_PAUSE_SECONDS: Final = 0.05
LOOK_FOR_PROGRAM_SECONDS: Final = 30.0
_LAST_LINES: Final = 3
_LONGEST_LINE: Final = 300

GivesOrders = Callable[[str, dict[str, str]], Awaitable[Answer]]


class SiteRelay:
    """See `edge_agent.ports.MediaRelay`.

    Args:
        settings: of this machine.
        order_sip, order_media: have those processes do something at once.
        alarms: of this edge.
        changed: hears that `status` says something new.
        measured: hears how much of each party of a call came.
    """

    def __init__(
        self,
        settings: Settings,
        order_sip: GivesOrders,
        order_media: GivesOrders,
        alarms: Alarms,
        clock: Clock,
        tokens: Tokens,
        changed: Callable[[], None],
        measured: QualityTold,
    ) -> None:
        self._settings, self._alarms, self._clock, self._tokens = settings, alarms, clock, tokens
        self._changed = changed
        self._own = ProcessMediaRelay(order_media)
        self._places = {} if settings.media.relay == "own" else places_of(settings)
        self._relay = RtpengineRelay(
            self._places, self._own, ProcessPortsAhead(order_sip).offer, clock, tokens, measured
        )
        self._wanted = asyncio.Event()
        if settings.media.relay == "rtpengine":
            self._wanted.set()
        self._stopping = asyncio.Event()
        self._status: ProcessStatus | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._runs = 0

    @property
    def status(self) -> ProcessStatus | None:
        """rtpengine as the status shows it; None: it is not wanted, or there is none and none is asked for."""
        if self._status is None:
            return None
        figures = tuple(sorted(self._relay.figures().items()))
        return replace(self._status, figures=figures, problem=self._relay.problem or self._status.problem)

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """See `MediaRelay`."""
        if streams:
            self._wanted.set()
        self._relay.carry(streams)

    def sip_started(self) -> None:
        """The SIP process knows of no ports yet."""
        self._relay.tell_again()

    async def run(self) -> None:
        """Have rtpengine running, or be spoken with, until `stop`; nothing with the settings `own`."""
        media = self._settings.media
        if media.relay == "own":
            return
        await self._first_of(self._wanted.wait(), None)
        times = self._settings.supervision
        backoff = Backoff(times.restart_first_seconds, times.restart_longest_seconds, times.steady_after_seconds)
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            program = None if media.rtpengine_control else found_program()
            if not media.rtpengine_control and program is None:
                self._missing()
                await self._first_of(asyncio.Event().wait(), LOOK_FOR_PROGRAM_SECONDS)
                continue
            self._alarms.end("rtpengine_missing")
            problem = await (self._run_program(program) if program else self._speak(_address(media.rtpengine_control)))
            if self._stopping.is_set():
                return
            pause = backoff.after(self._clock.monotonic() - began)
            self._ended(problem)
            await self._first_of(asyncio.Event().wait(), pause)

    async def stop(self) -> None:
        """End the program, if it is ours."""
        self._stopping.set()
        await self._relay.close()
        await self._end_child()

    def _missing(self) -> None:
        if self._settings.media.relay != "rtpengine":
            return
        problem = f"is not installed (Debian: {PACKAGE}); our own relay carries every call"
        self._status = ProcessStatus(NAME, problem=problem)
        self._alarms.begin("rtpengine_missing", "warning", f"rtpengine {problem}")
        self._changed()

    def _ended(self, problem: str) -> None:
        log.warning("process_ended", extra={"subsystem": NAME, "problem": problem})
        restarts = self._status.restarts + 1 if self._status is not None else 0
        self._status = ProcessStatus(NAME, restarts=restarts, since=self._clock.now(), problem=problem)
        self._alarms.begin("process_restarted", "warning", f"{NAME}: {problem}", NAME)
        self._changed()

    async def _run_program(self, program: str) -> str:
        """One run of the program; how it ended."""
        port = _free_port()
        first_port, last_port = self._half()
        settings = ProgramSettings(self._places, port, first_port, last_port)
        command = (sys.executable, "-m", "edge_agent.processes.parent", str(os.getpid()))
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                *command_line(program, settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            return f"could not be started: {error.strerror}"
        self._child = child
        self._begun(pid=child.pid, port=port)
        said: deque[str] = deque(maxlen=_LAST_LINES)
        reading = asyncio.create_task(_read(child.stderr, said))
        speaking = asyncio.create_task(self._speak(("127.0.0.1", port)))
        ending = asyncio.create_task(child.wait())
        await asyncio.wait((speaking, ending), return_when=asyncio.FIRST_COMPLETED)
        # Its sockets are closed with it; they are ours from this moment on.
        problem = _how(child.returncode, said) if ending.done() else ""
        if ending.done():
            self._relay.down()
        await self._end_child()
        speaking.cancel()
        answers = await asyncio.gather(speaking, return_exceptions=True)
        await asyncio.gather(ending, reading)
        return problem or next((one for one in answers if isinstance(one, str)), "ended")

    def _half(self) -> tuple[int, int]:
        """The ports of a run: one half of them and the other in turn, so that what our own relay takes over is free."""
        media = self._settings.media
        middle = (media.rtpengine_first_port + media.rtpengine_last_port) // 2 // 2 * 2
        self._runs += 1
        return (media.rtpengine_first_port, middle - 1) if self._runs % 2 else (middle, media.rtpengine_last_port)

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _speak(self, address: tuple[str, int]) -> str:
        """Speak with an rtpengine for as long as it answers; why it does not."""
        if self._settings.media.rtpengine_control:
            self._begun(pid=None, port=address[1])
        try:
            control = await open_control(address, self._clock, self._tokens)
        except OSError as error:
            return f"cannot be asked: {error.strerror}"
        try:
            if problem := await self._greet(control):
                return problem
            self._relay.up(control)
            began = self._clock.monotonic()
            if self._status is not None:
                self._status = replace(self._status, state="configured")
            self._changed()
            while not await self._first_of(asyncio.Event().wait(), LOOK_SECONDS):
                await self._relay.look()
                if self._clock.monotonic() - began >= self._settings.supervision.steady_after_seconds:
                    self._alarms.end("process_restarted", NAME)
        except RtpengineError as error:
            return f"does not answer as it should: {error}"
        else:
            return "is not needed any more"
        finally:
            self._relay.down()
            await control.close()

    async def _greet(self, control: ControlSocket) -> str:
        """Wait until it answers; why it did not."""
        until = self._clock.monotonic() + self._settings.supervision.start_seconds
        while not self._stopping.is_set():
            try:
                await control.ask(ping())
            except RtpengineError as error:
                if self._clock.monotonic() > until:
                    return str(error)
                await self._first_of(asyncio.Event().wait(), GREETING_PAUSE_SECONDS)
            else:
                return ""
        return "is not needed any more"

    def _begun(self, pid: int | None, port: int) -> None:
        before = self._status
        self._status = ProcessStatus(
            NAME,
            "starting",
            pid,
            restarts=before.restarts if before else 0,
            since=self._clock.now(),
            ports=(("rtpengine_control", port),),
            problem=before.problem if before else "",
        )
        self._changed()

    async def _first_of(self, what: Awaitable[object], seconds: float | None) -> bool:
        """Wait for this, for so long, or until we are to stop; whether we are."""
        waiting = [asyncio.ensure_future(what), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        return self._stopping.is_set()


def places_of(settings: Settings) -> dict[str, str]:
    """The local address that media for each host of ours arrives at, by the host that parties are told."""
    told, media = relay_settings(settings.sip), settings.media
    found = {}
    for host in dict.fromkeys((*told.inside, *told.outside)):
        six = ":" in host
        if media.address not in ("0.0.0.0", "::") and (":" in media.address) == six:
            found[host] = media.address
        elif _is_here(host):
            found[host] = host
        elif outwards := address_outwards_six() if six else address_outwards():
            found[host] = outwards
    return found


def _is_here(host: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return str(ipaddress.ip_address(host.strip("[]"))), int(port)


async def _read(stream: asyncio.StreamReader | None, said: deque[str]) -> None:
    """What the program says for people, a line at a time, into our own log."""
    if stream is None:
        return
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # longer than any line is kept
        if not line:
            return
        text = line.decode("utf-8", "replace").strip()[:_LONGEST_LINE]
        said.append(text)
        log.info("rtpengine_says", extra={"text": text})


def _how(code: int | None, said: deque[str]) -> str:
    if code is not None and code < 0:
        return f"ended by signal {-code}"
    return f"ended with status {code}: {'; '.join(said)}"
