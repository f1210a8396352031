"""Lamps of park orbits between two processes: what the media process says of them is an order to the SIP process."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from edge_agent.processes.link import Answer
from edge_agent.processes.supervisor import ProcessGone

ORBITS: Final = "orbits_taken"


class ProcessOrbitLamps:
    """Passes on which orbits are taken, the newest only, and again to a SIP process that was started again.

    Args:
        order: has the SIP process do something at once.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]]) -> None:
        self._order = order
        self._taken: Mapping[str, str] = {}
        self._untold = False
        self._telling: asyncio.Task[None] | None = None

    def orbits_taken(self, taken: Mapping[str, str]) -> None:
        """Who waits in each taken orbit; every other one is free."""
        self._taken = taken
        self.tell_again()

    def tell_again(self) -> None:
        """The SIP process was started again: it may have missed some."""
        self._untold = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        # While the SIP process is away, what is untold waits for `tell_again`.
        with contextlib.suppress(ProcessGone):
            while self._untold:
                self._untold = False
                await self._order(ORBITS, dict(self._taken))
