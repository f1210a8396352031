"""A connection to the hub, whatever carries it: encoded messages in order, both ways."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from edge_agent.sync.errors import ChannelFailed
from edge_agent.sync.site import Transport

MAX_INBOX: Final = 4096
"""Messages received and not yet looked at; a hub sends far fewer."""


class Link:
    """What a transport fills and the channel empties.

    Args:
        transport: what carries it.
        binding: the TLS exporter that a proof is bound to; None where the hub challenges.
        send: takes one encoded message; never blocks, never raises.
        close: sends what was given so far and closes.
    """

    def __init__(
        self,
        transport: Transport,
        binding: bytes | None,
        send: Callable[[bytes], None],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.transport = transport
        self.binding = binding
        self.send = send
        self.close = close
        self._inbox: asyncio.Queue[bytes | ChannelFailed] = asyncio.Queue()

    def deliver(self, payload: bytes) -> None:
        """The transport received a message."""
        if self._inbox.qsize() >= MAX_INBOX:
            self.lose("the hub sends faster than this edge can take")
            return
        self._inbox.put_nowait(payload)

    def lose(self, why: str) -> None:
        """The transport's connection is gone."""
        self._inbox.put_nowait(ChannelFailed(why))

    async def receive(self) -> bytes:
        """The next message; safe to cancel.

        Raises:
            ChannelFailed: the connection is gone; everything that came before was returned.
        """
        item = await self._inbox.get()
        if isinstance(item, ChannelFailed):
            self._inbox.put_nowait(item)
            raise item
        return item
