"""Which media engine has the calls, between processes: what media says of it is an order to the SIP process."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from edge_agent.processes.child import UnknownOrder
from edge_agent.processes.link import Answer
from edge_agent.processes.supervisor import ProcessGone

ENGINE: Final = "engine_is"
EMBEDDED: Final = "embedded"
_LONGEST: Final = 64


class EngineIdentity:
    """Passes on each change of the engine, in order, and the newest again to a SIP process that was started again.

    The embedded engine ends with its process, and a new agent has none: it is told to be gone before anything else.
    Whether FreeSWITCH goes on is the media process's to say.

    Args:
        order: has the SIP process do something at once.
        kind: of the engine, as the settings have it.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]], kind: str) -> None:
        self._order, self._embedded = order, kind == EMBEDDED
        self._newest: str | None = "" if self._embedded else None
        self._untold: list[str] = []
        self._telling: asyncio.Task[None] | None = None

    def engine_is(self, engine_id: str) -> None:
        """It has this id; empty: it is gone."""
        self._newest = engine_id
        self._say(engine_id)

    def process_ended(self) -> None:
        """The media process ended."""
        if self._embedded:
            self.engine_is("")

    def tell_again(self) -> None:
        """The SIP process was started again."""
        if self._newest is not None:
            self._say(self._newest)

    def _say(self, engine_id: str) -> None:
        self._untold.append(engine_id)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        # A SIP process that is away is told the newest when it is back.
        while self._untold:
            with contextlib.suppress(ProcessGone):
                await self._order(ENGINE, {"engine_id": self._untold.pop(0)})


def ordered_engine(arguments: dict[str, str]) -> str:
    """The id that an order names.

    Raises:
        UnknownOrder: it names none.
    """
    engine_id = arguments.get("engine_id")
    if engine_id is None or len(engine_id) > _LONGEST:
        raise UnknownOrder(f"engine_is needs an engine_id of at most {_LONGEST} characters")
    return engine_id
