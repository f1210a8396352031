"""What every process of the agent does alike: find its link, die with the agent, answer what it is asked.

A process is `main(make)` with a function that builds its subsystem. Standard error is the agent's; standard output
stays empty. It ends when the agent says so, when the link ends, on SIGTERM, and at the latest with its parent
(`PR_SET_PDEATHSIG`, prctl(2)).
"""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from contract.sync.state import StateRecord
from edge_agent.errors import EdgeError
from edge_agent.logs import write_logs
from edge_agent.ports import MessagesWaiting, Notice, NoticeOutcome, RelayedStream
from edge_agent.processes.link import (
    Answer,
    AskHealth,
    Carries,
    Commit,
    Committed,
    EngineIs,
    Failed,
    Health,
    LinkError,
    OrbitsTaken,
    Order,
    Ports,
    Prepare,
    Prepared,
    Pressed,
    ProcessEnd,
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
    process_end,
)
from edge_agent.processes.parent import die_with_parent

log = logging.getLogger(__name__)

MAX_PROBLEMS: Final = 50
MAX_FILES: Final = 65_536
MAX_PROBLEM_CHARACTERS: Final = 1024


class ConfigurationRefused(EdgeError):
    """This process cannot run the configuration; `problems` says why, in words for the portal."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problem[:MAX_PROBLEM_CHARACTERS] for problem in problems[:MAX_PROBLEMS])


class UnknownOrder(EdgeError):
    """The process does not know an order of this name."""


class Subsystem(Protocol):
    """What runs in a process; its methods are called one at a time."""

    async def start(self, message: Start) -> Ports:
        """Begin, binding what needs no configuration; the ports bound."""
        ...

    async def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration without using it; what was prepared before is forgotten.

        Raises:
            ConfigurationRefused: it cannot be used.
        """
        ...

    async def commit(self) -> Ports:
        """Use what was prepared; every port bound now. An EdgeError or OSError has the process started again."""
        ...

    async def set_state(self, records: tuple[StateRecord, ...]) -> None:
        """Site state records that are new or changed."""
        ...

    async def order(self, name: str, arguments: dict[str, str]) -> str:
        """Do something at once; words about what was done.

        Raises:
            UnknownOrder: there is no such order.
        """
        ...

    def figures(self) -> dict[str, int]:
        """Some figures for the status."""
        ...

    async def stop(self) -> None:
        """Finish what is quick to finish, and let go of every socket and file."""
        ...


class Bell:
    """Tells the agent that the outbox has something new; many rings in one turn of the loop are told once."""

    def __init__(self) -> None:
        self._link: ProcessEnd | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = False

    def connect(self, link: ProcessEnd) -> None:
        """Ring over this link; called from the event loop."""
        self._link, self._loop = link, asyncio.get_running_loop()

    def ring(self) -> None:
        """Something new; from the event loop's thread."""
        if self._loop is not None and not self._rung:
            self._rung = True
            self._loop.call_soon(self._tell)

    def wants(self, notice: Notice) -> None:
        """Have the agent send a notice to a phone."""
        self._send(Wanted(notice=notice))

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        """Have the lamps of a user's phones show what waits for him (edge_agent.ports.MessageLamps)."""
        self._send(Waits(counts=counts))

    def orbits_taken(self, waiting: Mapping[str, str]) -> None:
        """Have the lamps of park orbits show who waits (by orbit); every other orbit is free."""
        self._send(OrbitsTaken(waiting=dict(waiting)))

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """Have the media process carry exactly these streams (edge_agent.ports.MediaRelay)."""
        self._send(Carries(streams=streams))

    def pressed(self, call_id: str, key: str) -> None:
        """Tell the SIP process which key was pressed in a relayed call."""
        self._send(Pressed(call_id=call_id, key=key))

    def engine_is(self, engine_id: str) -> None:
        """Have calls of another media engine than this ended; empty: it is gone."""
        self._send(EngineIs(engine_id=engine_id))

    def wrote(self, values: dict[str, str | bool]) -> None:
        """Have the agent keep what a user changed, by the keys of site state, and tell everybody."""
        self._send(Wrote(values=values))

    def showed(self, device_id: str, user_agent: str) -> None:
        """Pass on what a phone said that it is."""
        self._send(Showed(device_id=device_id, user_agent=user_agent))

    def told(self, outcome: NoticeOutcome) -> None:
        """Pass on what became of a notice."""
        self._send(Told(outcome=outcome))

    def _tell(self) -> None:
        self._rung = False
        self._send(Reported())

    def _send(
        self, message: Reported | Told | Wanted | Waits | OrbitsTaken | Showed | Carries | EngineIs | Pressed | Wrote
    ) -> None:
        if self._link is not None:
            try:
                self._link.send(message)
            except LinkError:
                return  # the agent is gone; this process ends for the same reason


def main(make: Callable[[Bell], Subsystem]) -> None:
    """Run a subsystem as this process; its arguments are the descriptor of its link and the agent's process id."""
    die_with_parent(int(sys.argv[2]))
    many_files()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the agent decides what stops
    link = socket.socket(fileno=int(sys.argv[1]))
    link.set_inheritable(False)  # else the agent would not see the end of a process whose own child goes on
    asyncio.run(_run(make, link))


def many_files() -> None:
    """Let this process have as many connections as the system allows it: a service begins with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(make: Callable[[Bell], Subsystem], end: socket.socket) -> None:
    link = await process_end(end)
    bell = Bell()
    bell.connect(link)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    subsystem: Subsystem | None = None
    try:
        subsystem = make(bell)
        await serve(link, subsystem)
    except asyncio.CancelledError:
        log.info("process_terminated")
    except (EdgeError, OSError) as error:
        log.exception("process_failed")
        with contextlib.suppress(LinkError):
            link.send(Failed(problem=(str(error) or type(error).__name__)[:4096]))
        sys.exit(1)
    finally:
        if subsystem is not None:
            await subsystem.stop()
        await link.close()


async def serve(link: ProcessEnd, subsystem: Subsystem) -> None:
    """Answer the agent until it says stop or is gone.

    Raises:
        LinkError: what came is no message of the link.
        EdgeError: a commit failed; the process is to end and be started again.
    """
    while (message := await link.receive()) is not None:
        match message:
            case Start():
                write_logs(message.settings.log)
                link.send(Started(ports=await subsystem.start(message)))
            case Prepare():
                await _prepare(link, subsystem, message)
            case Commit():
                link.send(Committed(version=message.version, ports=await subsystem.commit()))
            case SetState():
                await subsystem.set_state(message.records)
            case Order():
                await _order(link, subsystem, message)
            case AskHealth():
                link.send(Health(figures=subsystem.figures()))
            case Stop():
                return


async def _prepare(link: ProcessEnd, subsystem: Subsystem, message: Prepare) -> None:
    try:
        await subsystem.prepare(message)
    except ConfigurationRefused as refused:
        link.send(Refused(version=message.version, problems=refused.problems))
    else:
        link.send(Prepared(version=message.version))


async def _order(link: ProcessEnd, subsystem: Subsystem, message: Order) -> None:
    try:
        text = await subsystem.order(message.name, message.arguments)
    except EdgeError as error:
        link.send(Answer(order_id=message.order_id, ok=False, text=str(error)))
    else:
        link.send(Answer(order_id=message.order_id, ok=True, text=text))
