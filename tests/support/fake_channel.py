"""A channel without a cloud: the test is the cloud, and speaks to the agent through `handlers`."""

import asyncio
from typing import Any

from edge_agent.clock import SystemClock
from edge_agent.sync.site import ChannelState, SiteHandlers


class FakeChannel:
    """Takes the arguments of `edge_agent.sync.client.Channel`; keeps what the agent gives it."""

    def __init__(self, identity: object, handlers: SiteHandlers, *stores: object, **rest: Any) -> None:
        self.handlers = handlers
        self.settings = rest["settings"]
        self.woken = 0
        self.fail_with: Exception | None = None
        self._stopped = asyncio.Event()
        self._state = ChannelState(online=False, transport=None, since=SystemClock().now())

    @property
    def state(self) -> ChannelState:
        return self._state

    def go_online(self) -> None:
        self._state = ChannelState(online=True, transport="quic", since=SystemClock().now())
        self.handlers.on_channel(self._state)

    async def run(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        await self._stopped.wait()

    async def stop(self) -> None:
        self._stopped.set()

    def blobs_came(self) -> None:
        self.woken += 1

    def notify_state(self) -> None:
        self.woken += 1

    def notify_outbox(self) -> None:
        self.woken += 1
