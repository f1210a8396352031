"""Music for those who wait: that of the place where they wait, of whoever has them wait, or of the site.

A phone that holds somebody calls the music, and passes what it offers on to them (RFC 7088).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Never

from contract.snapshot import CallQueue, DialPlan, Meeting, Music, OwnMusic, Park, User
from edge_agent.media.applications.uploaded import UploadedSounds
from edge_agent.media.errors import PromptError
from edge_agent.media.session import MediaSession, Prompt

MUSIC: Final = Prompt(Path(__file__).parent.parent / "prompts" / "music.wav")


@dataclass(frozen=True, slots=True)
class MusicChoice:
    """Whose music is which.

    Args:
        site: for those who have none; None: what comes with the edge.
        services: of places to wait at, by id.
        users: of users, their own or that of a group of theirs, by id.
        orbits: of single orbits of parks.
    """

    site: OwnMusic | None = None
    services: Mapping[str, OwnMusic] = field(default_factory=dict)
    users: Mapping[str, OwnMusic] = field(default_factory=dict)
    orbits: Mapping[str, OwnMusic] = field(default_factory=dict)

    def of(self, service_id: str, user_id: str, orbit: str = "") -> OwnMusic | None:
        """What is played at a place, for a user; each may be empty."""
        place = self.orbits.get(orbit) or self.services.get(service_id)
        return place or self.users.get(user_id) or self.site

    @property
    def all(self) -> frozenset[OwnMusic]:
        """Every file."""
        of_places = {*self.services.values(), *self.orbits.values()}
        return frozenset({*of_places, *self.users.values(), *((self.site,) if self.site else ())})


def music_choice(plan: DialPlan, users: Iterable[User]) -> MusicChoice:
    """What a site's configuration means for it.

    Args:
        plan: of the site.
        users: of the site.
    """
    of_users: dict[str, OwnMusic] = {}
    for group in plan.hunt_groups:
        if group.music is not None and group.enabled:
            for member in group.members:
                of_users.setdefault(member, group.music)
    of_users |= {user.user_id: user.music for user in users if user.music is not None}
    services = {
        one.service_id: one.music
        for one in plan.voice_services
        if isinstance(one, Music | Park | CallQueue | Meeting) and one.music is not None
    }
    parks = (one for one in plan.voice_services if isinstance(one, Park))
    orbits = {one.orbit: one.music for park in parks for one in park.orbit_music}
    return MusicChoice(plan.music, services, of_users, orbits)


class HoldMusic:
    """Plays to those who wait, from one file for all who hear the same.

    Args:
        shipped: what is played where nothing else is chosen, or cannot be played.
    """

    def __init__(self, shipped: Prompt = MUSIC) -> None:
        self.shipped = shipped
        self._choice = MusicChoice()
        self._sounds: UploadedSounds | None = None
        self._unusable: Callable[[OwnMusic], None] = lambda music: None

    def attach(self, sounds: UploadedSounds, unusable: Callable[[OwnMusic], None]) -> None:
        """Say where the files are, and who hears of one that cannot be played."""
        self._sounds, self._unusable = sounds, unusable

    def use(self, choice: MusicChoice) -> None:
        """Go by this, for those who begin to wait."""
        self._choice = choice

    async def play(self, session: MediaSession, service_id: str = "", user_id: str = "", orbit: str = "") -> Never:
        """Go on until the call ends or this is cancelled.

        Args:
            session: the call.
            service_id: the place where its caller waits; empty: none that can have music.
            user_id: who has the caller wait; empty: nobody.
            orbit: where the place is an orbit of a park.
        """
        await self.repeat(session.play, service_id, user_id, orbit)

    async def repeat(
        self, play: Callable[[Prompt], Awaitable[object]], service_id: str = "", user_id: str = "", orbit: str = ""
    ) -> Never:
        """Go on until this is cancelled, or playing fails for another reason than the file.

        Args:
            play: lets a piece be heard, to its end.
            service_id, user_id, orbit: as for `play`.
        """
        music = self._choice.of(service_id, user_id, orbit)
        if music is not None and self._sounds is not None:
            prompt = await asyncio.to_thread(self._sounds.find, music.digest)
            try:
                while prompt is not None:
                    await play(prompt)
            except PromptError:
                pass
            self._unusable(music)
        while True:
            await play(self.shipped)


class MusicOnHold:
    """Answers, and plays music again and again until the call ends.

    Who hears it need not be who called: the phone gives the address of whoever it holds as its own (RFC 7088 §2.1).

    Args:
        music: what is played.
    """

    def __init__(self, music: HoldMusic) -> None:
        self._music = music

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """What comes with the edge; other music is loaded when it is played."""
        return (self._music.shipped,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        told = session.arguments
        await session.answer()
        await self._music.play(session, told.get("service", ""), told.get("user", ""))
