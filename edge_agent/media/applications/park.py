"""Call park: callers wait in orbits, with music, until somebody takes them up.

The dial plan tells by the call's arguments: `service` is the record, `orbit` which one (empty: a free one), `user` who
parks or takes up, and `action` `retrieve` where the code for that was dialled. Whoever dials an orbit himself takes up
who waits there; where nobody does he holds the orbit, to transfer somebody into his place (RFC 5589 §7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contract.snapshot import Park, User
from edge_agent.clock import Clock
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.tone import CONFIRMED, DECLINED
from edge_agent.media.calling import NotReached, PhoneCaller, Ringing
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages

Lamps = Callable[[Mapping[str, str]], None]
"""Takes who waits in each taken orbit."""
_KEY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class ParkConfig:
    """What the application goes by.

    Args:
        parks: the records, by id.
        users: who parks and takes up, by id.
        language: in which orbits are told.
    """

    parks: Mapping[str, Park] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    language: str = ""


def park_config(services: Iterable[object], users: Iterable[User], language: str) -> ParkConfig:
    """What a site's configuration means for it.

    Args:
        services: every voice service of the site.
        users: of the site.
        language: of the site.
    """
    return ParkConfig(
        {one.service_id: one for one in services if isinstance(one, Park) and one.enabled},
        {user.user_id: user for user in users},
        language,
    )


@dataclass(slots=True, eq=False)
class Waiting:
    """A caller in an orbit.

    Args:
        session: the call.
        park: whose orbit it is.
        orbit: which.
        parker: who parked the call.
        holds: whether that is the caller himself, who holds the orbit for somebody else.
    """

    session: MediaSession
    park: Park
    orbit: str
    parker: User | None
    holds: bool
    taker: asyncio.Future[MediaSession] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Who takes the call up."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The call has ended, taken up or not."""

    @property
    def shown(self) -> str:
        """Who waits, for phones to show."""
        return self.session.caller_name or self.session.caller


class CallPark:
    """The orbits of a site.

    Args:
        languages: what is said.
        config: asked at the beginning of each call.
        phones: rings whoever parked a call that nobody takes up.
        lamps: told whenever an orbit is taken or left.
        clock: how long callers wait.
        music: what they hear.
    """

    def __init__(
        self,
        languages: Languages,
        config: Callable[[], ParkConfig],
        phones: PhoneCaller,
        lamps: Lamps,
        clock: Clock,
        music: HoldMusic,
    ) -> None:
        self._music = music
        self._languages, self._config, self._phones, self._lamps = languages, config, phones, lamps
        self._clock = clock
        self._waiting: dict[str, Waiting] = {}

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Music and tones; what is spoken is loaded when it is first said."""
        return (self._music.shipped, CONFIRMED, DECLINED)

    @property
    def taken(self) -> Mapping[str, str]:
        """Who waits in each taken orbit."""
        return {orbit: one.shown for orbit, one in self._waiting.items()}

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config, told = self._config(), session.arguments
        park, user = config.parks.get(told.get("service", "")), config.users.get(told.get("user", ""))
        if park is None:
            return
        orbit = told.get("orbit", "")
        himself = user is not None and session.asserted in {user.username, user.extension, *user.aliases}
        held = self._held_by(session.replaces)
        if held is not None:
            orbit, himself = held.orbit, False
        elif told.get("action") == "retrieve" or (himself and orbit in self._waiting):
            await self._take_up(session, orbit)
            return
        else:
            orbit = orbit or next((one for one in park.orbits if one not in self._waiting), "")
        if not orbit or (orbit in self._waiting and held is None):
            if himself:
                await self._declined(session)
            # A transfer that fails leaves the call with whoever wanted to park it.
            return
        await self._wait(Waiting(session, park, orbit, user, himself), config)

    def _held_by(self, session: MediaSession | None) -> Waiting | None:
        """The orbit that somebody holds by this call, for the caller who takes its place."""
        return next((one for one in self._waiting.values() if session is not None and one.session is session), None)

    async def _declined(self, session: MediaSession) -> None:
        await session.answer()
        await session.play(DECLINED)

    async def _take_up(self, session: MediaSession, orbit: str) -> None:
        waiting = self._waiting.get(orbit)
        if waiting is None or waiting.holds:
            await self._declined(session)
            return
        await session.answer()
        if waiting.taker.done() or waiting.over.is_set():
            await session.play(DECLINED)
            return
        waiting.taker.set_result(session)
        await waiting.over.wait()

    async def _wait(self, waiting: Waiting, config: ParkConfig) -> None:
        self._waiting[waiting.orbit] = waiting
        self._lamps(self.taken)
        session = waiting.session
        try:
            await session.answer()
            if waiting.holds:
                speech = self._languages.speech(config.language)
                await session.play(*speech.phrase("parked_at"), *speech.digits(waiting.orbit))
            taker = await self._until_taken(waiting)
            self._leave(waiting)
            if taker is not None:
                try:
                    await session.bridge(taker)
                finally:
                    await taker.hang_up()
        finally:
            self._leave(waiting)
            waiting.over.set()

    def _leave(self, waiting: Waiting) -> None:
        if self._waiting.get(waiting.orbit) is waiting:
            del self._waiting[waiting.orbit]
            self._lamps(self.taken)

    async def _until_taken(self, waiting: Waiting) -> MediaSession | None:
        """Music, until somebody takes the call up; None: it went elsewhere, or its time is over."""
        park, session = waiting.park, waiting.session
        now = self._clock.monotonic()
        last, ring_at = now + park.longest_seconds, now + park.timeout_seconds
        parker = waiting.parker.user_id if waiting.parker is not None else ""
        music = asyncio.ensure_future(self._music.play(session, park.service_id, parker, waiting.orbit))
        key = asyncio.ensure_future(session.collect(1, _KEY_SECONDS, terminators=""))
        ringing: asyncio.Task[MediaSession | None] | None = None
        try:
            while (now := self._clock.monotonic()) < last:
                wanted = {music, key, waiting.taker, *((ringing,) if ringing is not None else ())}
                until = last if ringing is not None or waiting.holds else min(last, ring_at)
                await asyncio.wait(wanted, timeout=until - now, return_when=asyncio.FIRST_COMPLETED)
                if waiting.taker.done():
                    return waiting.taker.result()
                if music.done():
                    await music
                if key.done():
                    if (await key).digits == park.leave_key and not waiting.holds:
                        break
                    key = asyncio.ensure_future(session.collect(1, _KEY_SECONDS, terminators=""))
                if ringing is not None and ringing.done():
                    if (answered := await ringing) is not None:
                        ringing = None
                        return answered
                    ringing, ring_at = None, self._clock.monotonic() + park.timeout_seconds
                elif ringing is None and self._clock.monotonic() >= ring_at and not waiting.holds:
                    if not self._phones.can_ring:
                        break
                    ringing = asyncio.ensure_future(self._ring(waiting))
        finally:
            for task in (music, key, ringing):
                if task is not None:
                    task.cancel()
            await asyncio.wait({music, key, *((ringing,) if ringing is not None else ())})
        if (to := park.leave_to or _number(waiting.parker)) and not waiting.holds:
            self._leave(waiting)
            await session.transfer(to)
        return None

    async def _ring(self, waiting: Waiting) -> MediaSession | None:
        """Whoever parked the call, once he answers; None: he does not."""
        if waiting.parker is None:
            return None
        shown = Ringing(waiting.parker.username, waiting.orbit, f"{waiting.orbit}: {waiting.shown}")
        try:
            async with asyncio.timeout(waiting.park.ring_seconds):
                return await self._phones.ring(shown)
        except (TimeoutError, NotReached):
            return None


def _number(user: User | None) -> str:
    return (user.extension or user.username) if user is not None else ""
