"""What callers in a room do by their keys: star, and a key behind it."""

from __future__ import annotations

from typing import Final

from edge_agent.media.applications.conference.live import STEP_DB, LiveRoom, Party
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.session import Prompt
from edge_agent.media.speech import Speech

SECOND_KEY_SECONDS: Final = 4.0
"""How long the key behind the star may take."""
MODERATORS: Final = "358*#"
"""Keys that are moderators' alone."""


class Keys:
    """One caller's.

    Args:
        room: they are in.
        party: who they are.
        speech: in the room's language.
    """

    def __init__(self, room: LiveRoom, party: Party, speech: Speech) -> None:
        self._room, self._party, self._speech = room, party, speech

    async def starred(self) -> None:
        """The caller pressed star: do what the next key says."""
        key = (await self._party.session.collect(1, SECOND_KEY_SECONDS, terminators="")).digits
        if not key:
            return
        if key in MODERATORS and not self._party.is_moderator:
            await self._say("invalid")
            return
        await self._do(key)

    async def _do(self, key: str) -> None:
        room, party = self._room, self._party
        match key:
            case "1":
                await self._mute_or_not()
            case "2":
                await party.session.play(*count_of(room, self._speech), barge_in=True)
            case "3":
                await self._record_or_not()
            case "4" | "6":
                await room.sound(party, party.seat.gain_db + (STEP_DB if key == "6" else -STEP_DB))
            case "5":
                room.lock(locked=not room.locked)
            case "7" | "9":
                await room.hear(party, party.seat.hears_db + (STEP_DB if key == "9" else -STEP_DB))
            case "8":
                others = [one for one in room.present if one is not party and not one.is_moderator]
                muted = any(not one.seat.muted for one in others)
                await room.mute_others(party, muted=muted)
                await self._say("conference_all_muted" if muted else "conference_all_heard")
            case "*":
                if (last := room.last_come(but=party)) is not None:
                    await room.dismiss(last)
            case "#":
                await room.end()
            case "0":
                phrases = ("conference_help", *(("conference_moderator_help",) if party.is_moderator else ()))
                await party.session.play(*self._speech.phrase(*phrases), barge_in=True)
            case _:
                await self._say("invalid")

    async def _mute_or_not(self) -> None:
        muted = not self._party.seat.muted
        if not await self._room.mute(self._party, muted=muted):
            await self._say("conference_held_muted")
        else:
            await self._say("conference_muted" if muted else "conference_heard")

    async def _record_or_not(self) -> None:
        try:
            if self._room.is_recorded:
                await self._room.stop_recording()
            else:
                await self._room.record()
        except RecordingFailed:
            await self._say("conference_not_recorded")

    async def _say(self, *names: str) -> None:
        await self._party.session.play(*self._speech.phrase(*names), barge_in=True)


def count_of(room: LiveRoom, speech: Speech) -> list[Prompt]:
    """How many are in a room, whoever hears it included."""
    count = len(room.present)
    if count <= 1:
        return speech.phrase("conference_alone")
    return [*speech.phrase("conference_there_are"), *speech.number(count), *speech.phrase("conference_people")]
