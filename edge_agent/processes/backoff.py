"""How long to wait before a process that ended is started again."""

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Doubling pauses, the first again after a steady run.

    Args:
        first_seconds: the pause after the first end.
        longest_seconds: no pause is longer.
        steady_seconds: a run of at least this long counts as a new beginning.
    """

    first_seconds: float
    longest_seconds: float
    steady_seconds: float
    _ended: int = 0

    def after(self, ran_seconds: float) -> float:
        """The pause, in seconds, after a run of this length."""
        if ran_seconds >= self.steady_seconds:
            self._ended = 0
        pause = min(self.first_seconds * float(1 << min(self._ended, 30)), self.longest_seconds)
        self._ended += 1
        return pause
