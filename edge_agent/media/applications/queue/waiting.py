"""A caller who waits: what he hears (a welcome, music, and now and then how things stand) and what he may choose."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contract.snapshot import CallQueue
from edge_agent.clock import Clock
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.queue.arranging import NumberFor, arrange
from edge_agent.media.applications.queue.kept import KeptCaller, KeptWish
from edge_agent.media.applications.queue.story import CallerStory
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Speech

_LONGEST_TOLD_MINUTES: Final = 60
_KEY_SECONDS: Final = 86_400.0


@dataclass(slots=True, eq=False)
class Waiting:
    """A caller in a queue.

    Args:
        session: the call; None: he is to be called back.
        since: seconds, monotonic.
        story: what is told of it afterwards.
        wish: to be called back; None: he waits at the phone.
    """

    session: MediaSession | None
    since: float
    story: CallerStory
    wish: KeptWish | None = None
    ringing: asyncio.Task[None] | None = None
    """Rings agents for this caller."""
    agent: asyncio.Future[tuple[str, MediaSession]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """Who answered: the user's id, and the call."""
    arranging: bool = False
    """Whether he is being asked where to call him back: no moment to send him away."""

    def kept(self, now: datetime) -> KeptCaller:
        """What the disk is to know."""
        return KeptCaller(told=self.story.so_far(now), wish=self.wish)

    def is_due(self, now: datetime) -> bool:
        """Whether agents may be rung: always, except between two attempts to call back."""
        return self.wish is None or self.wish.not_before is None or self.wish.not_before <= now


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands: the place in the queue, from 1, and the expected wait in seconds where it is known."""

    position: int
    wait: float | None


class Pastime:
    """The time of one caller at the phone.

    Args:
        session: the call.
        waiting: the caller.
        queue: what is said, and how often.
        speech: in its language.
        clock: when the call back is offered.
        standing: asked before each announcement.
        shown: the number that the caller shows.
        number_for: what may be called back.
        music: what is heard meanwhile.
    """

    def __init__(
        self,
        session: MediaSession,
        waiting: Waiting,
        queue: CallQueue,
        speech: Speech,
        clock: Clock,
        standing: Callable[[], Standing],
        shown: str,
        number_for: NumberFor,
        music: HoldMusic,
    ) -> None:
        self._music = music
        self._session, self._waiting, self._queue, self._speech = session, waiting, queue, speech
        self._clock, self._standing, self._shown, self._number_for = clock, standing, shown, number_for
        offer = queue.call_back
        callable_ = offer is not None and (offer.other_number or number_for(shown) is not None)
        self._offer = offer if callable_ else None
        self._offered = self._offer is None
        self._greets = queue.welcome

    async def chosen(self) -> str:
        """Until the caller chooses something: the number to call him back at; empty: he waits no longer."""
        while True:
            key = await self._key()
            if self._queue.leave_key and key == self._queue.leave_key:
                return ""
            if self._offer is None or key != self._offer.key:
                continue
            self._waiting.arranging = True
            try:
                if number := await arrange(self._session, self._offer, self._speech, self._shown, self._number_for):
                    return number
            finally:
                self._waiting.arranging = False

    async def _key(self) -> str:
        """Entertain the caller until a key."""
        music = asyncio.ensure_future(self._entertain())
        key = asyncio.ensure_future(self._session.collect(1, _KEY_SECONDS, terminators=""))
        try:
            await asyncio.wait({music, key}, return_when=asyncio.FIRST_COMPLETED)
            if key.done():
                return (await key).digits
            return await music
        finally:
            for task in (music, key):
                task.cancel()
            await asyncio.wait({music, key})

    async def _entertain(self) -> str:
        """Go on until the call ends or this is cancelled."""
        session, queue = self._session, self._queue
        if self._greets:
            self._greets = False
            await session.play(*self._speech.phrase("queue_welcome"))
        while True:
            pause, offers = self._next()
            try:
                async with asyncio.timeout(pause):
                    await self._music.play(session, queue.service_id)
            except TimeoutError:
                told = [] if offers else announcement(queue, self._speech, self._standing())
                self._offered = self._offered or offers
                if self._offered and self._offer is not None:
                    told += [*self._speech.phrase("queue_call_back"), *self._speech.digits(self._offer.key)]
                if told:
                    await session.play(*told)

    def _next(self) -> tuple[float | None, bool]:
        """How long there is music, None: for ever, and whether what comes then is the first offer to call back."""
        pause = self._queue.announce_seconds or None
        if self._offered or self._offer is None:
            return pause, False
        left = max(0.0, self._waiting.since + self._offer.after_seconds - self._clock.monotonic())
        return (left, True) if pause is None or left <= pause else (pause, False)


def announcement(queue: CallQueue, speech: Speech, standing: Standing) -> list[Prompt]:
    """What a caller is told."""
    told: list[Prompt] = []
    if queue.announce_position:
        told += [*speech.phrase("queue_position"), *speech.number(standing.position)]
    if queue.announce_wait and standing.wait is not None:
        minutes = min(max(1, math.ceil(standing.wait / 60)), _LONGEST_TOLD_MINUTES)
        unit = "queue_minute" if minutes == 1 else "queue_minutes"
        told += [*speech.phrase("queue_wait"), *speech.number(minutes), *speech.phrase(unit)]
    return told
