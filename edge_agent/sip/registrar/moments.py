"""Between monotonic seconds, which the core counts in, and moments that disk and cloud understand."""

from datetime import datetime, timedelta

from edge_agent.clock import Clock


class Moments:
    """Turns the one into the other by the clock of this instant."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def moment(self, at: float, now: float) -> datetime:
        """The UTC moment of a monotonic time."""
        return self._clock.now() + timedelta(seconds=at - now)

    def epoch(self, at: float, now: float) -> float:
        """Seconds since 1970 of a monotonic time."""
        return self._clock.now().timestamp() + at - now

    def monotonic(self, epoch: float, now: float) -> float:
        """The monotonic time of seconds since 1970."""
        return now + epoch - self._clock.now().timestamp()
