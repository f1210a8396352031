"""A soak: phones call each other at half of the highest rate while the edge is killed again and again.

One time it is the whole agent (with whatever it started; it is begun again at once, as systemd would), the next time
the SIP process alone, which the agent begins again. The cloud is away, so every record waits in the outbox and can be
counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.cpu import descendants, memory_mb
from contract.snapshot import DialPlan, InternalRule, Line, Site, Snapshot, User
from tests.soak.phone import DOMAIN, Kind, Phone
from tests.support.edge_process import EdgeProcess, prepare_state

UDP, TCP, TLS = 30, 8, 8
_UDP: Final[tuple[Kind]] = ("udp",)
_TCP: Final[tuple[Kind]] = ("tcp",)
_TLS: Final[tuple[Kind]] = ("tls",)
TALK_SECONDS: Final = (1.0, 6.0)
_TO_STREAMS: Final = 0.2
"""Share of the calls that go to a phone on a stream."""
_MEASURED_SECONDS: Final = 6.0
_AT_ONCE: Final = 20
_APART_SECONDS: Final = 60.0
"""With kills so far apart every phone on a stream is back before the next; the last calls reach each in any case."""
_SETTLED_SECONDS: Final = 45.0
_AFTERMATH_SECONDS: Final = 50.0
"""A request that met a kill is given up 32 seconds after it began; the edge may take some to come back."""


@dataclass
class Kill:
    """One kill and what came of it; seconds."""

    at: float
    what: str
    talking: int
    bindings: int = 0
    """Of UDP, as the new process had them before any of them could have registered again."""
    again: float = 0.0
    """Until the edge answers."""
    streams: list[float] = field(default_factory=list)
    ended: int = 0
    """Of the calls that were talking."""
    peak_mb: float = 0.0
    """Memory of the SIP process just before."""


@dataclass
class Soak:
    """Everything that is counted."""

    folder: Path
    seconds: float
    every: float
    limit: float = 1_000.0
    """Calls a second at most."""
    rate: float = 0.0
    highest: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    ended_after_kill: Counter[int] = field(default_factory=Counter)
    records: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    agent_mb: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """All of it; what is not as it must be is in `problems`."""
        numbers = [str(200 + n) for n in range(UDP + TCP + TLS)]
        state = self.folder / "state"
        prepare_state(state, site_of(numbers), {f"s-{one}:1": f"password-{one}" for one in numbers})
        self._edge = EdgeProcess(state)
        self._phones: list[Phone] = []
        try:
            await self._run(numbers)
        finally:
            await asyncio.gather(*(phone.stop() for phone in self._phones))
            await asyncio.to_thread(self._edge.stop)
        self._count_records(state / "outbox.db")

    async def _run(self, numbers: list[str]) -> None:
        ports = await asyncio.to_thread(self._edge.ports)
        self._fixed = {
            f"TANDEM_EDGE_SIP_{kind.upper()}_PORT": str(ports[f"sip_{kind}"]) for kind in ("udp", "tcp", "tls")
        }
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        kinds: tuple[Kind, ...] = (*_UDP * UDP, *_TCP * TCP, *_TLS * TLS)
        self._phones = [
            Phone(number, kind, ports[f"sip_{kind}"], context if kind == "tls" else None, self._back)
            for number, kind in zip(numbers, kinds, strict=True)
        ]
        self._udp, self._streams = self._phones[:UDP], self._phones[UDP:]
        self._talking: set[str] = set()
        self._answered: set[str] = set()
        self._marked: dict[str, int] = {}
        await asyncio.gather(*(phone.start() for phone in self._phones))
        await self._measure()
        await self._load()
        await self._settle()

    def _back(self, seconds: float) -> None:
        if self.kills:
            self.kills[-1].streams.append(seconds)

    async def _one_call(self, talk: float, callee: Phone | None = None) -> str:
        caller = random.choice(self._phones)
        callee = callee or random.choice(self._streams if random.random() < _TO_STREAMS else self._udp)
        while callee is caller:
            caller = random.choice(self._phones)
        name = caller.new_call()
        before = caller.answered
        outcome = await caller.call(callee.number, talk, self._talking, name)
        if caller.answered > before and not outcome.startswith(("refused", "no answer INVITE")):
            self._answered.add(name)
        self.outcomes[outcome] += 1
        if name in self._marked and outcome == "ended":
            self.kills[self._marked[name]].ended += 1
        elif name in self._marked:
            self.problems.append(f"a call in progress at kill {self._marked[name] + 1}: {outcome}")
        elif outcome != "ended" and not self._near_a_kill():
            self.problems.append(f"{outcome} away from any kill")
        return outcome

    def _near_a_kill(self) -> bool:
        return any(time.monotonic() - self._began - kill.at < _AFTERMATH_SECONDS for kill in self.kills)

    async def _measure(self) -> None:
        """As many calls as go, with a few at once: the highest rate of this machine and these phones."""
        self._began = time.monotonic()
        until, done = time.monotonic() + _MEASURED_SECONDS, 0

        async def again() -> None:
            nonlocal done
            while time.monotonic() < until:
                await self._one_call(0.0)
                done += 1

        began = time.monotonic()
        await asyncio.gather(*(again() for _ in range(_AT_ONCE)))
        self.highest = done / (time.monotonic() - began)
        self.rate = min(self.highest / 2, self.limit)

    async def _load(self) -> None:
        self._began = began = time.monotonic()
        calls: set[asyncio.Task[str]] = set()
        killing = asyncio.create_task(self._kill_again_and_again())
        made = 0
        while (now := time.monotonic()) - began < self.seconds:
            while made < (now - began) * self.rate:
                task = asyncio.create_task(self._one_call(random.uniform(*TALK_SECONDS)))
                calls.add(task)
                task.add_done_callback(calls.discard)
                made += 1
            await asyncio.sleep(0.01)
        await killing
        await asyncio.gather(*calls)

    async def _kill_again_and_again(self) -> None:
        for number in range(int(self.seconds / self.every)):
            await asyncio.sleep(max(0.0, self._began + (number + 0.6) * self.every - time.monotonic()))
            await self._kill(number)

    async def _kill(self, number: int) -> None:
        status = await asyncio.to_thread(self._edge.status)
        sip = _sip(status)
        whole = number % 2 == 0
        kill = Kill(time.monotonic() - self._began, "agent" if whole else "SIP process", len(self._talking))
        kill.peak_mb = memory_mb(sip["pid"], "VmHWM")
        self.agent_mb.append(sum(memory_mb(pid) for pid in descendants(self._edge.process.pid)))
        self.kills.append(kill)
        self._marked.update(dict.fromkeys(self._talking, number))
        died = time.monotonic()
        if whole:
            self._edge.process.kill()
            await asyncio.to_thread(self._edge.process.wait)
            self._edge = EdgeProcess(self.folder / "state", self._fixed)
        else:
            os.kill(sip["pid"], signal.SIGKILL)
        old = sip["pid"]
        while True:
            await asyncio.sleep(0.05)
            sip = _sip(await asyncio.to_thread(self._edge.status))
            if sip and sip["pid"] not in (None, old) and sip["figures"].get("registrations"):
                break
            if time.monotonic() - died > 60:
                self.problems.append(f"kill {number + 1}: the edge did not come back")
                return
        kill.again = time.monotonic() - died
        with sqlite3.connect(f"file:{self.folder / 'state' / 'sip.db'}?mode=ro", uri=True) as database:
            (kill.bindings,) = database.execute("SELECT count(*) FROM bindings WHERE transport = 'udp'").fetchone()
        if kill.bindings != UDP:
            self.problems.append(f"kill {number + 1}: {kill.bindings} of {UDP} UDP bindings")

    async def _settle(self) -> None:
        """Every phone can be called, and nothing is left of any call."""
        for phone in self._phones:
            if (outcome := await self._one_call(0.0, phone)) != "ended":
                self.problems.append(f"at the end {phone.kind} phone {phone.number}: {outcome}")
        until = time.monotonic() + _SETTLED_SECONDS
        calls = -1
        while calls and time.monotonic() < until:
            await asyncio.sleep(0.5)
            calls = _sip(await asyncio.to_thread(self._edge.status))["figures"]["calls"]
        if calls:
            self.problems.append(f"{calls} calls of which nobody knows are left")
        for number, kill in enumerate(self.kills, 1):
            if self.every >= _APART_SECONDS and len(kill.streams) < TCP + TLS:
                self.problems.append(f"kill {number}: {len(kill.streams)} of {TCP + TLS} phones on streams came back")
        peaks = [kill.peak_mb for kill in self.kills]
        if peaks and max(peaks[len(peaks) // 2 :]) > 1.25 * max(peaks[: max(1, len(peaks) // 2)]):
            self.problems.append(f"memory grows: {peaks}")

    def _count_records(self, path: Path) -> None:
        """Each answered call has one record that says so, and no record is there twice.

        A call whose answer was on its way when the edge was killed is begun again by its caller, who repeats the
        INVITE: it has a record that was interrupted, and the one of what came of it then.
        """
        answered: Counter[str] = Counter()
        complete: Counter[str] = Counter()
        ids: Counter[str] = Counter()
        with sqlite3.connect(path) as database:
            (left,) = database.execute("SELECT count(*) FROM open_calls").fetchone()
            for (text,) in database.execute("SELECT body FROM events"):
                what = _record(json.loads(text))
                if what is not None:
                    ids[what["call_id"]] += 1
                    was_answered = what.get("answered_at") is not None
                    answered[what["sip_call_id"]] += was_answered
                    complete[what["sip_call_id"]] += was_answered and not what["interrupted"]
        missing = [one for one in self._answered if not answered[one]]
        twice = [one for one, count in ids.items() if count > 1] + [one for one, count in complete.items() if count > 1]
        self.records = {
            "answered calls": len(self._answered),
            "records": len(ids),
            "calls begun again": sum(count > 1 for count in answered.values()),
            "answered calls without a record": len(missing),
            "records that are there twice": len(twice),
            "calls left open": left,
        }
        self.problems += [f"{name}: {self.records[name]}" for name in list(self.records)[3:] if self.records[name]]

    def table(self) -> str:
        """The figures for people."""
        title = (
            f"{self.seconds:.0f} s at {self.rate:.0f} calls/s ({self.highest:.0f} is the highest rate here now); "
            f"{UDP} phones on UDP, {TCP} on TCP, {TLS} on TLS"
        )
        head = "kill at  what         UDP bindings  back after  streams back  slowest  in progress  ended  SIP peak"
        lines = [title, "", head]
        for kill in self.kills:
            slowest = f"{max(kill.streams):.1f} s" if kill.streams else "-"
            bindings, streams = f"{kill.bindings}/{UDP}", f"{len(kill.streams)}/{TCP + TLS}"
            lines.append(
                f"{kill.at:>5.0f} s  {kill.what:<12} {bindings:>12} {kill.again:>9.1f} s {streams:>13} {slowest:>8} "
                f"{kill.talking:>12} {kill.ended:>6} {kill.peak_mb:>6.0f} MB"
            )
        lines += ["", "calls: " + ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())]
        lines.append("records: " + ", ".join(f"{name} {count}" for name, count in self.records.items()))
        if self.agent_mb:
            lines.append("all processes at each kill: " + ", ".join(f"{mb:.0f}" for mb in self.agent_mb) + " MB")
        lines.append("problems: " + ("none" if not self.problems else f"{len(self.problems)}"))
        lines += [f"  {count} x {text}" for text, count in Counter(self.problems).most_common(30)]
        return "\n".join(lines)


def _sip(status: dict[str, Any]) -> dict[str, Any]:
    return next((one for one in status.get("processes", ()) if one["name"] == "sip"), {})


def _record(event: dict[str, Any]) -> dict[str, Any] | None:
    """The call's record in a stored event, if it is one."""
    what = event.get("what", event)
    return what if isinstance(what, dict) and "sip_call_id" in what else None


def site_of(numbers: list[str]) -> Snapshot:
    """A site with these users, each with one line."""
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain=DOMAIN, realm="realm-1"),
        users=tuple(User(user_id=f"u-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in numbers),
        lines=tuple(
            Line(line_id=f"l-{n}", user_id=f"u-{n}", auth_username=f"auth{n}", password=f"s-{n}:1") for n in numbers
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )
