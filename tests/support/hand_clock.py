"""A clock that a test moves by hand."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Stands still until `advance`."""

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start

    def monotonic(self) -> float:
        """Seconds."""
        return self._now

    def now(self) -> datetime:
        """A moment that moves with `monotonic`."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._now)

    def advance(self, seconds: float) -> float:
        """Move on; the new `monotonic`."""
        self._now += seconds
        return self._now
