"""When Python looks for cycles: not in the middle of calls.

Messages, transactions and calls leave no cycles behind, but the collector looks through everything alive each time a
few hundred objects were made: half of a call's cost, measured. So what is there after a configuration is exempt, the
young generation is large, and a full look is taken while the process has little to do.
"""

import asyncio
import ctypes
import gc
from collections.abc import Callable
from typing import Final

YOUNG: Final = 50_000
"""Objects made, beyond those freed, before the collector looks at the young ones."""
LOOK_SECONDS: Final = 30.0
"""How often it is seen whether there is time for a full look."""
IDLE_SHARE: Final = 0.2
"""Of one processor: a process that used less since the last time has time."""
_MOST_LOOKS_MISSED: Final = 20
"""A process that is never idle takes its full look all the same, after so many times."""


def exempt() -> None:
    """Everything alive now is there to stay: free what is not, and look at the rest no more."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _give_back()
    # The middle generation is never looked at alone: what survives once is here to stay for a call's length.
    gc.set_threshold(YOUNG, 1_000, 1_000)


def _give_back() -> None:
    """Return what a configuration's parsing took and left free; the C library keeps it otherwise (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class IdleCollecting:
    """Takes a full look now and then, while there is time.

    Args:
        used: CPU seconds of this process so far.
    """

    def __init__(self, used: Callable[[], float]) -> None:
        self._used = used
        self._before = used()
        self._missed = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; on the running event loop."""
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._due)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        self.look(LOOK_SECONDS)
        self.start()

    def look(self, seconds: float) -> bool:
        """Collect if there is time; whether that was done.

        Args:
            seconds: since this was called last.
        """
        used = self._used()
        share, self._before = (used - self._before) / seconds, used
        if share > IDLE_SHARE and self._missed < _MOST_LOOKS_MISSED:
            self._missed += 1
            return False
        self._missed = 0
        gc.collect()
        return True
