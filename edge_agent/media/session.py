"""What an application sees of a call: the one interface over every engine.

An application is a coroutine over a `MediaSession`. Each method that waits raises `SessionEnded` when the call ends
meanwhile, so an application is written as if callers never hung up; when it returns, the call is hung up.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from edge_agent.ports import Transfer


class EndCause(StrEnum):
    """Why a session ended."""

    CALLER = "caller"
    LOCAL = "local"
    SILENT = "silent"
    """No audio came for as long as the settings allow."""
    LONGEST = "longest"
    """The call lasted for as long as the settings allow."""
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
        hears_db: how much louder (or softer) they hear the others.
    """

    gain_db: float = 0.0
    muted: bool = False
    deaf: bool = False
    only_to: frozenset[object] | None = None
    hears_db: float = 0.0


@dataclass(frozen=True, slots=True)
class MulticastTo:
    """Where a mix goes as one RTP stream of 20 ms packets.

    Args:
        address: IPv4, of a multicast group.
        port: of RTP.
        codec: `pcmu` or `g722`.
        hops: how many networks it may cross (the TTL).
    """

    address: str
    port: int
    codec: str = "pcmu"
    hops: int = 1


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
        """Let everybody in it hear a prompt, to its end, or until nobody is left.

        Raises:
            NobodyLeft: nobody is in it.
            PromptError: it cannot be played.
        """
        ...

    async def record(self, path: Path, most_seconds: float) -> None:
        """Begin to write what everybody says to a file; it ends by `stop_recording`, its greatest length, or with the
        mix. The file is a whole recording at any moment.

        Args:
            path: 8 kHz, mono, 16-bit WAV; replaced when it is there.
            most_seconds: its greatest length.

        Raises:
            RecordingFailed: the disk would not, or it is recorded already.
        """
        ...

    async def stop_recording(self, path: Path) -> None:
        """End the recording into this file, where there is one; the file is whole and on the disk then.

        Raises:
            RecordingFailed: the disk would not.
        """
        ...

    def multicast(self, to: MulticastTo) -> AbstractContextManager[None]:
        """Send what everybody in it says to a multicast address, as long as the block lasts.

        Raises:
            MixFull: there is no place left.
            MulticastFailed: nothing can be sent there.
        """
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

    @property
    def replaces(self) -> "MediaSession | None":
        """The call whose place this one takes once it is answered, as an attended transfer asks for."""
        ...

    async def ring(self) -> None:
        """Tell the caller's phone that the call is on its way to somebody; the call is not taken yet."""
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

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        """Have the caller call somebody else instead; returns when this call is over.

        It also returns when the caller may not go there or reached nobody, as far as his phone says so; then this call
        goes on.

        Args:
            to: a number of the site; or what whoever talks with the caller asked for.
            proven: id of the authorization code that the caller knew; empty: none is asked for.

        Returns:
            The status that came of it, 300 or more when this call goes on; 0: the phone did not say.
        """
        ...

    async def next_event(self) -> SessionEvent:
        """The next thing that happened, waiting for it; `Ended` is the last one and is given again and again."""
        ...

    async def refuse(self, status: int, reason: str, warning: str = "") -> None:
        """End the call before it is answered.

        Args:
            status: of the SIP answer.
            reason: its phrase.
            warning: what a person should know (Warning, RFC 3261 §20.43); empty: nothing.
        """
        ...

    async def hang_up(self) -> None:
        """End the call."""
        ...


@dataclass(frozen=True, slots=True)
class FaxReceived:
    """What came of a fax; its pages are in its file.

    Args:
        complete: the machine that sent said that all was sent, and got that confirmed.
        result: what the engine says, for people.
        station: what that machine says of itself; empty: nothing.
        sip_call_id: of the call.
    """

    complete: bool
    result: str
    station: str = ""
    sip_call_id: str = ""


@runtime_checkable
class ReceivesFax(Protocol):
    """A session of an engine that has fax, on some machines."""

    async def can_receive_fax(self) -> bool:
        """Whether this machine's can."""
        ...

    async def receive_fax(self, path: Path, station: str, *, t38: bool) -> FaxReceived:
        """Answer, and take a fax; what is said when the call ends meanwhile is what came until then.

        Args:
            path: TIFF, for its whole pages; replaced when it is there.
            station: what the sender is told of who receives (CSI, ITU-T T.30).
            t38: T.38 may be taken up; else it goes over the audio.
        """
        ...


def warning_value(text: str) -> str:
    """What stands in the header Warning of an answer (RFC 3261 §20.43), by the code for anything else, 399."""
    return '399 tandem "' + "".join(one for one in text if one.isprintable() and one not in '"\\') + '"'


class Application(Protocol):
    """What a caller meets."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Every prompt that it may play, for engines to load beforehand."""
        ...

    async def run(self, session: MediaSession) -> None:
        """Serve one call; returning hangs up."""
        ...
