"""The engine of a whole agent that has other work: its legs in several services, while phones call and register.

Beside it stands a process that only ticks, at the same priority; the aim is ticks within 5 ms of its own.
"""

import asyncio
import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.cpu import cpu_seconds, descendants, memory_mb
from benchmarks.media.beside import TICKS_ONLY, ended, line, started
from tests.media_soak.site import MAILBOXES, QUEUE, ROOM, site_of
from tests.media_soak.talker import Talker
from tests.soak.phone import Phone
from tests.support.edge_process import EdgeProcess, prepare_state

PHONES: Final = 20
CALLS_A_SECOND, REGISTRATIONS_A_SECOND = 20.0, 20.0
_TICK: Final = 0.02
_SET_UP_SECONDS: Final = 30.0
_STATUS_SECONDS: Final = 2.0
"""The agent's status is not older."""


@dataclass(frozen=True, slots=True)
class Busy:
    """What came of it: percent of a core, milliseconds, megabytes."""

    legs: int
    percent_a_leg: float
    percent_of_the_rest: float
    calls: int
    late_p99_ms: float
    bare_p99_ms: float
    memory_mb: float


def measure_busy(legs: int, seconds: float) -> Busy:
    """So many legs in a conference, a queue's music and mailboxes, for so long."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        bare = started(TICKS_ONLY, folder, [])
        try:
            line(bare)
            found = asyncio.run(_Run(Path(folder), legs, seconds).run())
            late = 1000 * ended(bare)["p99"]
        finally:
            if bare.poll() is None:
                bare.kill()
                bare.wait()
    return Busy(bare_p99_ms=late, **found)


class _Run:
    def __init__(self, folder: Path, legs: int, seconds: float) -> None:
        self._state, self._legs, self._seconds = folder / "state", legs, seconds
        self._talkers: list[Talker] = []
        self._phones: list[Phone] = []
        self._made = 0

    async def run(self) -> dict[str, Any]:
        talkers, phones = (
            [str(first + n) for n in range(count)] for first, count in ((200, self._legs), (300, PHONES))
        )
        everybody = [*talkers, *phones, "700", *MAILBOXES]
        snapshot = site_of([*talkers, *phones], ["700"])
        prepare_state(self._state, snapshot, {f"s-{one}:1": f"password-{one}" for one in everybody})
        edge = EdgeProcess(self._state, {"TANDEM_EDGE_MEDIA_MOST_CALLS": str(max(50, self._legs))})
        tasks: list[asyncio.Task[Any]] = []
        try:
            port = (await asyncio.to_thread(edge.ports))["sip_udp"]
            self._talkers = [Talker(one, "udp", port) for one in talkers]
            self._phones = [Phone(one, "udp", port) for one in phones]
            for phone in [*self._talkers, *self._phones]:
                await phone.start()
            services = itertools.cycle((ROOM, QUEUE, ROOM, MAILBOXES[0]))
            for one, service in zip(self._talkers, services, strict=False):
                tasks.append(asyncio.create_task(one.talk(service, 2 * self._seconds + 4 * _SET_UP_SECONDS)))
            tasks += [asyncio.create_task(each) for each in (self._tick(), self._call(), self._register())]
            return await self._measured(edge)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for phone in [*self._talkers, *self._phones]:
                await phone.stop()
            await asyncio.to_thread(edge.stop)

    async def _measured(self, edge: EdgeProcess) -> dict[str, Any]:
        until = time.monotonic() + _SET_UP_SECONDS
        while _media(edge)["figures"].get("sessions") != self._legs:
            if time.monotonic() > until:
                raise TimeoutError(f"{_media(edge)['figures'].get('sessions')} of {self._legs} legs are up")
            await asyncio.sleep(0.1)
        media = _media(edge)["pid"]
        rest = [pid for pid in descendants(edge.process.pid) if pid != media]
        spent, others, begun, made = cpu_seconds([media]), cpu_seconds(rest), time.monotonic(), self._made
        await asyncio.sleep(self._seconds)
        took = time.monotonic() - begun
        spent, others = cpu_seconds([media]) - spent, cpu_seconds(rest) - others
        await asyncio.sleep(_STATUS_SECONDS)
        found = _media(edge)
        return {
            "legs": found["figures"]["sessions"],
            "percent_a_leg": 100 * spent / took / self._legs,
            "percent_of_the_rest": 100 * others / took,
            "calls": self._made - made,
            "late_p99_ms": found["figures"]["tick_late_p99_us"] / 1000,
            "memory_mb": memory_mb(media),
        }

    async def _tick(self) -> None:
        due = time.monotonic()
        while True:
            for one in self._talkers:
                one.tick()
            due = max(due + _TICK, time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _call(self) -> None:
        """Calls between phones, each of a second."""
        pairs = itertools.cycle(zip(self._phones, self._phones[1:] + self._phones[:1], strict=True))
        async with asyncio.TaskGroup() as calls:
            for caller, callee in pairs:
                calls.create_task(caller.call(callee.number, 1.0, set()))
                self._made += 1
                await asyncio.sleep(1 / CALLS_A_SECOND)

    async def _register(self) -> None:
        async with asyncio.TaskGroup() as registrations:
            for phone in itertools.cycle(self._talkers):
                registrations.create_task(phone.register())
                await asyncio.sleep(1 / REGISTRATIONS_A_SECOND)


def _media(edge: EdgeProcess) -> dict[str, Any]:
    none: dict[str, Any] = {"figures": {}}
    return next((one for one in edge.status().get("processes", ()) if one["name"] == "media"), none)
