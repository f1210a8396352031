"""Mixes: callers who hear each other, each without their own voice (N-1), 20 ms at a time and without I/O.

At each tick a mix asks every voice in it for a frame, and gives each what the others say. The sum of all is made once
and each takes their own part out again, so a party costs the same however many there are. A voice that only some may
hear (a supervisor who whispers) stays out of the sum and is added for those.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.session import Seat

MOST_MEMBERS: Final = 100
MOST_SOUNDS: Final = 8
"""Announcements and tones that sound in one mix at one time; a further one takes the oldest one's place."""
SPEAKING_LEVEL: Final = 260.0
"""Root mean square of a frame of somebody who speaks: some -42 dB under full scale, above a quiet room's."""
BEGINS_AFTER: Final = 3
"""Frames, 60 ms, that must be so loud: a click is no speech."""
ENDS_AFTER: Final = 25
"""Frames, half a second, of quiet that end it: a pause between two words does not."""
_SMOOTHING: Final = 0.1
_LOUDEST: Final = 32767.0

Sums = npt.NDArray[np.float32]


class Voice(Hashable, Protocol):
    """One party: what they say in this tick, and what they are to hear."""

    def listen(self) -> Samples:
        """The frame that they say in this tick."""
        ...

    def hear(self, others: Samples) -> None:
        """The frame that they hear in this tick; not called when they hear nothing."""
        ...


@dataclass(slots=True)
class _Sound:
    samples: Samples
    done: Callable[[], None]
    at: int = 0


class _Member:
    """A voice's seat, and whether it speaks."""

    __slots__ = ("gain", "level", "loud", "quiet", "seat", "speaking", "voice")

    def __init__(self, voice: Voice, seat: Seat) -> None:
        self.voice = voice
        self.level, self.loud, self.quiet, self.speaking = 0.0, 0, 0, False
        self.take(seat)

    def take(self, seat: Seat) -> None:
        """Sit elsewhere."""
        self.seat = seat
        self.gain = 0.0 if seat.muted else 10.0 ** (seat.gain_db / 20.0)

    def said(self, level: float) -> None:
        """A frame of this loudness, as the others hear it."""
        self.level += (level - self.level) * _SMOOTHING
        if level >= SPEAKING_LEVEL:
            self.loud, self.quiet = self.loud + 1, 0
            self.speaking = self.speaking or self.loud >= BEGINS_AFTER
        else:
            self.loud, self.quiet = 0, self.quiet + 1
            self.speaking = self.speaking and self.quiet < ENDS_AFTER


class Mix:
    """Up to `most_members` voices; frames have `frame` samples."""

    def __init__(self, frame: int, most_members: int = MOST_MEMBERS) -> None:
        self._frame, self._most_members = frame, most_members
        self._members: dict[Voice, _Member] = {}
        self._sounds: list[_Sound] = []
        self._taps: set[Callable[[Samples], None]] = set()

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Who is in it, in the order of their coming."""
        return tuple(self._members)

    @property
    def speaking(self) -> tuple[Voice, ...]:
        """Who speaks, the loudest first; nobody who is muted."""
        found = [member for member in self._members.values() if member.speaking]
        return tuple(member.voice for member in sorted(found, key=lambda member: -member.level))

    @property
    def full(self) -> bool:
        """Nobody else may join."""
        return len(self._members) >= self._most_members

    def put(self, voice: Voice, seat: Seat) -> None:
        """Let a voice in, or give one that is in another seat. Ask `full` first."""
        if (member := self._members.get(voice)) is None:
            self._members[voice] = _Member(voice, seat)
        else:
            member.take(seat)

    def remove(self, voice: Voice) -> None:
        """Let a voice go."""
        self._members.pop(voice, None)

    def play(self, samples: Samples, done: Callable[[], None]) -> None:
        """Let everybody who hears anything hear a sound; `done` is called when it is over."""
        if len(self._sounds) >= MOST_SOUNDS:
            self._sounds.pop(0).done()
        self._sounds.append(_Sound(samples, done))

    def stop(self, done: Callable[[], None]) -> None:
        """End the sound that was given this `done`, without calling it."""
        self._sounds = [sound for sound in self._sounds if sound.done != done]

    def end_sounds(self) -> None:
        """Nobody is left to hear them."""
        for sound in self._sounds:
            sound.done()
        self._sounds.clear()

    def tap(self, taker: Callable[[Samples], None]) -> None:
        """Give `taker` the sum of all at each tick, such as for a recording."""
        self._taps.add(taker)

    def untap(self, taker: Callable[[Samples], None]) -> None:
        """Give it nothing more."""
        self._taps.discard(taker)

    def tick(self) -> None:
        """20 ms have passed: everybody says a frame and hears one."""
        members = list(self._members.values())
        said: Sums = np.zeros((len(members), self._frame), dtype=np.float32)
        for row, member in zip(said, members, strict=True):
            row[:] = member.voice.listen()
        said *= np.array([[member.gain] for member in members], dtype=np.float32).reshape(-1, 1)
        for member, level in zip(members, np.sqrt(np.einsum("ij,ij->i", said, said) / self._frame), strict=True):
            member.said(float(level))
        sounds = self._next_of_sounds()
        public = np.array([member.seat.only_to is None for member in members], dtype=np.bool_)
        total = said[public].sum(axis=0, dtype=np.float32) + sounds
        heard: Sums = total - np.where(public[:, None], said, np.float32(0))
        for number in np.flatnonzero(~public):
            only_to = members[number].seat.only_to or frozenset()
            for other, member in enumerate(members):
                if other != number and member.voice in only_to:
                    heard[other] += said[number]
        for member, frame in zip(members, _as_samples(heard), strict=True):
            if not member.seat.deaf:
                member.voice.hear(frame)
        if self._taps:
            everything = _as_samples(total)
            for taker in tuple(self._taps):
                taker(everything)

    def _next_of_sounds(self) -> Sums:
        sum_of_all: Sums = np.zeros(self._frame, dtype=np.float32)
        ended = []
        for sound in self._sounds:
            part = sound.samples[sound.at : sound.at + self._frame]
            sum_of_all[: len(part)] += part
            sound.at += self._frame
            if sound.at >= len(sound.samples):
                ended.append(sound)
        for sound in ended:
            self._sounds.remove(sound)
            sound.done()
        return sum_of_all


def _as_samples(sums: Sums) -> Samples:
    samples: Samples = np.clip(sums, -_LOUDEST, _LOUDEST).astype(np.int16)
    return samples
