"""`edge_agent.ports.MediaRelay` between two processes: what the SIP process wants carried is an order to media."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import TypeAdapter, ValidationError

from edge_agent.ports import RelayedStream
from edge_agent.processes.child import UnknownOrder
from edge_agent.processes.link import Answer
from edge_agent.processes.supervisor import ProcessGone

CARRY: Final = "carry"
_STREAMS: Final = TypeAdapter(tuple[RelayedStream, ...])


class ProcessMediaRelay:
    """Passes on what is to be carried, the newest only; a media process that is away hears it at the next time.

    Args:
        order: has the media process do something at once.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]]) -> None:
        self._order = order
        self._untold: tuple[RelayedStream, ...] | None = None
        self._telling: asyncio.Task[None] | None = None

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """See `MediaRelay`."""
        self._untold = streams
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        with contextlib.suppress(ProcessGone):
            while self._untold is not None:
                streams, self._untold = self._untold, None
                await self._order(CARRY, {"streams": _STREAMS.dump_json(streams).decode()})


def ordered_streams(arguments: dict[str, str]) -> tuple[RelayedStream, ...]:
    """What an order to carry says.

    Raises:
        UnknownOrder: it says nothing that can be carried.
    """
    try:
        return _STREAMS.validate_json(arguments.get("streams", ""))
    except ValidationError as error:
        raise UnknownOrder(f"no streams to carry: {error.errors(include_input=False)[0]['type']}") from None
