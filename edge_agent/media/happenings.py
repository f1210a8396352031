"""What has happened on a call and no application has asked for yet; each engine's session has one."""

import asyncio
from collections import deque

from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import Collected, DigitPressed, EndCause, Ended, PromptPlayed, SessionEvent

MOST_WAITING_EVENTS = 64
"""Digits pressed while nobody listens are kept up to here; further ones are lost."""


class Happenings:
    """Events of a call in their order, and its end; waiting for either."""

    def __init__(self) -> None:
        self._events: deque[SessionEvent] = deque()
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        self.cause: EndCause | None = None
        """Why the call ended; None while it lasts."""

    def happened(self, event: SessionEvent) -> None:
        """Keep an event for whoever asks; a digit too many is lost, nothing else is."""
        if len(self._events) < MOST_WAITING_EVENTS or not isinstance(event, DigitPressed):
            self._events.append(event)
        self._wake.set()

    def end(self, cause: EndCause) -> bool:
        """The call is over; False when it already was, and its cause stays."""
        if self.cause is not None:
            return False
        self.cause = cause
        self._over.set()
        self._wake.set()
        return True

    def check(self) -> None:
        """Raises `SessionEnded` when the call is over."""
        if self.cause is not None:
            raise SessionEnded(self.cause)

    async def over(self) -> EndCause:
        """See `MediaSession.over`."""
        await self._over.wait()
        return self.cause or EndCause.FAILED

    async def over_within(self, seconds: float) -> bool:
        """Whether the call is over now, or before so many seconds have passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def wait(self) -> None:
        """Until something happens; `SessionEnded` when it is the end."""
        self._wake.clear()
        self.check()
        await self._wake.wait()
        self.check()

    async def next_event(self) -> SessionEvent:
        """See `MediaSession.next_event`."""
        while not self._events:
            if self.cause is not None:
                return Ended(self.cause)
            self._wake.clear()
            await self._wake.wait()
        return self._events.popleft()

    async def collect(self, most: int, timeout_seconds: float, terminators: str) -> Collected:
        """See `MediaSession.collect`."""
        digits = ""
        while len(digits) < most:
            self.check()
            try:
                async with asyncio.timeout(timeout_seconds):
                    while (digit := self.take_digit()) is None:
                        await self.wait()
            except TimeoutError:
                return Collected(digits, complete=False)
            if digit in terminators:
                break
            digits += digit
        return Collected(digits, complete=True)

    def take_played(self) -> bool:
        """Whether a prompt's end was waiting; it waits no more."""
        kept = [event for event in self._events if not isinstance(event, PromptPlayed)]
        taken = len(kept) < len(self._events)
        self._events = deque(kept)
        return taken

    def wake(self) -> None:
        """Something that is no event happened; whoever waits looks again."""
        self._wake.set()

    @property
    def digit_waits(self) -> bool:
        """Whether a key was pressed that nobody has asked for."""
        return any(isinstance(event, DigitPressed) for event in self._events)

    async def wait_for_digit(self) -> None:
        """Until a key was pressed that nobody has asked for."""
        while not self.digit_waits:
            await self.wait()

    def take_digit(self, among: str = "") -> str | None:
        """The first key that waits; None: none does. `among`: only one of these."""
        for event in self._events:
            if isinstance(event, DigitPressed) and (not among or event.digit in among):
                self._events.remove(event)
                return event.digit
        return None
