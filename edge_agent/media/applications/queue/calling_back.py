"""A caller who wished for it is called, while the agent who will have the call waits with a word and music."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from contract.snapshot import CallBackOffer, CallQueue
from edge_agent.media.applications.music_on_hold import MUSIC
from edge_agent.media.applications.queue.kept import KeptWish
from edge_agent.media.calling import NotReached, PhoneCaller, Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import MediaSession
from edge_agent.media.speech import Speech

MOST_GIVEN_UP: Final = 10
"""So often a caller's phone rings, and an agent goes before it is answered."""
_GIVEN_UP_MINUTES: Final = 1


class AgentGone(Exception):
    """The agent hung up before the caller was reached."""


def wished(number: str, dialled: str, queue: CallQueue, now: datetime) -> KeptWish:
    """A new wish."""
    offer = queue.call_back or CallBackOffer()
    return KeptWish(number=number, dialled=dialled, until=now + timedelta(hours=offer.keep_hours))


def tried(wish: KeptWish, queue: CallQueue, now: datetime) -> KeptWish | None:
    """The wish after an attempt that failed; None: it was the last one."""
    offer = queue.call_back or CallBackOffer()
    attempts = wish.attempts + 1
    if attempts >= offer.attempts:
        return None
    again = now + timedelta(minutes=offer.retry_minutes)
    return wish.model_copy(update={"attempts": attempts, "not_before": again, "until": max(wish.until, again)})


def given_up(wish: KeptWish, now: datetime) -> KeptWish | None:
    """The wish after an attempt whose agent went: none that failed, though a phone rang; None: it was the last one."""
    times = wish.given_up + 1
    if times >= MOST_GIVEN_UP:
        return None
    return wish.model_copy(update={"given_up": times, "not_before": now + timedelta(minutes=_GIVEN_UP_MINUTES)})


async def reach(
    phones: PhoneCaller, agent: MediaSession, queue: CallQueue, wish: KeptWish, speech: Speech
) -> MediaSession | None:
    """Call whoever wished for it.

    Args:
        phones: place the call.
        agent: who waits for it.
        queue: which calls.
        wish: whom.
        speech: in the queue's language.

    Returns:
        The call, once he answered; None: he did not.

    Raises:
        AgentGone: he is not called any longer.
    """
    wanted = Ringing(wish.dialled, queue.extension, queue.name, "call_back", queue.service_id)
    seconds = (queue.call_back or CallBackOffer()).ring_seconds
    ringing = asyncio.ensure_future(_ring(phones, wanted, seconds))
    telling = asyncio.ensure_future(_entertain(agent, speech))
    try:
        await asyncio.wait({ringing, telling}, return_when=asyncio.FIRST_COMPLETED)
        gone = telling.done()
    finally:
        telling.cancel()
        ringing.cancel()
        await asyncio.wait({telling, ringing})
    call = None if ringing.cancelled() else ringing.result()
    if gone:
        if call is not None:
            await call.hang_up()
        raise AgentGone
    return call


async def _ring(phones: PhoneCaller, wanted: Ringing, seconds: float) -> MediaSession | None:
    try:
        async with asyncio.timeout(seconds):
            return await phones.ring(wanted)
    except (TimeoutError, NotReached):
        return None


async def _entertain(agent: MediaSession, speech: Speech) -> None:
    """Until the agent hangs up."""
    try:
        await agent.play(*speech.phrase("queue_call_back_agent"))
        while True:
            await agent.play(MUSIC)
    except SessionEnded:
        return
