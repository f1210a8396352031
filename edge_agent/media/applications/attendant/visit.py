"""One caller's way through the menus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from contract.snapshot import (
    Announcement,
    Attendant,
    AttendantMenu,
    EndCall,
    KeyAction,
    LastAction,
    PreviousMenu,
    RepeatMenu,
    ToDestination,
    ToExtension,
    ToMailbox,
    ToMenu,
    ToName,
    ToOperator,
)
from edge_agent.clock import Clock
from edge_agent.media.applications.attendant.config import AttendantConfig
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.applications.attendant.keeping import FIRST_KEY, SECOND_KEY, Keeping
from edge_agent.media.applications.attendant.spelling import Spelling
from edge_agent.media.session import MediaSession
from edge_agent.media.speech import Languages, Speech

MOST_MENUS: Final = 50
"""That are remembered to go back to."""
LONGEST_NUMBER: Final = 15
NUMBER_SECONDS: Final = 5.0
TRIES: Final = 3


class Over(Exception):
    """The caller has been told goodbye."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A menu, and the language that it is heard in."""

    menu: AttendantMenu
    language: str


class Visit:
    """From the first menu to the end of the call.

    Args:
        session: the call, answered.
        languages: what comes with the edge.
        greetings: what the attendant says.
        config: of the site.
        attendant: which was called.
        keeping: what the caller may change; None: nothing.
        recorded_name: see `Spelling`.
        clock: for how long the call may last.
    """

    def __init__(
        self,
        session: MediaSession,
        languages: Languages,
        greetings: Greetings,
        config: AttendantConfig,
        attendant: Attendant,
        keeping: Keeping | None,
        recorded_name: Callable[[str], Path | None],
        clock: Clock,
    ) -> None:
        self._session = session
        self._languages = languages
        self._greetings = greetings
        self._config = config
        self._attendant = attendant
        self._keeping = keeping
        self._recorded_name = recorded_name
        self._clock = clock
        self._menus = {menu.menu_id: menu for menu in attendant.menus}
        self._directory = config.directories[attendant.service_id]
        self._until = clock.monotonic() + attendant.longest_seconds
        self._came: list[_Place] = []

    async def run(self, first: str) -> None:
        """Serve the caller.

        Args:
            first: id of the menu to begin with.
        """
        place = _Place(self._menus[first], self._menus[first].language or self._attendant.language)
        try:
            while True:
                action, is_last = await self._asked(place)
                place = await self._done(action, place, is_last)
        except Over:
            await self._session.play(*self._languages.speech(place.language).phrase("goodbye"))

    # -- asking

    async def _asked(self, place: _Place) -> tuple[KeyAction | LastAction, bool]:
        """What the caller wants; what the menu does with one who does not say, and that it is that."""
        menu, speech = place.menu, self._speech(place)
        silent = wrong = 0
        keys = {key.key: key.action for key in menu.keys}
        while True:
            if self._clock.monotonic() > self._until:
                raise Over
            await self._session.play(*await self._greetings.menu(self._attendant, menu, place.language), barge_in=True)
            pressed = await self._pressed(menu)
            if not pressed:
                silent += 1
                if silent > menu.no_input.times:
                    return menu.no_input.then, True
                continue
            if self._keeping is not None and pressed == FIRST_KEY + SECOND_KEY:
                await self._keeping.run(menu, speech)
                continue
            if (action := keys.get(pressed)) is not None:  # type: ignore[call-overload]
                return action, False
            if menu.direct_extensions and self._directory.has(pressed):
                return ToDestination(destination=pressed), False
            wrong += 1
            if wrong > menu.invalid.times:
                return menu.invalid.then, True
            await self._session.play(*speech.phrase("invalid" if len(pressed) == 1 else "no_such_extension"))

    async def _pressed(self, menu: AttendantMenu) -> str:
        """One key, or an extension where it may be dialled at once; empty: none."""
        pressed = (await self._session.collect(1, menu.first_key_seconds, terminators="")).digits
        if self._keeping is not None and pressed == FIRST_KEY:
            # Whoever keeps the attendant has this key a moment later.
            return pressed + (await self._session.collect(1, menu.next_key_seconds, terminators="")).digits
        while menu.direct_extensions and pressed and self._directory.goes_on(pressed):
            more = (await self._session.collect(1, menu.next_key_seconds)).digits
            if not more:
                break
            pressed += more
        return pressed

    # -- doing

    async def _done(self, action: KeyAction | LastAction, place: _Place, is_last: bool) -> _Place:
        """Do it; the menu that the caller is in then.

        Raises:
            Over: the call is to end.
        """
        match action:
            case ToMenu():
                return self._entered(self._menus[action.menu_id], place)
            case PreviousMenu():
                return self._came.pop() if self._came else place
            case RepeatMenu():
                return place
            case Announcement():
                said = await self._greetings.announcement(action.greeting, place.language)
                await self._session.play(*said, barge_in=True)
                return place
            case EndCall():
                raise Over
            case ToExtension():
                await self._to_extension(place)
                return place
            case ToName():
                spelling = Spelling(
                    self._session, self._speech(place), place.language, self._greetings, self._recorded_name
                )
                if number := await spelling.run(self._directory):
                    await self._connect(number, place)
                return place
            case ToDestination() | ToOperator() | ToMailbox():
                await self._connect(self._number_of(action), place)
                if is_last:
                    # Asked again, a caller who presses nothing would be sent there for ever.
                    raise Over
                return place
        assert_never(action)

    def _entered(self, menu: AttendantMenu, before: _Place) -> _Place:
        self._came = [*self._came[-MOST_MENUS:], before]
        return _Place(menu, menu.language or before.language)

    def _number_of(self, action: ToDestination | ToOperator | ToMailbox) -> str:
        match action:
            case ToDestination():
                return action.destination
            case ToOperator():
                return self._attendant.operator or ""
            case ToMailbox():
                return self._config.mailbox_prefix + action.mailbox

    async def _to_extension(self, place: _Place) -> None:
        speech = self._speech(place)
        for _ in range(TRIES):
            await self._session.play(*speech.phrase("which_extension"), barge_in=True)
            number = (await self._session.collect(LONGEST_NUMBER, NUMBER_SECONDS)).digits
            if self._directory.has(number):
                await self._connect(number, place)
                return
            if number:
                await self._session.play(*speech.phrase("no_such_extension"))

    async def _connect(self, number: str, place: _Place) -> None:
        """Send the caller on; where nothing came of it, he is told so."""
        speech = self._speech(place)
        await self._session.play(*speech.phrase("one_moment"))
        await self._session.transfer(number)
        await self._session.play(*speech.phrase("not_reached"))

    def _speech(self, place: _Place) -> Speech:
        return self._languages.speech(place.language)
