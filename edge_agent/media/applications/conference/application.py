"""The application: a caller's way through a room.

The dial plan tells by the call's arguments: `service` is what was dialled, `room` the id of the user whose room of
`user_conferences` it is. Whom the proxy vouches for is a user at the own phone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, Never

from edge_agent.clock import Clock
from edge_agent.media.applications.conference.config import ConferenceConfig, Room
from edge_agent.media.applications.conference.entry import Entry, Refused
from edge_agent.media.applications.conference.keys import Keys, count_of
from edge_agent.media.applications.conference.live import ENTRY_TONE, EXIT_TONE, LiveRoom, Party
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.tone import BEEP
from edge_agent.media.applications.voicemail.conversation import Conversation
from edge_agent.media.errors import MixFull, SessionEnded
from edge_agent.media.session import DigitPressed, Ended, MediaSession, Prompt
from edge_agent.media.speech import Languages, Speech
from edge_agent.tokens import Tokens

MOST_NAME_CHARACTERS: Final = 255


class ConferenceRooms:
    """Answers for every room of the site.

    Args:
        recordings: take what is recorded.
        languages: what is said.
        config: asked at the beginning of each call, so that changes count from the next one on.
        clock, tokens: the moment, and ids.
        music: what those hear who are alone, or wait for a moderator.
    """

    def __init__(
        self,
        recordings: Recordings,
        languages: Languages,
        config: Callable[[], ConferenceConfig],
        clock: Clock,
        tokens: Tokens,
        music: HoldMusic,
    ) -> None:
        self._music = music
        self._recordings, self._languages, self._config = recordings, languages, config
        self._clock, self._tokens = clock, tokens
        self._entry = Entry(recordings, clock)
        self._live: dict[str, LiveRoom] = {}

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Tones and music; what is spoken is loaded when it is first said."""
        return (BEEP, ENTRY_TONE, EXIT_TONE, self._music.shipped)

    @property
    def live(self) -> tuple[LiveRoom, ...]:
        """The rooms that somebody is in, or waits in."""
        return tuple(self._live.values())

    def live_room(self, room_id: str) -> LiveRoom | None:
        """The room of this id, while somebody is there."""
        return self._live.get(room_id)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config, told = self._config(), session.arguments
        service = config.services.get(told.get("service", ""))
        speech = self._languages.speech(service.language if service is not None else "")
        user = config.user_named(session.asserted)
        own = user.user_id if user is not None else ""
        await session.answer()
        talk = Conversation(session, speech)
        try:
            room = await self._entry.room(talk, config, told, own)
            if room is None and (service is None or not service.asks_pin):
                raise Refused("conference_none")
            is_moderator = await self._entry.is_moderator(talk, room, own)
            if room is None:
                raise Refused("conference_none")
            party = Party(
                party_id=self._tokens.token(8),
                session=session,
                number=session.caller[:MOST_NAME_CHARACTERS],
                name=(user.display_name if user is not None else session.caller_name)[:MOST_NAME_CHARACTERS],
                user_id=own,
                is_moderator=is_moderator,
                came_at=self._clock.now(),
            )
            await self._take_part(talk, room, party)
        except Refused as refused:
            await talk.say(str(refused))
        except MixFull:
            await talk.say("conference_full")

    async def _take_part(self, talk: Conversation, room: Room, party: Party) -> None:
        self._check_room(room, party)
        try:
            if room.meeting.announced == "names":
                party.spoken_name = await self._entry.spoken_name(talk)
            self._check_room(room, party)  # things may have changed while the name was said
            live = self._live.get(room.room_id)
            if live is None:
                now = self._clock.now()
                live = LiveRoom(room, talk.speech, self._recordings, now, self._music)
                self._live[room.room_id] = live
            live.admit(party)
            try:
                await self._wait_for_moderator(talk, live, party)
                if not party.dismissed.is_set():
                    await talk.session.play(*self._told_first(live, talk.speech), barge_in=True)
                    await live.seat(party)
                    await self._stay(live, party, talk.speech)
                await talk.say(party.dismissal or "goodbye")
            finally:
                await _shielded(self._left(live, party))
        finally:
            if party.spoken_name is not None:
                party.spoken_name.path.unlink(missing_ok=True)

    def _check_room(self, room: Room, party: Party) -> None:
        live = self._live.get(room.room_id)
        locked = live.locked if live is not None else room.meeting.locked
        if locked and not party.is_moderator:
            raise Refused("conference_locked")
        if live is not None and live.is_full:
            raise Refused("conference_full")

    @staticmethod
    def _told_first(live: LiveRoom, speech: Speech) -> list[Prompt]:
        said = count_of(live, speech) if live.present else speech.phrase("conference_alone")
        return [*said, *(speech.phrase("conference_recording") if live.is_recorded else [])]

    async def _wait_for_moderator(self, talk: Conversation, live: LiveRoom, party: Party) -> None:
        if live.opened.is_set():
            return
        await talk.say("conference_wait")
        music = self._music.play(talk.session, live.room.meeting.service_id, live.room.owner_id)
        await _until(music, live.opened, party.dismissed)

    @staticmethod
    async def _stay(live: LiveRoom, party: Party, speech: Speech) -> None:
        """Until they are sent away; `SessionEnded` when they go."""
        keys = Keys(live, party, speech)
        while not party.dismissed.is_set():
            happened = asyncio.ensure_future(party.session.next_event())
            dismissed = asyncio.ensure_future(party.dismissed.wait())
            try:
                await asyncio.wait([happened, dismissed], return_when=asyncio.FIRST_COMPLETED)
                event = happened.result() if happened.done() else None
            finally:
                happened.cancel()
                dismissed.cancel()
            match event:
                case DigitPressed("*"):
                    await keys.starred()
                case Ended(cause):
                    raise SessionEnded(cause)
                case _:
                    pass

    async def _left(self, live: LiveRoom, party: Party) -> None:
        await live.leave(party)
        if not live.parties and self._live.get(live.room.room_id) is live:
            del self._live[live.room.room_id]
            await live.close()


async def _until(music: Coroutine[Any, Any, Never], *events: asyncio.Event) -> None:
    """Play music until one of these is set; `SessionEnded` when the call ends before."""
    playing = asyncio.ensure_future(music)
    waits = [asyncio.ensure_future(one.wait()) for one in events]
    try:
        await asyncio.wait([playing, *waits], return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
    finally:
        for task in (playing, *waits):
            task.cancel()
        await asyncio.gather(playing, *waits, return_exceptions=True)


async def _shielded(work: Coroutine[Any, Any, None]) -> None:
    """Do this to its end, also when whoever waits is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.shield(task)
        return
    await task
    raise asyncio.CancelledError
