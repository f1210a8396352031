"""A supervisor in the call of an agent: listens, whispers to the agent, or speaks with both, by the keys 1, 2 and 3."""

from __future__ import annotations

import asyncio
from typing import Final

from contract.snapshot import CallQueue
from edge_agent.media.applications.queue.agents import Talk
from edge_agent.media.applications.queue.config import QueueConfig
from edge_agent.media.applications.tone import DECLINED
from edge_agent.media.session import MediaSession, Seat

_KEYS: Final = {"1": "listen", "2": "whisper", "3": "barge"}
_KEY_SECONDS: Final = 86_400.0


def seat_of(action: str, talk: Talk) -> Seat:
    """How a supervisor takes part; whatever is unknown only listens."""
    match action:
        case "whisper":
            return Seat(only_to=frozenset({talk.session}))
        case "barge":
            return Seat()
        case _:
            return Seat(muted=True)


def may_attend(session: MediaSession, queue_id: str, dialled: CallQueue, config: QueueConfig) -> bool:
    """Whether a call of this queue may be attended; the dial plan said so of one queue of the agent's only."""
    user_id = next((one.user_id for one in config.users.values() if one.username == session.asserted), None)
    if user_id is None:
        return queue_id == dialled.service_id
    return config.supervises(user_id, queue_id)


async def attend(session: MediaSession, talk: Talk | None, action: str) -> None:
    """Until the agent's call is over.

    Args:
        session: the supervisor's call.
        talk: the agent's; None: there is none, and a tone says so.
        action: `listen`, `whisper` or `barge`.
    """
    await session.answer()
    if talk is None:
        await session.play(DECLINED)
        return
    over = asyncio.ensure_future(talk.session.over())
    key = asyncio.ensure_future(session.collect(1, _KEY_SECONDS, terminators=""))
    try:
        await session.join(talk.room, seat_of(action, talk))
        while not over.done():
            await asyncio.wait({over, key}, return_when=asyncio.FIRST_COMPLETED)
            if key.done():
                pressed = (await key).digits
                key = asyncio.ensure_future(session.collect(1, _KEY_SECONDS, terminators=""))
                if pressed in _KEYS and not over.done():
                    await session.join(talk.room, seat_of(_KEYS[pressed], talk))
    finally:
        over.cancel()
        key.cancel()
        await asyncio.wait({over, key})
        await session.leave()
