"""Timers: SIP has few distinct durations, so each has one first-in-first-out queue and adding costs one append.

Nothing is cancelled: a target that no longer cares ignores the call.
"""

from collections import deque
from typing import Protocol


class Expiring(Protocol):
    """What a timer can be set for."""

    def expired(self, kind: int, now: float) -> None:
        """The timer of that kind went off; kinds are the target's own."""
        ...


class TimerWheel:
    """All timers of one endpoint."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[float, deque[tuple[float, Expiring, int]]] = {}

    def add(self, seconds: float, target: Expiring, kind: int, now: float) -> None:
        """Call `target.expired(kind, …)` once `seconds` have passed; durations should be few and recurring."""
        try:
            self._queues[seconds].append((now + seconds, target, kind))
        except KeyError:
            self._queues[seconds] = deque(((now + seconds, target, kind),))

    def advance(self, now: float) -> None:
        """Let everything due go off, earlier deadlines first."""
        while True:
            due: deque[tuple[float, Expiring, int]] | None = None
            first = until = now
            for queue in self._queues.values():
                if queue and (deadline := queue[0][0]) <= until:
                    if deadline <= first:
                        due, first, until = queue, deadline, (first if due is not None else until)
                    else:
                        until = deadline
            if due is None:
                return
            # Whatever is set meanwhile is due later than now, so this queue goes on until another one's turn.
            while due and due[0][0] <= until:
                _, target, kind = due.popleft()
                target.expired(kind, now)

    @property
    def deadline(self) -> float | None:
        """When something is due next; None when nothing waits."""
        return min((queue[0][0] for queue in self._queues.values() if queue), default=None)

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())
