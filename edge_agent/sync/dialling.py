"""Reaching the hub: QUIC first, a WebSocket beside it when QUIC does not get through in time."""

import asyncio
import contextlib
import logging
from typing import Final

from edge_agent.sync.errors import ChannelFailed
from edge_agent.sync.identity import Identity
from edge_agent.sync.link import Link
from edge_agent.sync.quic import dial_quic
from edge_agent.sync.site import ChannelSettings, Transport
from edge_agent.sync.websocket import dial_websocket

log = logging.getLogger(__name__)

_SHORT_HEAD_START: Final = 0.4
"""QUIC's head start where the last connection needed a WebSocket: enough on a good line, not felt on a bad one."""


class Dialler:
    """Makes connections, and remembers what got through.

    Args:
        identity: where the hub is and whom to trust.
        settings: times.
    """

    def __init__(self, identity: Identity, settings: ChannelSettings) -> None:
        self._identity = identity
        self._settings = settings
        self._last: Transport = "quic"
        self._quic_is_mute = False
        self._dialling: asyncio.Task[Link] | None = None

    async def dial(self) -> Link:
        """A connection whose transport handshake is complete.

        Raises:
            ChannelFailed: no transport got through; the text says why each did not.
        """
        self._dialling = asyncio.ensure_future(self._race())
        try:
            return await self._dialling
        except asyncio.CancelledError:
            if asyncio.current_task() is not None and self._dialling.cancelled():
                raise ChannelFailed("dialling was given up") from None
            raise
        finally:
            self._dialling.cancel()
            self._dialling = None

    def give_up(self) -> None:
        """End a dial that is under way."""
        if self._dialling is not None:
            self._dialling.cancel()

    def conversed(self, transport: Transport, *, welcomed: bool) -> None:
        """A connection ended: what it was carried by, and whether the hub ever welcomed this edge on it."""
        self._last = transport
        # A handshake that gets through while nothing after it does: large datagrams are lost on the way.
        self._quic_is_mute = transport == "quic" and not welcomed

    async def _race(self) -> Link:
        hub, ca_pem = self._identity.hub, self._identity.ca_pem
        dials: dict[Transport, asyncio.Task[Link]] = {}
        problems: list[str] = []
        try:
            async with asyncio.timeout(self._settings.connect_deadline):
                if self._settings.quic and not self._quic_is_mute:
                    dials["quic"] = asyncio.ensure_future(dial_quic(hub.host, hub.quic_port, ca_pem))
                    head_start = self._settings.quic_head_start
                    if self._last == "websocket":
                        head_start = min(head_start, _SHORT_HEAD_START)
                    await asyncio.wait(dials.values(), timeout=head_start)
                    if link := _finished(dials, problems):
                        return link
                self._quic_is_mute = False
                dials["websocket"] = asyncio.ensure_future(dial_websocket(hub.websocket_url, ca_pem))
                while dials:
                    # A hub that refuses TCP is down: QUIC, which may wait for nobody, must not hold up the next try.
                    patience = None if "websocket" in dials else self._settings.quic_head_start
                    done, _ = await asyncio.wait(dials.values(), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                    if not done:
                        raise ChannelFailed("; ".join([*problems, "quic: no answer"]))
                    if link := _finished(dials, problems):
                        return link
                raise ChannelFailed("; ".join(problems))
        except TimeoutError:
            raise ChannelFailed("; ".join([*problems, "no answer in time"])) from None
        finally:
            await _cancel(dials)


def _finished(dials: "dict[Transport, asyncio.Task[Link]]", problems: list[str]) -> Link | None:
    """The first finished dial's link; failed dials go into `problems`."""
    for transport in tuple(dials):
        task = dials[transport]
        if not task.done():
            continue
        del dials[transport]
        error = task.exception()
        if error is None:
            return task.result()
        if not isinstance(error, ChannelFailed):
            raise error
        problems.append(f"{transport}: {error}")
    return None


async def _cancel(dials: "dict[Transport, asyncio.Task[Link]]") -> None:
    for task in dials.values():
        task.cancel()
    for task in dials.values():
        with contextlib.suppress(asyncio.CancelledError, ChannelFailed):
            # Finished in the same moment as the winner: not needed.
            await (await task).close()
