"""The time that a provider has for its first response."""

from collections.abc import Callable

from edge_agent.sip.user_agent.leg import PlacedLeg


class FirstResponse:
    """One call's, on a wheel.

    Args:
        placed: the leg to the provider.
        silent: told when nothing came in time.
    """

    __slots__ = ("_placed", "_silent")

    def __init__(self, placed: PlacedLeg, silent: Callable[[], None]) -> None:
        self._placed, self._silent = placed, silent

    def expired(self, kind: int, now: float) -> None:
        """It is over."""
        del kind, now
        if not self._placed.heard:
            self._silent()
