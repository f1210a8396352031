"""Dial by name: the caller spells it on the keys, and chooses among those who have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge_agent.media.applications.attendant.directory import Directory, Person
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Speech

LONGEST_NAME: Final = 20
"""Keys."""
KEY_SECONDS: Final = 5.0
MOST_CHOICES: Final = 8
TRIES: Final = 3
_AGAIN: Final = "*"


class Spelling:
    """One search.

    Args:
        session: the call.
        speech: what comes with the edge in the caller's language.
        language: that.
        greetings: speaks names that nobody recorded.
        recorded_name: the file of the name that a user recorded in his mailbox; None: he has not. Reads the disk.
    """

    def __init__(
        self,
        session: MediaSession,
        speech: Speech,
        language: str,
        greetings: Greetings,
        recorded_name: Callable[[str], Path | None],
    ) -> None:
        self._session = session
        self._speech = speech
        self._language = language
        self._greetings = greetings
        self._recorded_name = recorded_name

    async def run(self, directory: Directory) -> str:
        """The number of whom the caller chose; empty: he wants back, or found nobody."""
        for _ in range(TRIES):
            await self._session.play(*self._speech.phrase("spell_name"), barge_in=True)
            keys = (await self._session.collect(LONGEST_NAME, KEY_SECONDS)).digits
            found = directory.named(keys, MOST_CHOICES)
            if not found:
                await self._session.play(*self._speech.phrase("no_such_name"))
                continue
            if len(found) > MOST_CHOICES:
                await self._session.play(*self._speech.phrase("too_many_names"))
                continue
            key = await self._chosen(found)
            if key != _AGAIN:
                return found[int(key) - 1].number if key else ""
        return ""

    async def _chosen(self, found: list[Person]) -> str:
        """The key of one of them, `*` for another name; empty: none of them."""
        said: list[Prompt] = []
        for number, person in enumerate(found, 1):
            said += [
                *self._speech.phrase("for_whom"),
                *await self._name(person),
                *self._speech.phrase("press"),
                *self._speech.number(number),
            ]
        said += self._speech.phrase("again_or_back")
        keys = {str(number) for number in range(1, len(found) + 1)} | {_AGAIN}
        for _ in range(TRIES):
            await self._session.play(*said, barge_in=True)
            key = (await self._session.collect(1, KEY_SECONDS, terminators="")).digits
            if key in keys:
                return key
            if key == "#":
                return ""
            if key:
                await self._session.play(*self._speech.phrase("invalid"))
        return ""

    async def _name(self, person: Person) -> list[Prompt]:
        """As he says it himself, else spoken here, else his number."""
        if person.user_id and (path := await asyncio.to_thread(self._recorded_name, person.user_id)) is not None:
            return [Prompt(path)]
        spoken = await self._greetings.name(person.name, self._language)
        return spoken or [*self._speech.phrase("extension"), *self._speech.digits(person.number)]
