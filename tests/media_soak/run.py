"""A soak of the voice services: callers leave messages, meet, queue and are sent on while the edge is killed.

The agent is killed with -9 (with whatever it started, and begun again at once, as systemd would), or its media process
alone, which the agent begins again. Every phone that was in a call then has to be told that it is over (BYE), within
`TOLD_SECONDS` of the engine's death, or of the agent being back; it hangs up by itself no sooner, and calls again. A
message counts as acknowledged when the edge answered the BYE of whoever spoke after the beep.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from tests.media_soak.memory import Memory
from tests.media_soak.recordings import whole_messages
from tests.media_soak.site import ATTENDANT, LOG_IN, MAILBOXES, QUEUE, ROOM, TO_MAILBOXES, TO_ROOM, site_of
from tests.media_soak.talker import TOLD_SECONDS, Talker
from tests.soak.phone import NoAnswer
from tests.support.edge_process import EdgeProcess, prepare_state

Killed = Literal["agent", "engine"]
KILLS: Final[tuple[tuple[float, Killed], ...]] = ((1 / 3, "agent"), (1 / 2, "engine"), (2 / 3, "agent"))
"""Of the long form: after which share of the time what is killed."""
KINDS: Final = (
    "message",
    "conference",
    "sent on to a mailbox",
    "queue",
    "message",
    "sent on to the conference",
)
"""What callers do, in this order, each beginning at another one."""
_TICK: Final = 0.02
_AFTERMATH_SECONDS: Final = 2.0
"""What begins so soon after the edge is back may still meet what the kill left."""
_BACK_SECONDS: Final = 60.0
_BUSY_SECONDS: Final = 60.0
"""A kill waits so long for half of the callers to have a call again."""
_SETTLED_SECONDS: Final = 90.0
_SAY_SECONDS: Final = 10.0


@dataclass
class Kill:
    """One kill, and when the edge was back; seconds, monotonic."""

    at: float
    what: Killed
    calls: int
    again: float = math.inf
    lost: int = 0
    """Calls that phones were in."""
    told_seconds: float = math.nan
    """How long it took until the last phone knew, from the engine's death or the agent being back."""


@dataclass
class MediaSoak:
    """Everything that is counted.

    Args:
        folder: for the edge's state.
        seconds: how long calls are placed.
        callers: who call, each one call at a time.
        kills: after which share of the time what is killed.
        say: told each line of progress.
    """

    folder: Path
    seconds: float
    callers: int
    planned: tuple[tuple[float, Killed], ...] = KILLS
    say: Callable[[str], None] = print
    outcomes: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By mailbox and caller: messages whose caller's BYE was answered."""
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Those that are on the disk and can be played."""
    problems: list[str] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    most_at_once: int = 0

    async def run(self) -> None:
        """All of it; what is not as it must be is in `problems`."""
        agents = [str(700 + n) for n in range(max(1, self.callers // 12))]
        callers = [str(200 + n) for n in range(self.callers)]
        state = self.folder / "state"
        everybody = [*callers, *agents, *MAILBOXES]
        prepare_state(state, site_of(callers, agents), {f"s-{one}:1": f"password-{one}" for one in everybody})
        # Who is sent on has two calls for a moment, and an agent's is one, too.
        self._settings = {"TANDEM_EDGE_MEDIA_MOST_CALLS": str(min(500, 2 * (self.callers + len(agents))))}
        self._edge = EdgeProcess(state, self._settings)
        self._talkers: list[Talker] = []
        ticking: asyncio.Task[None] | None = None
        try:
            ready = await asyncio.to_thread(self._edge.ready, 120.0)
            self._settings |= {
                "TANDEM_EDGE_SIP_UDP_PORT": str(ready["ports"]["sip_udp"]),
                "TANDEM_EDGE_MEDIA_SIP_PORT": str(ready["ports"]["media_sip"]),
            }
            self._talkers = [Talker(one, "udp", ready["ports"]["sip_udp"]) for one in [*callers, *agents]]
            for one in self._talkers:
                await one.start()
            ticking = asyncio.create_task(self._tick())
            for one in self._talkers[self.callers :]:
                self.outcomes[f"agent's log-in {await one.talk(LOG_IN, 3.0)}"] += 1
            await self._load()
            await self._settle()
        finally:
            if ticking is not None:
                ticking.cancel()
            for one in self._talkers:
                await one.stop()
            await asyncio.to_thread(self._edge.stop)
        self._count_messages(state / "mailboxes")
        self._count_calls(state / "outbox.db")

    async def _tick(self) -> None:
        due = time.monotonic()
        while True:
            for one in self._talkers:
                one.tick()
            due = max(due + _TICK, time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _load(self) -> None:
        self._began = time.monotonic()
        killing = asyncio.create_task(self._kill_now_and_then())
        saying = asyncio.create_task(self._say_now_and_then())
        try:
            callers = self._talkers[: self.callers]
            calls = (self._calls_of(one, number, killing) for number, one in enumerate(callers))
            await asyncio.gather(*calls, killing)
            # Whatever was killed: at the end each service works for everybody.
            await asyncio.gather(*(self._one_call(one, _kind(number)) for number, one in enumerate(callers)))
        finally:
            killing.cancel()
            saying.cancel()

    async def _calls_of(self, talker: Talker, number: int, killing: asyncio.Task[None]) -> None:
        """Until the time is over and everything was killed, however long the edge took to come back."""
        for step in itertools.count(number):
            if time.monotonic() - self._began > self.seconds and killing.done():
                return
            await self._one_call(talker, _kind(step))

    async def _one_call(self, talker: Talker, kind: str) -> None:
        began, into_mailbox = time.monotonic(), kind in ("message", "sent on to a mailbox")
        length = random.uniform(3.0, 8.0) if into_mailbox else random.uniform(5.0, 20.0)
        key, mailbox = random.choice([*TO_MAILBOXES.items()])
        if kind == "message":
            mailbox = random.choice(MAILBOXES)
        try:
            if kind.startswith("sent on"):
                where = key if into_mailbox else TO_ROOM
                outcome = await talker.talk_sent_on(ATTENDANT, where, length, after_beep=into_mailbox)
            else:
                callee = {"message": mailbox, "conference": ROOM, "queue": QUEUE}[kind]
                outcome = await talker.talk(callee, length, after_beep=into_mailbox)
        except NoAnswer:
            outcome = "no answer to BYE"
        self.outcomes[f"{kind}: {outcome}"] += 1
        if outcome == "ended" and into_mailbox and talker.beeped:
            self.acknowledged[mailbox, talker.number] += 1
        if self._met_a_kill(began):
            return
        if outcome != "ended":
            self.problems.append(f"{kind}: {outcome} away from any kill")
        elif not talker.heard:
            self.problems.append(f"{kind}: nothing was heard")
        elif into_mailbox and not talker.beeped:
            self.problems.append(f"{kind}: no beep was heard")

    def _met_a_kill(self, began: float) -> bool:
        """Whether a call that has just ended was up, or was begun, while something was killed and not yet back."""
        return any(began < kill.again + _AFTERMATH_SECONDS for kill in self.kills)

    async def _kill_now_and_then(self) -> None:
        for share, what in self.planned:
            await asyncio.sleep(max(0.0, self._began + share * self.seconds - time.monotonic()))
            await self._kill(what)

    async def _kill(self, what: Killed) -> None:
        until = time.monotonic() + _BUSY_SECONDS
        media = await asyncio.to_thread(self._process, "media")
        while media.get("figures", {}).get("calls", 0) < self.callers / 2 and time.monotonic() < until:
            await asyncio.sleep(0.2)
            media = await asyncio.to_thread(self._process, "media")
        kill = Kill(time.monotonic(), what, media.get("figures", {}).get("calls", 0))
        self.kills.append(kill)
        lost = {(talker.number, call_id) for talker in self._talkers for call_id in talker.up}
        kill.lost = len(lost)
        if what == "agent":
            self._edge.process.kill()
            for one in self._talkers:
                one.lose()
            await asyncio.to_thread(self._edge.process.wait)
            self._edge = EdgeProcess(self.folder / "state", self._settings)
            await asyncio.to_thread(self._edge.ready, 120.0)
            await self._until_told(kill, lost, time.monotonic())
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(media["pid"], signal.SIGKILL)
            for one in self._talkers:
                one.lose()
            await self._until_told(kill, lost, kill.at)
            if not await self._begun_again(media["pid"]):
                self.problems.append("the engine did not come back")
                return
        kill.again = time.monotonic()
        self.say(
            f"{kill.at - self._began:5.0f} s  killed the {what} with {kill.calls} calls; "
            f"{kill.lost} phones told after {kill.told_seconds:.1f} s; back after {kill.again - kill.at:.1f} s"
        )

    async def _until_told(self, kill: Kill, lost: set[tuple[str, str]], since: float) -> None:
        """Until no phone is in a call any more that the kill ended, or the time for that is over."""
        left = lost
        while left and time.monotonic() < since + TOLD_SECONDS:
            await asyncio.sleep(_TICK)
            left = {(one.number, call_id) for one in self._talkers for call_id in one.up} & lost
        kill.told_seconds = max(0.0, time.monotonic() - since)
        self.problems += [f"{number} was not told that its call is over" for number, _ in left]
        for one in self._talkers:
            one.give_up()

    async def _begun_again(self, pid: int) -> bool:
        until = time.monotonic() + _BACK_SECONDS
        while time.monotonic() < until:
            media = await asyncio.to_thread(self._process, "media")
            if media.get("pid") not in (None, pid) and media.get("state") == "configured":
                return True
            await asyncio.sleep(0.1)
        return False

    async def _say_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(min(_SAY_SECONDS, self.seconds / 30))
            found = {name: await asyncio.to_thread(self._process, name) for name in ("media", "sip")}
            figures = found["media"].get("figures", {})
            calls = figures.get("calls", 0)
            self.most_at_once = max(self.most_at_once, figures.get("sessions", 0))
            for name, process in found.items():
                self.memory.look(name, process.get("pid"))
            self.memory.look("agent", self._edge.process.pid)
            memory = ", ".join(f"{name} {mb:.0f} MB" for name, mb in self.memory.now().items())
            self.say(
                f"{time.monotonic() - self._began:5.0f} of {self.seconds:.0f} s  {calls} calls at the engine "
                f"({figures.get('sessions', 0)} sessions), {self.outcomes.total()} done, "
                f"{self.acknowledged.total()} messages acknowledged, {memory}, {len(self.problems)} problems"
            )

    def _process(self, name: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            processes = self._edge.status().get("processes", ())
            return next((one for one in processes if one["name"] == name), {})
        return {}

    async def _settle(self) -> None:
        """Nothing is left of any call: no call at the proxy or at the applications, no session at the engine."""
        until, left = time.monotonic() + _SETTLED_SECONDS, {"calls at the engine": -1}
        while any(left.values()) and time.monotonic() < until:
            await asyncio.sleep(0.5)
            media, sip = [
                (await asyncio.to_thread(self._process, name)).get("figures", {}) for name in ("media", "sip")
            ]
            left = {
                "calls at the engine": media.get("calls", -1),
                "sessions of the engine": media.get("sessions", -1),
                "calls at the proxy": sip.get("calls", -1),
            }
        self.problems += [f"{name}: {count} are left of which nobody knows" for name, count in left.items() if count]
        self.problems += [f"{one.number} is still in a call" for one in self._talkers if one.up]
        self.problems += self.memory.problems()

    def _count_messages(self, folder: Path) -> None:
        for mailbox in MAILBOXES:
            callers, unusable = whole_messages(folder / f"u-{mailbox}")
            self.kept.update({(mailbox, caller): count for caller, count in callers.items()})
            self.problems += [f"mailbox {mailbox}: {one}" for one in unusable]
        for (mailbox, caller), count in self.acknowledged.items():
            if (lost := count - self.kept[mailbox, caller]) > 0:
                self.problems.append(f"mailbox {mailbox}: {lost} acknowledged messages of {caller} are not there")

    def _count_calls(self, path: Path) -> None:
        with sqlite3.connect(path) as database:
            (left,) = database.execute("SELECT count(*) FROM open_calls").fetchone()
            rows = [json.loads(text) for (text,) in database.execute("SELECT body FROM events WHERE kind = 'quality'")]
        if left:
            self.problems.append(f"{left} calls are open in the journal")
        self.outcomes["sides told how they were heard"] = len(rows)

    def table(self) -> str:
        """The figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        killed = ", ".join(
            f"the {kill.what} with {kill.calls} calls ({kill.lost} phones told within {kill.told_seconds:.1f} s)"
            for kill in self.kills
        )
        yield f"{self.seconds:.0f} s, {self.callers} callers; killed: {killed or 'nothing'}"
        yield f"{self.most_at_once} sessions at the engine at most"
        yield from (f"  {count} x {name}" for name, count in sorted(self.outcomes.items()))
        yield f"messages acknowledged {self.acknowledged.total()}, kept {self.kept.total()}"
        yield from self.memory.table()
        yield f"problems: {len(self.problems) or 'none'}"
        yield from (f"  {count} x {text}" for text, count in Counter(self.problems).most_common(30))


def _kind(step: int) -> str:
    return KINDS[step % len(KINDS)]
