"""What an attendant says: files that were uploaded, recorded by telephone, or spoken here from texts."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from contract.snapshot import (
    Announcement,
    Attendant,
    AttendantGreeting,
    AttendantMenu,
    EndCall,
    MenuKey,
    PreviousMenu,
    RecordedGreeting,
    RepeatMenu,
    SpokenGreeting,
    StandardGreeting,
    ToDestination,
    ToExtension,
    ToMailbox,
    ToMenu,
    ToName,
    ToOperator,
    UploadedGreeting,
)
from edge_agent.media.applications.uploaded import UploadedSounds
from edge_agent.media.session import Prompt
from edge_agent.media.speech import Languages, Speech
from edge_agent.media.spoken import NotSpoken, speak

log = logging.getLogger(__name__)

_PHRASES: Final = {
    ToDestination: "for_this_choice",
    ToExtension: "for_any_extension",
    ToName: "for_name",
    ToMenu: "for_menu",
    ToMailbox: "for_message",
    ToOperator: "for_operator",
    Announcement: "for_announcement",
    RepeatMenu: "for_repeat",
    PreviousMenu: "for_back",
    EndCall: "for_end",
}


class Greetings:
    """The files.

    Args:
        folder: where they are kept.
        blobs: of the edge: the uploaded ones, by their digests.
        languages: what comes with the edge.
    """

    def __init__(self, folder: Path, blobs: Path, languages: Languages) -> None:
        self._spoken, self._recorded = folder / "spoken", folder / "recorded"
        self._uploaded = UploadedSounds(folder / "uploaded", blobs)
        self._languages = languages
        for each in (self._spoken, self._recorded):
            each.mkdir(parents=True, exist_ok=True)
            for left in each.glob("*.new"):
                left.unlink(missing_ok=True)

    def recording(self, attendant: Attendant, menu: AttendantMenu) -> Path:
        """Where the greeting of a menu is that is recorded by telephone; written aside and renamed."""
        return self._recorded / f"{attendant.service_id}.{menu.menu_id}.wav"

    async def menu(self, attendant: Attendant, menu: AttendantMenu, language: str) -> list[Prompt]:
        """What a menu says, in a language."""
        if isinstance(menu.greeting, RecordedGreeting):
            path = self.recording(attendant, menu)
            if await asyncio.to_thread(path.exists):
                return [Prompt(path)]
        elif (found := await self._own(menu.greeting, language)) is not None:
            return found
        phrase = menu.greeting.phrase if isinstance(menu.greeting, StandardGreeting) else "welcome"
        return [*self._standard(phrase, language), *await self._choices(menu, language)]

    async def announcement(self, greeting: AttendantGreeting, language: str) -> list[Prompt]:
        """What an announcement says; a text that cannot be spoken, or a file that cannot be used, is passed over."""
        if (found := await self._own(greeting, language)) is not None:
            return found
        return self._standard(greeting.phrase, language) if isinstance(greeting, StandardGreeting) else []

    async def name(self, name: str, language: str) -> list[Prompt] | None:
        """A name, spoken here; None: it cannot be."""
        found = await self._text(name, language)
        return None if found is None else [found]

    def prepare(self, attendants: Iterable[Attendant]) -> None:
        """Speak every text before somebody calls, and let go of what no attendant says. Takes long: for a thread."""
        texts: list[tuple[str, str]] = []
        digests: set[str] = set()
        for attendant in attendants:
            languages = {attendant.language, *(menu.language for menu in attendant.menus if menu.language)}
            digests |= attendant.digests
            texts += [(text, language) for text in _texts(attendant) for language in languages]
        self.keep(texts, digests)

    def keep(self, texts: Iterable[tuple[str, str]], digests: Iterable[str]) -> None:
        """Have exactly these texts, each with its language, and uploaded files. Takes long: for a thread."""
        self._uploaded.keep(frozenset(digests))
        wanted = set()
        for text, language in texts:
            path = self._path_of(text, language)
            wanted.add(path)
            with suppress(NotSpoken, OSError):
                self._spoken_to(path, text, language)
        for file in self._spoken.glob("*.wav"):
            if file not in wanted:
                file.unlink(missing_ok=True)

    # -- parts

    async def _own(self, greeting: AttendantGreeting, language: str) -> list[Prompt] | None:
        found = None
        if isinstance(greeting, SpokenGreeting):
            found = await self._text(greeting.text, language)
        elif isinstance(greeting, UploadedGreeting):
            found = await asyncio.to_thread(self._uploaded.find, greeting.digest)
        return None if found is None else [found]

    def _standard(self, phrase: str, language: str) -> list[Prompt]:
        return [] if phrase == "none" else self._languages.speech(language).phrase(f"attendant_{phrase}")

    async def _choices(self, menu: AttendantMenu, language: str) -> list[Prompt]:
        """What the keys are for."""
        speech = self._languages.speech(language)
        said = speech.phrase("know_extension") if menu.direct_extensions else []
        for key in menu.keys:
            what = await self._choice(key, speech, language)
            said += [*what, *speech.phrase("press"), *speech.digits(key.key)]
        return said

    async def _choice(self, key: MenuKey, speech: Speech, language: str) -> list[Prompt]:
        if key.label and (label := await self._text(key.label, language)) is not None:
            return [*speech.phrase("for_whom"), label]
        action = key.action
        if isinstance(action, ToDestination) and action.destination.isascii() and action.destination.isdigit():
            return [*speech.phrase("for_extension"), *speech.digits(action.destination)]
        return speech.phrase(_PHRASES[type(action)])

    async def _text(self, text: str, language: str) -> Prompt | None:
        path = self._path_of(text, language)
        try:
            await asyncio.to_thread(self._spoken_to, path, text, language)
        except (NotSpoken, OSError) as error:
            log.warning("greeting_not_spoken", extra={"reason": str(error)})
            return None
        return Prompt(path)

    def _spoken_to(self, path: Path, text: str, language: str) -> None:
        if not path.exists():
            speak(self._languages.speech(language).voice, text, path)

    def _path_of(self, text: str, language: str) -> Path:
        voice = self._languages.speech(language).voice
        return self._spoken / f"{hashlib.sha256(f'{voice}:{text}'.encode()).hexdigest()}.wav"


def _texts(attendant: Attendant) -> Iterator[str]:
    yield from (one.text for one in attendant.greetings if isinstance(one, SpokenGreeting))
    yield from (key.label for menu in attendant.menus for key in menu.keys if key.label)
