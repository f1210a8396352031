"""The 20 ms tick, on a fixed schedule, and how late it came."""

import asyncio
from collections.abc import Callable

from edge_agent.clock import Clock

TICK_SECONDS = 0.02
RESYNC_TICKS = 10
"""This far behind, the missed ticks are given up instead of being made up for in a burst."""
_BUCKETS = 1000


class Lateness:
    """How late ticks came, in buckets of 0.1 ms up to 100 ms; constant in size however long the engine runs."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.ticks = 0
        self.longest_seconds = 0.0

    def record(self, seconds: float) -> None:
        """One tick came `seconds` after its time."""
        self.ticks += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        self._counts[min(_BUCKETS - 1, max(0, int(seconds * 10_000)))] += 1

    def quantile_seconds(self, share: float) -> float:
        """The lateness that `share` of the ticks stayed within, to 0.1 ms; 0 before the first tick."""
        needed, seen = share * self.ticks, 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= needed:
                return min((bucket + 1) / 10_000, self.longest_seconds)
        return 0.0


class Ticker:
    """Calls `tick(now)` every 20 ms while it runs, from the running event loop."""

    def __init__(self, clock: Clock, tick: Callable[[float], None]) -> None:
        self._clock, self._tick = clock, tick
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self.lateness = Lateness()
        self.given_up = 0

    @property
    def running(self) -> bool:
        """Started and not stopped."""
        return self._handle is not None

    def start(self) -> None:
        """Tick from now on; does nothing when it already does."""
        if self._handle is None:
            self._due = self._clock.monotonic()
            self._schedule()

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self) -> None:
        self._due += TICK_SECONDS
        self._handle = asyncio.get_running_loop().call_later(max(0.0, self._due - self._clock.monotonic()), self._run)

    def _run(self) -> None:
        now = self._clock.monotonic()
        self.lateness.record(now - self._due)
        behind = int((now - self._due) / TICK_SECONDS)
        if behind >= RESYNC_TICKS:
            self.given_up += behind
            self._due = now
        self._tick(now)
        if self._handle is not None:  # the tick itself may have stopped it
            self._schedule()
