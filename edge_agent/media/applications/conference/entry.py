"""The way into a room: which one, the PIN, the name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from contract.pin import NOBODYS, is_right
from edge_agent.clock import Clock
from edge_agent.media.applications.conference.config import ConferenceConfig, Room
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.applications.tone import BEEP
from edge_agent.media.applications.voicemail.attempts import Attempts, PinLocked
from edge_agent.media.applications.voicemail.conversation import TRIES, Conversation
from edge_agent.media.errors import RecordingFailed, SessionEnded
from edge_agent.media.session import Prompt

LONGEST_NAME_SECONDS: Final = 5.0
NAME_SILENCE_SECONDS: Final = 2.0
SHORTEST_NAME_SECONDS: Final = 0.3
WRONG_AT_A_ROOM: Final = 50
"""Wrong PINs of all callers together, after which a room lets nobody try for a while."""


class Refused(Exception):
    """The caller does not get in; the argument is the phrase that says why."""


class Entry:
    """Asks callers what has to be asked before they are let in.

    Args:
        recordings: where names are kept while they are needed.
        clock: for the time that a lock lasts.
    """

    def __init__(self, recordings: Recordings, clock: Clock) -> None:
        self._recordings = recordings
        self._by_caller = Attempts(clock)
        self._by_room = Attempts(clock, WRONG_AT_A_ROOM)

    async def room(
        self, talk: Conversation, config: ConferenceConfig, told: Mapping[str, str], own: str
    ) -> Room | None:
        """The room that a call is for; whoever called a number that many rooms have is asked.

        Args:
            talk: with the caller.
            config: the rooms.
            told: what the dial plan says of the call.
            own: the id of the user who calls; empty: nobody's.
        """
        service = told.get("service", "")
        found = config.room(service, told.get("room", "")) or config.room(service, own)
        if found is not None or service not in config.services or "room" in told:
            return found
        for _ in range(TRIES):
            number = await talk.ask_number("conference_number")
            if not number:
                continue
            found = config.room(service, config.user_with(number))
            # Whoever guesses learns nothing: a room that is not there asks for its PIN as others do.
            if found is not None or config.services[service].asks_pin:
                return found
            await talk.say("conference_none")
        return None

    async def is_moderator(self, talk: Conversation, room: Room | None, own: str) -> bool:
        """Whether a caller who may come in is a moderator.

        Args:
            room: None: one that is not there, whose PIN nobody knows.
            own: the id of the user who calls.

        Raises:
            Refused: they may not come in.
        """
        if room is not None and room.owner is not None and room.owner.user_id == own:
            return True
        if room is not None and not room.meeting.asks_pin:
            return False
        name = f"{room.room_id}/{talk.session.caller[:64]}" if room is not None else ""
        try:
            for _ in range(TRIES):
                if room is not None:
                    self._by_room.check(room.room_id)
                    self._by_caller.check(name)
                pin = await talk.ask_number("conference_pin")
                kept = (room.moderator_pin, room.pin) if room is not None else ("", "")
                as_moderator, as_member = [await asyncio.to_thread(is_right, pin, one or NOBODYS) for one in kept]
                if as_moderator or as_member:
                    self._by_caller.right(name)
                    return as_moderator
                if room is not None and pin:
                    self._by_caller.wrong(name)
                    self._by_room.wrong(room.room_id)
                await talk.say("wrong_pin")
        except PinLocked:
            raise Refused("pin_locked") from None
        raise Refused("goodbye")

    async def spoken_name(self, talk: Conversation) -> Prompt | None:
        """What the caller says when asked for the name; None: nothing that could be heard. The file is the caller's."""
        session = talk.session
        path = await asyncio.to_thread(self._recordings.name_file)
        await session.play(*talk.speech.phrase("record_name"), barge_in=True)
        await session.collect(1, 0.01, terminators="")  # the key that ended it means nothing
        await session.play(BEEP)
        try:
            done = await session.record(path, LONGEST_NAME_SECONDS, NAME_SILENCE_SECONDS, "0123456789*#")
        except RecordingFailed:
            return None
        except (SessionEnded, asyncio.CancelledError):
            path.unlink(missing_ok=True)
            raise
        if done.seconds < SHORTEST_NAME_SECONDS:
            path.unlink(missing_ok=True)
            return None
        return Prompt(path)
