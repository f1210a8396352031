"""What became of a queue's callers today, and how long the next one will wait. Every moment is in seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date

from contract.sync.queues import SERVICE_LEVEL_SECONDS

_REMEMBERED = 20
"""Calls whose length counts for what is told to callers."""


@dataclass(slots=True)
class QueueFigures:
    """Of one queue, since the day began or the process did."""

    day: date
    answered: int = 0
    in_time: int = 0
    """Answered within the time that is aimed at."""
    abandoned: int = 0
    overflowed: int = 0
    longest_wait: float = 0.0
    waited: float = 0.0
    """All of those who were answered, together."""
    _handled: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def on(self, day: date) -> QueueFigures:
        """Begin anew with another day; what calls last is remembered."""
        if day != self.day:
            self.day = day
            self.answered = self.in_time = self.abandoned = self.overflowed = 0
            self.longest_wait = self.waited = 0.0
        return self

    def was_answered(self, waited: float) -> None:
        """A caller was."""
        self.answered += 1
        self.in_time += waited <= SERVICE_LEVEL_SECONDS
        self.waited += waited
        self.longest_wait = max(self.longest_wait, waited)

    def was_abandoned(self, waited: float) -> None:
        """A caller hung up before an agent answered."""
        self.abandoned += 1
        self.longest_wait = max(self.longest_wait, waited)

    def was_handled(self, seconds: float) -> None:
        """A call of an agent is over, the wrap-up included."""
        self._handled.append(seconds)

    def expected_wait(self, position: int, agents: int) -> float | None:
        """How long a caller waits; None: nothing is known yet.

        Args:
            position: in the queue, from 1.
            agents: who are logged in and do not pause.
        """
        if not self._handled or agents < 1:
            return None
        return position * sum(self._handled) / len(self._handled) / agents
