"""One process of the agent: started, watched, spoken with, and started again when it ends.

Neighbours may rely on: `run` never raises for what the process does; a request to a process that ends meanwhile
raises `ProcessGone` instead of waiting; after `stop` no process is left. A process dies with the agent by the end of
its link and, should it not read, by the signal that `child.py` asks the system for.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, Protocol, assert_never

from edge_agent.clock import Clock
from edge_agent.errors import EdgeError
from edge_agent.ports import MessagesWaiting, Notice, NoticeOutcome, RelayedStream
from edge_agent.processes.backoff import Backoff
from edge_agent.processes.link import (
    AgentEnd,
    Answer,
    AskHealth,
    Carries,
    Commit,
    Committed,
    EngineIs,
    Failed,
    FromProcess,
    Health,
    LinkError,
    OrbitsTaken,
    Order,
    Ports,
    Prepare,
    Prepared,
    Pressed,
    Refused,
    Reported,
    SetState,
    Showed,
    Start,
    Started,
    Stop,
    Told,
    Waits,
    Wanted,
    Wrote,
    agent_end,
)
from edge_agent.settings import Settings

log = logging.getLogger(__name__)
LONGEST_START_SECONDS: Final = 600.0
"""Each start that was too slow gives the next one twice the time, up to this."""


class ProcessGone(EdgeError):
    """The process ended, hung, or is not up; the text says which."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What is known of a process now.

    Args:
        state: `up` once it has answered the start; `configured` once it has committed a version.
        version: the snapshot version that it runs.
        restarts: how often it was started again.
        problem: how it ended last.
    """

    name: str
    state: Literal["down", "starting", "up", "configured"] = "down"
    pid: int | None = None
    version: int | None = None
    restarts: int = 0
    since: datetime | None = None
    ports: tuple[tuple[str, int], ...] = ()
    figures: tuple[tuple[str, int], ...] = ()
    problem: str = ""


class Watcher(Protocol):
    """Who wants to know about processes: the agent."""

    async def process_started(self, process: "Supervised") -> None:
        """It is up and waits for its configuration."""
        ...

    def process_ended(self, process: "Supervised", problem: str) -> None:
        """It ended without being asked to; it will be started again."""
        ...

    def process_reported(self, process: "Supervised") -> None:
        """It wrote something into the outbox."""
        ...

    def process_wants(self, process: "Supervised", notice: Notice) -> None:
        """It wants a phone to be told something."""
        ...

    def process_told(self, process: "Supervised", outcome: NoticeOutcome) -> None:
        """What became of a notice that it was ordered to send."""
        ...

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        """A mailbox that a process keeps has so many messages now."""
        ...

    def orbits_taken(self, waiting: Mapping[str, str]) -> None:
        """So many callers wait in orbits of call park, by orbit."""
        ...

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """Exactly these streams of media are to be relayed."""
        ...

    def key_pressed(self, call_id: str, key: str) -> None:
        """Whose keys are watched pressed one in a relayed call."""
        ...

    def engine_is(self, engine_id: str) -> None:
        """The media engine has this id; empty: it is gone."""
        ...

    def phone_showed(self, device_id: str, user_agent: str) -> None:
        """A phone said what it is when it registered."""
        ...

    def process_wrote(self, process: "Supervised", values: Mapping[str, str | bool]) -> None:
        """A user changed site state at it."""
        ...

    def process_steady(self, process: "Supervised") -> None:
        """It has run for a while since it was started again."""
        ...


class Supervised:
    """One process under supervision.

    Args:
        name: for logs and people, such as `sip`.
        module: what to run, such as `edge_agent.processes.sip`.
        settings: given to the process at its start.
    """

    def __init__(self, name: str, module: str, settings: Settings, watcher: Watcher, clock: Clock) -> None:
        self.name = name
        self._module = module
        self._settings = settings
        self._times = settings.supervision
        self._watcher = watcher
        self._clock = clock
        self._backoff = Backoff(
            self._times.restart_first_seconds, self._times.restart_longest_seconds, self._times.steady_after_seconds
        )
        self._link: AgentEnd | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._up = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[FromProcess]] = {}
        self._orders = 0
        self._heard_at = 0.0
        self._start_seconds = self._times.start_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._problem = ""
        self.status = ProcessStatus(name)

    @property
    def is_up(self) -> bool:
        """Whether it can be asked things."""
        return self._up.is_set()

    @property
    def ports(self) -> Ports:
        """What the process has bound."""
        return dict(self.status.ports)

    async def run(self) -> None:
        """Keep the process running until `stop`."""
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            self._problem = ""
            await self._one_run()
            if self._stopping.is_set():
                return
            pause = self._backoff.after(self._clock.monotonic() - began)
            log.warning(
                "process_ended", extra={"subsystem": self.name, "problem": self._problem, "restart_in_seconds": pause}
            )
            self.status = replace(self.status, restarts=self.status.restarts + 1)
            self._watcher.process_ended(self, self._problem)
            await _first_of(self._stopping.wait(), pause)

    async def stop(self) -> None:
        """Ask the process to end, and make it end if it does not within `stop_seconds`."""
        self._stopping.set()
        child = self._child
        if child is None:
            return
        self._tell_to_stop()
        if not await _first_of(child.wait(), self._times.stop_seconds):
            log.warning("process_killed", extra={"subsystem": self.name, "problem": "did not stop when asked"})
            _kill(child)
            await child.wait()

    async def wait_up(self, seconds: float) -> bool:
        """Whether the process is up, waiting for that at most this long."""
        return await _first_of(self._up.wait(), seconds)

    async def wait_up_again(self) -> bool:
        """Whether a process that is being ended is up again, waiting for that at most `start_seconds`."""
        self._up.clear()
        return await self.wait_up(self._times.start_seconds)

    async def prepare(self, message: Prepare) -> Prepared | Refused:
        """Have the process get ready for a configuration.

        Raises:
            ProcessGone: it ended or hung over it.
        """
        answer = await self._ask("prepare", message, self._times.apply_seconds)
        if not isinstance(answer, Prepared | Refused):
            raise ProcessGone(f"{self.name}: an answer out of turn")
        return answer

    async def commit(self, version: int) -> None:
        """Have the process use what it prepared; one that cannot is started again.

        Raises:
            ProcessGone: it could not, and is being started again.
        """
        try:
            answer = await self._ask("commit", Commit(version=version), self._times.apply_seconds)
        except ProcessGone:
            self.restart(f"did not take over version {version}")
            raise
        if not isinstance(answer, Committed):
            raise ProcessGone(f"{self.name}: an answer out of turn")
        ports = tuple(sorted({**self.ports, **answer.ports}.items()))
        self.status = replace(self.status, state="configured", version=answer.version, ports=ports)

    async def order(self, name: str, arguments: dict[str, str]) -> Answer:
        """Have the process do something at once.

        Raises:
            ProcessGone: it is not there, or does not answer.
        """
        self._orders += 1
        order = Order(order_id=str(self._orders), name=name, arguments=arguments)
        answer = await self._ask(f"order {order.order_id}", order, self._times.apply_seconds)
        if not isinstance(answer, Answer):
            raise ProcessGone(f"{self.name}: an answer out of turn")
        return answer

    def set_state(self, message: SetState) -> None:
        """Tell the process about site state; one that is not up learns it with its configuration."""
        if self._link is None or not self._up.is_set():
            return
        try:
            self._link.send(message)
        except LinkError as error:
            self.restart(str(error))

    def restart(self, problem: str) -> None:
        """End the process so that it is started again."""
        self._problem = self._problem or problem
        if self._child is not None:
            _kill(self._child)

    async def _one_run(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                command = (sys.executable, "-m", self._module, str(theirs.fileno()), str(os.getpid()))
                child = await asyncio.create_subprocess_exec(*command, pass_fds=(theirs.fileno(),))
        except OSError as error:
            ours.close()
            self._problem = f"could not be started: {error.strerror}"
            return
        self._child = child
        self._heard_at = self._clock.monotonic()
        self.status = replace(self.status, state="starting", pid=child.pid, version=None, since=self._clock.now())
        link = self._link = await agent_end(ours)
        if self._stopping.is_set():
            self._tell_to_stop()
        watch = asyncio.create_task(self._watch())
        try:
            link.send(Start(settings=self._settings, ports=self.ports))
            while (message := await link.receive()) is not None:
                self._heard_at = self._clock.monotonic()
                self._take(message)
        except LinkError as error:
            self._problem = self._problem or str(error)
            _kill(child)
        finally:
            await self._end_run(child, link, watch)

    async def _end_run(self, child: asyncio.subprocess.Process, link: AgentEnd, watch: asyncio.Task[None]) -> None:
        """Leave nothing behind of a run: no task, no question without an answer, no process."""
        watch.cancel()
        self._up.clear()
        self._link = None
        await link.close()
        if not await _first_of(child.wait(), self._times.stop_seconds):
            _kill(child)
        code = await child.wait()
        self._child = None
        self._problem = self._problem or _how(code)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ProcessGone(f"{self.name}: {self._problem}"))
        self._waiting.clear()
        self.status = replace(
            self.status, state="down", pid=None, version=None, since=self._clock.now(), problem=self._problem
        )

    def _take(self, message: FromProcess) -> None:
        match message:
            case Started():
                self.status = replace(self.status, state="up", ports=tuple(sorted(message.ports.items())))
                self._up.set()
                self._start_seconds = self._times.start_seconds
                self._spawn(self._watcher.process_started(self))
            case Prepared() | Refused():
                self._answered("prepare", message)
            case Committed():
                self._answered("commit", message)
            case Answer():
                self._answered(f"order {message.order_id}", message)
            case Reported():
                self._watcher.process_reported(self)
            case Told():
                self._watcher.process_told(self, message.outcome)
            case Wanted():
                self._watcher.process_wants(self, message.notice)
            case Waits():
                self._watcher.messages_waiting(message.counts)
            case OrbitsTaken():
                self._watcher.orbits_taken(message.waiting)
            case Carries():
                self._watcher.carry(message.streams)
            case Pressed():
                self._watcher.key_pressed(message.call_id, message.key)
            case EngineIs():
                self._watcher.engine_is(message.engine_id)
            case Showed():
                self._watcher.phone_showed(message.device_id, message.user_agent)
            case Wrote():
                self._watcher.process_wrote(self, message.values)
            case Health():
                self.status = replace(self.status, figures=tuple(sorted(message.figures.items())))
            case Failed():
                self._problem = self._problem or message.problem
            case _:
                assert_never(message)

    def _answered(self, question: str, message: FromProcess) -> None:
        future = self._waiting.pop(question, None)
        if future is not None and not future.done():
            future.set_result(message)

    async def _ask(self, question: str, message: Prepare | Commit | Order, seconds: float) -> FromProcess:
        if self._link is None or not self._up.is_set():
            raise ProcessGone(f"{self.name}: is not running")
        if question in self._waiting:
            raise ProcessGone(f"{self.name}: is still busy with the last {question}")
        future: asyncio.Future[FromProcess] = asyncio.get_running_loop().create_future()
        self._waiting[question] = future
        try:
            self._link.send(message)
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise ProcessGone(f"{self.name}: no answer within {seconds:g} seconds") from None
        except LinkError as error:
            raise ProcessGone(f"{self.name}: {error}") from None
        finally:
            self._waiting.pop(question, None)

    async def _watch(self) -> None:
        """Ask for health again and again; a process that is silent for too long is started again."""
        began, steady = self._clock.monotonic(), False
        while not await _first_of(self._stopping.wait(), self._times.heartbeat_seconds):
            now = self._clock.monotonic()
            limit = self._times.hung_after_seconds if self._up.is_set() else self._start_seconds
            if now - self._heard_at > limit:
                if not self._up.is_set():
                    # A machine so busy that this was too short does not get less busy by one start after the other.
                    self._start_seconds = min(2 * limit, LONGEST_START_SECONDS)
                self.restart(f"silent for {limit:g} seconds")
                return
            if not steady and now - began >= self._times.steady_after_seconds and self.status.restarts:
                steady = True
                self._watcher.process_steady(self)
            if self._link is not None and self._up.is_set():
                try:
                    self._link.send(AskHealth())
                except LinkError as error:
                    self.restart(str(error))
                    return

    def _tell_to_stop(self) -> None:
        if self._link is not None:
            try:
                self._link.send(Stop())
            except LinkError:
                return

    def _spawn(self, what: Awaitable[None]) -> None:
        task = asyncio.ensure_future(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _kill(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        try:
            child.kill()
        except ProcessLookupError:
            return


def _how(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with status {code}"


async def _first_of(what: Awaitable[object], seconds: float) -> bool:
    """Whether it came to pass within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await what
    except TimeoutError:
        return False
    return True
