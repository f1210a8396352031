"""A memory of hops that did not answer, so that the next call does not wait for them again (RFC 3263 §4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edge_agent.sip.resolver.hops import Hop

FIRST_SECONDS: Final = 30.0
LONGEST_SECONDS: Final = 600.0
REMEMBERED: Final = 1_000


class DeadHops:
    """Hops that failed, each for a time that doubles when it fails again."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str, int], tuple[float, float]] = {}
        """Until when, and the time that doubles when it fails again."""

    def failed(self, hop: Hop, now: float, wished_seconds: float | None = None) -> None:
        """It did not answer, cannot be reached, or wants to be left alone for a while.

        Args:
            hop: which.
            now: monotonic.
            wished_seconds: for how long, as its Retry-After says; at most `LONGEST_SECONDS`. None: it did not say.
        """
        key = hop.transport, hop.host, hop.port
        if wished_seconds is not None:
            self._until.pop(key, None)
            self._keep(key, now, min(wished_seconds, LONGEST_SECONDS), FIRST_SECONDS / 2)
            return
        until, seconds = self._until.pop(key, (0.0, FIRST_SECONDS / 2))
        if until <= now:
            seconds = min(seconds * 2, LONGEST_SECONDS)
        self._keep(key, now, seconds, seconds)

    def _keep(self, key: tuple[str, str, int], now: float, seconds: float, doubled: float) -> None:
        self._until[key] = now + seconds, doubled
        if len(self._until) > REMEMBERED:
            del self._until[next(iter(self._until))]

    def answered(self, hop: Hop) -> None:
        """It lives."""
        self._until.pop((hop.transport, hop.host, hop.port), None)

    def living_first(self, hops: Iterable[Hop], now: float) -> list[Hop]:
        """The same hops: those that may live in their order, then the dead, for want of better."""
        return sorted(hops, key=lambda hop: self.is_dead(hop, now))

    def is_dead(self, hop: Hop, now: float) -> bool:
        """Whether it failed lately."""
        return self._until.get((hop.transport, hop.host, hop.port), (0.0, 0.0))[0] > now

    def __len__(self) -> int:
        return len(self._until)
