"""The same cases on FreeSWITCH, with the same callers: what a leg costs there."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from benchmarks.cpu import cpu_seconds
from benchmarks.media.beside import line
from benchmarks.media.engine import payload_types
from benchmarks.media.freeswitch import dialled
from benchmarks.media.load import Load
from tests.support.media_caller import MediaCaller

_SETTLE_SECONDS: Final = 0.5
_END_SECONDS: Final = 40.0
_SAYS_NOTHING: Final = ("idle", "recording")
"""Cases whose legs it sends nothing, or nothing but silence."""


def is_here() -> bool:
    """Whether FreeSWITCH is on the search path."""
    return shutil.which("freeswitch") is not None


class FreeSwitch:
    """One that serves these cases, until the `with` is over."""

    def __init__(self, cases: Iterable[str]) -> None:
        self._cases = sorted(set(cases))

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="tandem-bench-")
        command = [sys.executable, "-m", "benchmarks.media.freeswitch", self._folder.name, *self._cases]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        found = json.loads(line(self._process))
        self._sip, self._pid = int(found["sip"]), int(found["pid"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=_END_SECONDS)
        self._folder.cleanup()

    def measure(self, case: str, legs: int, seconds: float) -> float:
        """Percent of a core for one of so many legs."""
        return asyncio.run(self._measured(case, legs, seconds))

    async def _measured(self, case: str, legs: int, seconds: float) -> float:
        async with AsyncExitStack() as calls:
            callers = []
            for number in range(legs):
                types = payload_types(case)
                caller = MediaCaller(self._sip, types[number % len(types)], dialled(case))
                callers.append(await calls.enter_async_context(caller))
                if (status := await caller.invite()) != 200:
                    raise RuntimeError(f"FreeSWITCH answers leg {number} of {case} with {status}")
            await asyncio.sleep(_SETTLE_SECONDS)
            load = Load([caller.rtp for caller in callers], payload_types(case))
            to = [caller.remote_rtp[1] for caller in callers if caller.remote_rtp is not None]
            load.talk(to, 1.0)
            spent, begun = cpu_seconds([self._pid]), time.monotonic()
            load.talk(to, seconds)
            spent, took = cpu_seconds([self._pid]) - spent, time.monotonic() - begun
            await asyncio.sleep(_SETTLE_SECONDS)
            if case not in _SAYS_NOTHING and not all(caller.heard.payloads for caller in callers):
                raise RuntimeError(f"FreeSWITCH said nothing to a leg of {case}")
            for caller in callers:
                await caller.bye()
        return 100 * spent / took / legs
