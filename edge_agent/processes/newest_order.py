"""Orders of which only the newest counts, such as the whole of what is to be carried."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from edge_agent.processes.link import Answer
from edge_agent.processes.supervisor import ProcessGone


class NewestOrder:
    """Passes on the newest of what is said; a process that is away does not hear it.

    Args:
        order: has the process do something at once.
        name: of the order.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]], name: str) -> None:
        self._order, self._name = order, name
        self._untold: dict[str, str] | None = None
        self._telling: asyncio.Task[None] | None = None

    def say(self, arguments: dict[str, str]) -> None:
        """In place of what has not been passed on yet."""
        self._untold = arguments
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        with contextlib.suppress(ProcessGone):
            while self._untold is not None:
                arguments, self._untold = self._untold, None
                await self._order(self._name, arguments)
