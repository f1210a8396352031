"""What users who keep an attendant do by telephone: record the greeting of a menu, switch special mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from contract.snapshot import Attendant, AttendantMenu
from edge_agent.media.applications.attendant.config import SPECIAL_MODE
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.applications.voicemail.conversation import Conversation, Kept, Leave
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Speech

Write = Callable[[dict[str, str | bool]], None]
"""Takes site state that a user changed: `<kind>/<id>` → value."""
FIRST_KEY: Final = "*"
SECOND_KEY: Final = "#"
"""Pressed one after the other in any menu, they lead here."""
LONGEST_SECONDS: Final = 300.0
SHORTEST_SECONDS: Final = 1.0
SILENCE_SECONDS: Final = 10.0


class Keeping:
    """The menu of whoever keeps an attendant.

    Args:
        session: the call.
        greetings: where recordings are kept.
        attendant: which.
        special: whether special mode is on.
        write: takes what is switched.
    """

    def __init__(
        self, session: MediaSession, greetings: Greetings, attendant: Attendant, special: bool, write: Write
    ) -> None:
        self._session = session
        self._greetings = greetings
        self._attendant = attendant
        self._special = special
        self._write = write

    async def run(self, menu: AttendantMenu, speech: Speech) -> None:
        """For one menu, until the caller wants back to it."""
        talk = Conversation(self._session, speech)
        path = self._greetings.recording(self._attendant, menu)
        while True:
            try:
                key = await talk.choose("1234*", *speech.phrase("attendant_keeping"))
            except Leave:
                return
            match key:
                case "1":
                    await self._record(talk, menu)
                case "2":
                    if await asyncio.to_thread(path.exists):
                        await self._session.play(Prompt(path), barge_in=True)
                    else:
                        await talk.say("nothing_recorded")
                case "3":
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                    await talk.say("deleted")
                case "4" if self._attendant.special_menu is not None:
                    self._special = not self._special
                    self._write({f"{SPECIAL_MODE}/{self._attendant.service_id}": self._special})
                    await talk.say("special_on" if self._special else "special_off")
                case "4":
                    await talk.say("invalid")
                case _:
                    return

    async def _record(self, talk: Conversation, menu: AttendantMenu) -> None:
        final = self._greetings.recording(self._attendant, menu)
        # The old one is heard until the new one is kept.
        aside = final.with_suffix(".new")
        introduction = talk.speech.phrase("record_greeting")
        try:
            kept = await talk.record(
                aside, LONGEST_SECONDS, SHORTEST_SECONDS, SILENCE_SECONDS, "record_review", introduction
            )
            if kept is Kept.KEPT:
                await asyncio.to_thread(aside.replace, final)
            await talk.say("saved" if kept is Kept.KEPT else "cancelled")
        except RecordingFailed:
            await talk.say("cannot_record")
        finally:
            await asyncio.to_thread(aside.unlink, missing_ok=True)
