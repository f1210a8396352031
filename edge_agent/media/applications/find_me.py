"""Find-me with a key: a place beyond the site is called, and has the call once whoever answers has pressed 1.

The caller hears ringing until then, and all other phones ring on; so what answers by itself, such as the voicemail of
another network, takes no call.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from edge_agent.media.calling import NotReached, PhoneCaller, Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages

TRIES: Final = 3
KEY_SECONDS: Final = 4.0
"""How long somebody has to press a key after each time that he is asked."""
_TAKE: Final = "1"
_DECLINE: Final = "2"


class ConfirmedCalls:
    """Calls and asks; the call's arguments say whom: `user`, `number` and `seconds`.

    Args:
        languages: what is said.
        language: of the site; asked at the beginning of each call.
        phones: calls the place.
    """

    def __init__(self, languages: Languages, language: Callable[[], str], phones: PhoneCaller) -> None:
        self._languages, self._language, self._phones = languages, language, phones

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """None: what is spoken is loaded when it is first said."""
        return ()

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        await session.ring()
        asking = asyncio.create_task(self._taker(session))
        over = asyncio.ensure_future(session.over())
        try:
            await asyncio.wait({asking, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            # Somebody else took the call, or the caller gave up.
            asking.cancel()
            await asyncio.wait({asking})
        called = None if asking.cancelled() else asking.result()
        if called is None:
            return
        try:
            await session.answer()
            await session.bridge(called)
        finally:
            await called.hang_up()

    async def _taker(self, session: MediaSession) -> MediaSession | None:
        """The call to the place, where somebody pressed the key; None: nobody did, and it is hung up."""
        told = session.arguments
        number, seconds = told.get("number", ""), told.get("seconds", "")
        wanted = Ringing(number, session.caller, session.caller_name, "find_me", told.get("user", ""))
        limit = float(seconds[:6]) if seconds.isdecimal() and int(seconds[:6]) else None
        try:
            async with asyncio.timeout(limit):
                called = await self._phones.ring(wanted)
        except (TimeoutError, NotReached):
            return None
        taken = False
        try:
            with contextlib.suppress(SessionEnded):
                taken = await self._is_taken(called, session.caller)
        finally:
            if not taken:
                await called.hang_up()
        return called if taken else None

    async def _is_taken(self, called: MediaSession, caller: str) -> bool:
        speech = self._languages.speech(self._language())
        digits = speech.digits(caller) if caller.lstrip("+").isdecimal() else []
        who = [*speech.phrase("call_from"), *digits] if digits else speech.phrase("call_for_you")
        for _ in range(TRIES):
            await called.play(*who, *speech.phrase("take_call"), barge_in=True)
            key = (await called.collect(1, KEY_SECONDS, terminators="")).digits
            if key in (_TAKE, _DECLINE):
                return key == _TAKE
        return False
