"""The mixes of an engine, by name; one is there as long as somebody is in it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from edge_agent.media.embedded import wav
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.mix import Mix, Voice
from edge_agent.media.errors import MixFull
from edge_agent.media.session import Prompt, Seat


class Room:
    """A mix as its applications see it (`edge_agent.media.session.Mix`)."""

    def __init__(self, mix: Mix, prompts: Mapping[Path, Samples]) -> None:
        self.mix, self._prompts = mix, prompts

    @property
    def members(self) -> int:
        """How many callers are in it."""
        return len(self.mix.voices)

    @property
    def speaking(self) -> tuple[object, ...]:
        """The sessions whose callers speak, the loudest first."""
        return self.mix.speaking

    async def play(self, prompt: Prompt) -> None:
        """Let everybody hear a prompt, to its end."""
        samples = self._prompts.get(prompt.path)
        if samples is None:
            samples = await asyncio.to_thread(wav.load, prompt.path)
        if not self.mix.voices:
            return
        over = asyncio.Event()
        self.mix.play(samples, over.set)
        try:
            await over.wait()
        finally:
            self.mix.stop(over.set)


class Rooms:
    """Makes a mix when its first caller joins and forgets it after its last."""

    def __init__(self, frame: int, prompts: Mapping[Path, Samples]) -> None:
        self._frame, self._prompts = frame, prompts
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def join(self, name: str, voice: Voice, seat: Seat) -> Room:
        """Put a voice into the mix of this name, or into another seat there; raises `MixFull`."""
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(Mix(self._frame), self._prompts)
        elif room.mix.full and voice not in room.mix.voices:
            raise MixFull(f"{room.members} callers are in the mix")
        room.mix.put(voice, seat)
        return room

    def leave(self, name: str, voice: Voice) -> None:
        """Take a voice out of a mix; whoever waits for a sound in a mix that is gone waits no more."""
        if (room := self._rooms.get(name)) is None:
            return
        room.mix.remove(voice)
        if not room.mix.voices:
            del self._rooms[name]
            room.mix.end_sounds()

    def tick(self) -> None:
        """20 ms have passed in every mix."""
        for room in tuple(self._rooms.values()):
            room.mix.tick()
