"""`edge_agent.ports.MessageLamps` for mailboxes that live outside of the SIP process: each count is an order to it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from edge_agent.ports import MessagesWaiting
from edge_agent.processes.link import Answer
from edge_agent.processes.supervisor import ProcessGone


class ProcessMessageLamps:
    """Passes counts on, one at a time, and again to a SIP process that was started again.

    Args:
        order: has the SIP process do something at once.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]]) -> None:
        self._order = order
        self._known: dict[str, MessagesWaiting] = {}
        self._untold: dict[str, MessagesWaiting] = {}
        self._telling: asyncio.Task[None] | None = None

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        """See `MessageLamps`; of two counts of one mailbox the later is told."""
        self._known[counts.user_id] = self._untold[counts.user_id] = counts
        self._tell_soon()

    def tell_again(self) -> None:
        """The SIP process was started again: it may have missed some."""
        self._untold.update(self._known)
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._untold and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        # While the SIP process is away, what is untold waits for `tell_again`.
        with contextlib.suppress(ProcessGone):
            while self._untold:
                counts = next(iter(self._untold.values()))
                await self._order("messages_waiting", {name: str(value) for name, value in asdict(counts).items()})
                if self._untold.get(counts.user_id) is counts:
                    del self._untold[counts.user_id]
