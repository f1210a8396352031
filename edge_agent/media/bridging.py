"""Two callers who talk with each other, on any engine: a mix of two that lasts as long as both calls."""

import asyncio

from edge_agent.media.session import MediaSession


async def bridge(one: MediaSession, other: MediaSession, name: str) -> None:
    """Let them talk in a mix of this name until one call is over; `SessionEnded` only when joining came too late."""
    waits = [asyncio.ensure_future(each.over()) for each in (one, other)]
    try:
        await one.join(name)
        await other.join(name)
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await one.leave()
        await other.leave()
