"""A room while somebody is in it: who they are, what they hear of each other, and what can be done with them.

Nothing here knows keys or channels: callers' keys (`keys`) and orders from afar (`orders`) both end in its methods.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from edge_agent.media.applications.conference.config import Room
from edge_agent.media.applications.conference.recordings import LONGEST_SECONDS, Recordings
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.errors import MediaError, NobodyLeft, RecordingFailed
from edge_agent.media.recording.conference import Recording
from edge_agent.media.session import MediaSession, Mix, Prompt, Seat
from edge_agent.media.speech import Speech

_PROMPTS: Final = Path(__file__).parents[2] / "prompts"
ENTRY_TONE: Final = Prompt(_PROMPTS / "entry.wav")
EXIT_TONE: Final = Prompt(_PROMPTS / "exit.wav")
STEP_DB: Final = 3.0
MOST_DB: Final = 12.0


@dataclass(eq=False, slots=True)
class Party:
    """Somebody who is in a room, or waits in it for its moderator.

    Args:
        party_id: names them.
        session: their call.
        number, name: of the caller; proven only where `user_id` is there.
        user_id: which user of the site calls; empty: none.
        is_moderator: whether they may do what moderators may.
        came_at: UTC.
        spoken_name: what they said when asked for their name.
        seat: how they are heard, and hear.
        held_muted: whether a moderator muted them, so that only a moderator lets them be heard again.
        mix: what they are in; None: they wait.
        dismissal: the phrase that they are sent away with.
        dismissed: set when they are.
    """

    party_id: str
    session: MediaSession
    number: str
    name: str
    user_id: str
    is_moderator: bool
    came_at: datetime
    spoken_name: Prompt | None = None
    seat: Seat = field(default_factory=Seat)
    held_muted: bool = False
    mix: Mix | None = None
    dismissal: str = ""
    dismissed: asyncio.Event = field(default_factory=asyncio.Event)


class LiveRoom:
    """One room, from its first caller to its last.

    Args:
        room: as it was configured when the first one came.
        speech: in its language.
        recordings: take what is recorded.
        began_at: UTC.
        music: what the only one in it hears.
    """

    def __init__(
        self, room: Room, speech: Speech, recordings: Recordings, began_at: datetime, music: HoldMusic
    ) -> None:
        self.room, self.began_at = room, began_at
        self._speech, self._recordings, self._hold_music = speech, recordings, music
        self._parties: dict[str, Party] = {}
        self._recording: Recording | None = None
        self._changing_recording = asyncio.Lock()
        self._saying = asyncio.Lock()
        self._aside: set[asyncio.Task[None]] = set()
        self._lonely: asyncio.Task[None] | None = None
        self.locked = room.meeting.locked
        """Whether moderators only get in."""
        self.opened = asyncio.Event()
        """Set when nobody has to wait for a moderator any more."""
        if not room.meeting.waits_for_moderator:
            self.opened.set()

    @property
    def parties(self) -> tuple[Party, ...]:
        """Everybody, in the order of their coming; those who wait, too."""
        return tuple(self._parties.values())

    @property
    def present(self) -> tuple[Party, ...]:
        """Who hears the others."""
        return tuple(one for one in self._parties.values() if one.mix is not None)

    @property
    def is_full(self) -> bool:
        """Nobody else may come."""
        return len(self._parties) >= self.room.meeting.most_members

    @property
    def is_recorded(self) -> bool:
        """Whether it is being recorded."""
        return self._recording is not None

    def party(self, party_id: str) -> Party | None:
        """Who has this id."""
        return self._parties.get(party_id)

    def speaking(self) -> frozenset[object] | None:
        """The sessions of those who speak at this moment; None: the engine does not tell."""
        try:
            return frozenset(each for mix in self._mixes()[:1] for each in mix.speaking)
        except MediaError:
            return None

    # -- coming and going

    def admit(self, party: Party) -> None:
        """Somebody may come, and is counted from now on. Ask `is_full` first."""
        self._parties[party.party_id] = party
        if party.is_moderator:
            self.opened.set()

    async def seat(self, party: Party) -> None:
        """Let somebody who was admitted hear the others and be heard; all hear of it.

        Raises:
            MixFull: the engine takes no more into one mix.
            SessionEnded: they have gone.
        """
        if self.room.meeting.muted_on_entry and not party.is_moderator:
            party.seat = replace(party.seat, muted=True)
        party.mix = await party.session.join(self._mix_name, party.seat)
        self._play_to_the_only_one()
        self._say(*self._told_of(party, ENTRY_TONE, "conference_joined"))
        if self.room.meeting.recorded and len(self.present) == 1:
            with contextlib.suppress(RecordingFailed):
                await self.record()

    async def leave(self, party: Party) -> None:
        """Somebody is gone, or goes: all hear of it, and are sent away where they were to be with their moderator."""
        self._parties.pop(party.party_id, None)
        if party.mix is not None:
            with contextlib.suppress(MediaError):
                await party.session.leave()
        if not self.present:
            with contextlib.suppress(RecordingFailed):
                await self.stop_recording(party.mix)
        self._play_to_the_only_one()
        is_over = (
            self.room.meeting.ends_with_moderator
            and party.is_moderator
            and not any(one.is_moderator for one in self._parties.values())
        )
        if is_over:
            await self.end()
        elif party.mix is not None:
            self._say(*self._told_of(party, EXIT_TONE, "conference_left"))

    async def close(self) -> None:
        """The last one has gone: nothing sounds any more."""
        tasks = [*self._aside, *([self._lonely] if self._lonely is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what can be done with who is in it

    async def mute(self, party: Party, *, muted: bool, by_moderator: bool = False) -> bool:
        """Let somebody be heard or not; False when a moderator wants otherwise."""
        if party.held_muted and not muted and not by_moderator:
            return False
        party.held_muted = muted and by_moderator
        await self._take(party, replace(party.seat, muted=muted))
        return True

    async def mute_others(self, moderator: Party | None, *, muted: bool) -> None:
        """Mute everybody but moderators, or let all be heard again."""
        for one in self.present:
            if one is not moderator and not one.is_moderator and one.seat.muted != muted:
                with contextlib.suppress(MediaError):
                    await self.mute(one, muted=muted, by_moderator=True)

    async def sound(self, party: Party, decibels: float) -> None:
        """How much louder than they are the others hear somebody."""
        await self._take(party, replace(party.seat, gain_db=_bounded(decibels)))

    async def hear(self, party: Party, decibels: float) -> None:
        """How much louder somebody hears the others."""
        await self._take(party, replace(party.seat, hears_db=_bounded(decibels)))

    def lock(self, *, locked: bool) -> None:
        """Let nobody in but moderators, or everybody again; all are told."""
        if locked != self.locked:
            self.locked = locked
            self._say(*self._speech.phrase("conference_now_locked" if locked else "conference_now_open"))

    def last_come(self, but: Party) -> Party | None:
        """Who came last, without moderators and this one."""
        return next((one for one in reversed(self.parties) if one is not but and not one.is_moderator), None)

    async def dismiss(self, party: Party, phrase: str = "conference_removed") -> None:
        """Send somebody away; from now on they neither hear the others nor are heard."""
        party.dismissal = phrase
        party.dismissed.set()
        if party.mix is not None:
            with contextlib.suppress(MediaError):
                await party.session.leave()

    async def end(self) -> None:
        """Send everybody away."""
        for one in self.parties:
            await self.dismiss(one, "conference_over")

    async def record(self) -> None:
        """Record what is said from now on; all are told, and whoever comes later.

        Raises:
            RecordingFailed: the disk would not, or nobody is there.
        """
        async with self._changing_recording:
            if self._recording is not None:
                return
            mixes = self._mixes()
            if not mixes:
                raise RecordingFailed("nobody is in the conference")
            recording = await asyncio.to_thread(self._recordings.begin, self.room.room_id, self.room.name)
            try:
                await mixes[0].record(self._recordings.audio_file(recording), LONGEST_SECONDS)
            except RecordingFailed:
                await asyncio.to_thread(self._recordings.keep, recording)
                raise
            self._recording = recording
        self._say(*self._speech.phrase("conference_recording"))

    async def stop_recording(self, mix: Mix | None = None) -> None:
        """End the recording, where there is one; whoever is there is told.

        Args:
            mix: of who was the last one in it.

        Raises:
            RecordingFailed: the disk would not.
        """
        async with self._changing_recording:
            recording, self._recording = self._recording, None
            if recording is None:
                return
            try:
                for each in (*self._mixes(), *([mix] if mix is not None else [])):
                    await each.stop_recording(self._recordings.audio_file(recording))
            finally:
                await asyncio.to_thread(self._recordings.keep, recording)
        self._say(*self._speech.phrase("conference_recording_over"))

    # -- what all hear

    def _say(self, *prompts: Prompt) -> None:
        """Let all hear prompts, behind what they are hearing already."""
        if prompts and self.present and len(self._aside) < MOST_WAITING:
            task = asyncio.get_running_loop().create_task(self._said(prompts))
            self._aside.add(task)
            task.add_done_callback(self._aside.discard)

    async def _said(self, prompts: Iterable[Prompt]) -> None:
        async with self._saying:
            for prompt in prompts:
                for mix in self._mixes()[:1]:
                    with contextlib.suppress(MediaError):
                        await mix.play(prompt)

    def _told_of(self, party: Party, tone: Prompt, phrase: str) -> tuple[Prompt, ...]:
        match self.room.meeting.announced:
            case "nothing":
                return ()
            case "names" if party.spoken_name is not None:
                return (party.spoken_name, *self._speech.phrase(phrase))
            case _:
                return (tone,)

    def _play_to_the_only_one(self) -> None:
        is_alone = self.room.meeting.music_alone and len(self.present) == 1
        if is_alone and self._lonely is None:
            self._lonely = asyncio.get_running_loop().create_task(self._music())
        elif not is_alone and self._lonely is not None:
            self._lonely.cancel()
            self._lonely = None

    async def _music(self) -> None:
        with contextlib.suppress(MediaError):
            await self._hold_music.repeat(self._play, self.room.meeting.service_id, self.room.owner_id)

    async def _play(self, prompt: Prompt) -> None:
        mixes = self._mixes()
        if not mixes:
            raise NobodyLeft("nobody is in the conference")
        await mixes[0].play(prompt)

    async def _take(self, party: Party, seat: Seat) -> None:
        party.seat = seat
        if party.mix is not None and not party.dismissed.is_set():
            await party.session.join(self._mix_name, seat)

    def _mixes(self) -> list[Mix]:
        return [one.mix for one in self._parties.values() if one.mix is not None and not one.dismissed.is_set()]

    @property
    def _mix_name(self) -> str:
        return f"room-{self.room.room_id}"[:64]


MOST_WAITING: Final = 32
"""Announcements that wait in one room; further ones are not said."""


def _bounded(decibels: float) -> float:
    return max(-MOST_DB, min(MOST_DB, decibels))
