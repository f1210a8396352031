"""Mixes: callers who hear each other, each without their own voice (N-1), 20 ms at a time and without I/O.

At each tick a mix asks every voice in it for a frame, and gives each what the others say, at that voice's own rate.
Where two or more of them have wideband audio, or all, so has the sum, and the others' frames are converted on their
way in and out; otherwise the one that has it is converted. The sum of all is made once
and each takes their own part out again, so a party costs the same however many there are. A voice that only some may
hear (a supervisor who whispers) stays out of the sum and is added for those.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from edge_agent.media.codecs import NARROW, WIDE
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.resampling import Fitter
from edge_agent.media.embedded.sound import Sound
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
TICKS_A_SECOND: Final = 50
_SMOOTHING: Final = 0.1
_LOUDEST: Final = 32767.0

Sums = npt.NDArray[np.float32]


class Voice(Hashable, Protocol):
    """One party: what they say in this tick, and what they are to hear."""

    @property
    def rate(self) -> int:
        """Samples in a second of both: 8,000 or 16,000."""
        ...

    def listen(self) -> Samples:
        """The frame that they say in this tick."""
        ...

    def hear(self, others: Samples) -> None:
        """The frame that they hear in this tick; not called when they hear nothing."""
        ...


@dataclass(slots=True)
class _Playing:
    sound: Sound
    done: Callable[[], None]
    at: int = 0
    fitter: Fitter = field(default_factory=Fitter)


class _Member:
    """A voice's seat, and whether it speaks."""

    __slots__ = ("gain", "hears", "level", "listens", "loud", "quiet", "says", "seat", "speaking", "voice")

    def __init__(self, voice: Voice, seat: Seat) -> None:
        self.voice = voice
        self.says, self.listens = Fitter(), Fitter()
        self.level, self.loud, self.quiet, self.speaking = 0.0, 0, 0, False
        self.take(seat)

    def take(self, seat: Seat) -> None:
        """Sit elsewhere."""
        self.seat = seat
        self.gain = 0.0 if seat.muted else 10.0 ** (seat.gain_db / 20.0)
        self.hears = 10.0 ** (seat.hears_db / 20.0)

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
    """Up to `most_members` voices."""

    def __init__(self, most_members: int = MOST_MEMBERS) -> None:
        self._most_members = most_members
        self._members: dict[Voice, _Member] = {}
        self._sounds: list[_Playing] = []
        self._taps: set[Callable[[Samples], None]] = set()
        self._converted = False
        """Whether a frame of the tick before had to be."""
        self._arrange()

    @property
    def rate(self) -> int:
        """Samples in a second of the sum: wideband once that is of use to anybody."""
        return _rate_of(sum(voice.rate == WIDE for voice in self._members), len(self._members))

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
        self._arrange()

    def remove(self, voice: Voice) -> None:
        """Let a voice go."""
        self._members.pop(voice, None)
        self._arrange()

    def play(self, sound: Sound, done: Callable[[], None]) -> None:
        """Let everybody who hears anything hear a sound; `done` is called when it is over."""
        if len(self._sounds) >= MOST_SOUNDS:
            self._sounds.pop(0).done()
        self._sounds.append(_Playing(sound, done))

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
        frames = [member.voice.listen() for member in members]
        counts = [len(frame) for frame in frames]
        size = _rate_of(counts.count(WIDE // TICKS_A_SECOND), len(members)) // TICKS_A_SECOND
        converts = any(count != size for count in counts)
        fits, self._converted = converts or self._converted, converts
        if fits:  # one tick longer than needed, so that each fitter forgets what it had
            frames = [member.says.fit(frame, size) for member, frame in zip(members, frames, strict=True)]
        said: Sums = np.array(frames, dtype=np.float32).reshape(len(frames), size)
        if self._gains is not None:
            said *= self._gains
        levels = np.sqrt(np.einsum("ij,ij->i", said, said) / size).tolist()
        for member, level in zip(members, levels, strict=True):
            member.said(level)
        total: Sums = said.sum(axis=0) if self._all_public else said[self._public].sum(axis=0, dtype=np.float32)
        if self._sounds:
            total += self._next_of_sounds(size)
        heard: Sums = total - said if self._all_public else total - np.where(self._public[:, None], said, np.float32(0))
        if not self._all_public:
            self._whisper(members, said, heard)
        if self._hears is not None:
            heard *= self._hears
        for member, frame, count in zip(members, _as_samples(heard), counts, strict=True):
            if not member.seat.deaf:
                member.voice.hear(member.listens.fit(frame, count) if fits else frame)
        if self._taps:
            everything = _as_samples(total)
            for taker in tuple(self._taps):
                taker(everything)

    def _whisper(self, members: list[_Member], said: Sums, heard: Sums) -> None:
        """Add what only some may hear, for those."""
        for number in np.flatnonzero(~self._public):
            only_to = members[number].seat.only_to or frozenset()
            for other, member in enumerate(members):
                if other != number and member.voice in only_to:
                    heard[other] += said[number]

    def _arrange(self) -> None:
        """Who sits where has changed: what every tick needs of it."""
        members = self._members.values()
        gains, hears = ([one.gain for one in members], [one.hears for one in members])
        self._gains = None if all(gain == 1.0 for gain in gains) else _column(gains)
        self._hears = None if all(loudness == 1.0 for loudness in hears) else _column(hears)
        self._public = np.array([member.seat.only_to is None for member in members], dtype=np.bool_)
        self._all_public = bool(self._public.all())

    def _next_of_sounds(self, size: int) -> Sums:
        sum_of_all: Sums = np.zeros(size, dtype=np.float32)
        ended = []
        for playing in self._sounds:
            samples, step = playing.sound.samples, playing.sound.rate // TICKS_A_SECOND
            part = samples[playing.at : playing.at + step]
            playing.at += step
            if playing.at >= len(samples):
                ended.append(playing)
                part = np.pad(part, (0, step - len(part)))
            sum_of_all += playing.fitter.fit(part, size)
        for playing in ended:
            self._sounds.remove(playing)
            playing.done()
        return sum_of_all


def _rate_of(wide: int, members: int) -> int:
    return WIDE if wide >= min(2, max(1, members)) else NARROW


def _column(values: list[float]) -> Sums:
    return np.array(values, dtype=np.float32).reshape(-1, 1)


def _as_samples(sums: Sums) -> Samples:
    samples: Samples = np.clip(sums, -_LOUDEST, _LOUDEST).astype(np.int16)
    return samples
