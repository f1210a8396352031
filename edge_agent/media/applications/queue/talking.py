"""A caller who talks with an agent, and may be sent elsewhere by him: the agent's phone asks for it (REFER)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_agent.media.applications.queue.waiting import Waiting
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import MediaSession
from edge_agent.ports import CallRefused, Transfer

_GONE = 487


class Talking:
    """One talk.

    Args:
        waiting: the caller.
        session: his call.
    """

    def __init__(self, waiting: Waiting, session: MediaSession) -> None:
        self.waiting, self._session = waiting, session
        self._sending: asyncio.Task[None] | None = None

    def send_on(self, transfer: Transfer, told: Callable[[int], None], note: Callable[[], None]) -> None:
        """Have the caller's phone call whom the agent's phone names; his permissions were checked by the proxy.

        Args:
            transfer: whom.
            told: takes what became of it.
            note: has the disk know of it.

        Raises:
            CallRefused: he is being sent somewhere already.
        """
        if self._sending is not None and not self._sending.done():
            raise CallRefused("the caller is being sent elsewhere already")
        self._sending = asyncio.get_running_loop().create_task(self._send(transfer, told, note))

    async def sent(self) -> None:
        """The agent may have hung up as soon as he asked for it: until the caller has gone, or could not."""
        if self._sending is not None:
            await asyncio.wait({self._sending})

    async def _send(self, transfer: Transfer, told: Callable[[int], None], note: Callable[[], None]) -> None:
        story = self.waiting.story
        # Before it happens: the end of the call, in which it succeeds, is told at once.
        before = story.sent_on(_number(transfer))
        note()
        try:
            status = await self._session.transfer(transfer)
        except SessionEnded:
            status = _GONE
        if status >= 300:
            story.sent_on(before)
            note()
        told(status or 200)


def _number(transfer: Transfer) -> str:
    """Whom a transfer leads to, as people say it."""
    return transfer.target.partition(":")[2].partition("@")[0].partition(";")[0]
