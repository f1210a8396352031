"""What an application sees of a call: the one interface over every engine.

An application is a coroutine over a `MediaSession`. Each method that waits raises `SessionEnded` when the call ends
meanwhile, so an application is written as if callers never hung up; when it returns, the call is hung up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class EndCause(StrEnum):
    """Why a session ended."""

    CALLER = "caller"
    LOCAL = "local"
    SILENT = "silent"
    """No audio came for as long as the settings allow."""
    UNACKNOWLEDGED = "unacknowledged"
    """The caller never confirmed our answer."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Prompt:
    """An announcement or a recording, by its file: 8 kHz, mono, 16-bit WAV. Announcements of applications are loaded
    before the first call, others when they are played."""

    path: Path


class RecordingEnd(StrEnum):
    """Why a recording ended while its call goes on."""

    KEY = "key"
    SILENCE = "silence"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that is in its file."""

    seconds: float
    end: RecordingEnd
    key: str = ""
    """Which key ended it."""


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class PromptPlayed:
    """The prompt has been played to its end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over; nothing comes after this."""

    cause: EndCause


SessionEvent = DigitPressed | PromptPlayed | Ended


@dataclass(frozen=True, slots=True)
class Collected:
    """Digits that the caller pressed, without the terminator, and whether there were enough before time ran out."""

    digits: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """How a caller takes part in a mix.

    Args:
        gain_db: how much louder (or, negative, softer) than they are the others hear them.
        muted: nobody hears them.
        deaf: they hear nobody.
        only_to: the only sessions that hear them, as of a supervisor who whispers to an agent; None: everybody does.
    """

    gain_db: float = 0.0
    muted: bool = False
    deaf: bool = False
    only_to: frozenset[object] | None = None


class Mix(Protocol):
    """Callers who hear each other."""

    @property
    def members(self) -> int:
        """How many callers are in it."""
        ...

    @property
    def speaking(self) -> "tuple[object, ...]":
        """The sessions whose callers speak at this moment, the loudest first."""
        ...

    async def play(self, prompt: Prompt) -> None:
        """Let everybody in it hear a prompt, to its end; returns at once when nobody is left."""
        ...


class MediaSession(Protocol):
    """One call, from its arrival to its end."""

    @property
    def caller(self) -> str:
        """User part of the caller's address; not proven."""
        ...

    @property
    def caller_name(self) -> str:
        """What the caller is called, as their phone or their network says."""
        ...

    @property
    def asserted(self) -> str:
        """User part of the address that the site's proxy vouches for; empty: it vouches for none."""
        ...

    @property
    def arguments(self) -> Mapping[str, str]:
        """What the dial plan tells the application about this call."""
        ...

    async def answer(self) -> None:
        """Take the call; returns when audio may flow."""
        ...

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Play prompts one after the other.

        Args:
            prompts: what to play.
            barge_in: whether a key, also one that was pressed before, ends it; `collect` gives the key.
            start_seconds: where in the first of them to begin.

        Returns:
            How far, in seconds, it came in the one that was played last.

        Raises:
            PromptError: one of them cannot be played.
        """
        ...

    async def record(
        self, path: Path, most_seconds: float, silence_seconds: float = 0.0, terminators: str = "#"
    ) -> Recorded:
        """Write what the caller says to a file, until a key, silence, or its greatest length.

        When the call ends, `SessionEnded` is raised, and what was said is in the file all the same.

        Args:
            path: 8 kHz, mono, 16-bit WAV; replaced when it is there.
            most_seconds: its greatest length.
            silence_seconds: how long nobody may speak; 0: as long as they like.
            terminators: keys that end it; others are kept for `collect`.

        Raises:
            RecordingFailed: the disk would not.
        """
        ...

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        """Gather up to `most` digits, ended early by one of `terminators`; `timeout_seconds` is for each digit.

        Digits pressed before, during a prompt say, count.
        """
        ...

    async def echo(self) -> None:
        """Send the caller's own audio back until the call ends, and then raise `SessionEnded`."""
        ...

    async def join(self, name: str, seat: Seat = Seat()) -> Mix:
        """Let the caller hear and be heard by all who are in the mix of this name; returns at once.

        In that mix already, the caller takes another seat; in another one, they leave it. A prompt that is played to
        the caller meanwhile takes the mix's place for them. Raises `MixFull`.
        """
        ...

    async def leave(self) -> None:
        """Take the caller out of the mix that they are in."""
        ...

    async def bridge(self, other: "MediaSession") -> None:
        """Let two callers talk until the other one's call is over; `SessionEnded` when this one is before."""
        ...

    async def over(self) -> EndCause:
        """Wait until the call is over."""
        ...

    async def transfer(self, number: str) -> None:
        """Have the caller call a number of the site instead; returns when this call is over, or nothing came of it."""
        ...

    async def next_event(self) -> SessionEvent:
        """The next thing that happened, waiting for it; `Ended` is the last one and is given again and again."""
        ...

    async def hang_up(self) -> None:
        """End the call."""
        ...


class Application(Protocol):
    """What a caller meets."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Every prompt that it may play, for engines to load beforehand."""
        ...

    async def run(self, session: MediaSession) -> None:
        """Serve one call; returning hangs up."""
        ...
