"""The one place that reads a clock. Wall time and monotonic time are different things and different types."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from; tests move one by hand."""

    def monotonic(self) -> float:
        """Seconds on a clock that only goes forward; for deadlines and intervals."""
        ...

    def now(self) -> datetime:
        """The moment in UTC; for records that people and other machines read."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)
