"""Calls for tests of rooms: `MediaSession` whose callers press keys when the test says so, and a mix of such calls.

What each caller hears is kept by the prompts' names; music goes on until it is stopped, all else is over at once.
"""

import asyncio
import contextlib
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge_agent.media.errors import MulticastFailed, SessionEnded
from edge_agent.media.happenings import Happenings
from edge_agent.media.session import (
    Collected,
    DigitPressed,
    EndCause,
    MediaSession,
    Mix,
    MulticastTo,
    Prompt,
    Recorded,
    RecordingEnd,
    Seat,
    SessionEvent,
)
from edge_agent.ports import Transfer
from tests.support.waiting import eventually_async

SHIPPED_MUSIC = "music"
DIGEST_CHARACTERS = 64
NO_WAY = "239.0.0.0"
"""The multicast address to which nothing can be sent."""
_HEARD_BY_ALL = Seat()


def _is_music(prompt: Prompt) -> bool:
    """What comes with the edge, or a file of the site, which goes by its digest."""
    return prompt.path.stem == SHIPPED_MUSIC or len(prompt.path.stem) == DIGEST_CHARACTERS


class Table:
    """A mix of test calls; `heard` is what was said to all of them."""

    def __init__(self) -> None:
        self.seats: dict[MeetingCall, Seat] = {}
        self.heard: list[str] = []
        self.recorded: Path | None = None
        self.loud: list[MeetingCall] = []
        self.streams: list[MulticastTo] = []

    @property
    def members(self) -> int:
        """How many sit there."""
        return len(self.seats)

    @property
    def speaking(self) -> tuple[object, ...]:
        """Those whom the test lets speak."""
        return tuple(self.loud)

    async def play(self, prompt: Prompt) -> None:
        """Everybody hears it."""
        self.heard.append(prompt.path.stem)
        if _is_music(prompt):
            await asyncio.Event().wait()

    async def record(self, path: Path, most_seconds: float) -> None:
        """Writes a second of silence."""
        assert most_seconds > 0
        _write(path, 1.0)
        self.recorded = path

    @contextlib.contextmanager
    def multicast(self, to: MulticastTo) -> Iterator[None]:
        """Nothing goes out; who would hear it is in `streams` meanwhile."""
        if to.address == NO_WAY:
            raise MulticastFailed(to.address)
        self.streams.append(to)
        try:
            yield
        finally:
            self.streams.remove(to)

    async def stop_recording(self, path: Path) -> None:
        """Nothing more is written."""
        if self.recorded == path:
            self.recorded = None


class MeetingCall:
    """One call.

    Args:
        tables: of the engine, by name.
        caller: number.
        asserted: whom the proxy vouches for.
        arguments: of the dial plan.
    """

    def __init__(
        self,
        tables: dict[str, Table],
        caller: str = "+4930123456",
        asserted: str = "",
        arguments: Mapping[str, str] | None = None,
        caller_name: str = "",
    ) -> None:
        self._tables = tables
        self.caller, self.caller_name, self.asserted = caller, caller_name, asserted
        self.arguments = dict(arguments or {})
        self.heard: list[str] = []
        self.replaces: MediaSession | None = None
        self.says_name_seconds = 1.0
        self.is_answered = False
        self._happenings = Happenings()
        self._name = ""

    # -- what the test does

    def press(self, keys: str) -> None:
        """Press keys, which need not be asked for yet."""
        for key in keys:
            self._happenings.happened(DigitPressed(key))

    def hangs_up(self) -> None:
        """The caller ends the call."""
        self._ended(EndCause.CALLER)

    async def hears(self, name: str, times: int = 1) -> None:
        """Until something was said to this caller."""
        await eventually_async(lambda: self.said.count(name) >= times)

    @property
    def said(self) -> list[str]:
        """What was said to this caller alone, without the kind of prompt."""
        return [one.removeprefix("phrase.") for one in self.heard]

    @property
    def seat(self) -> Seat | None:
        """Where they sit; None: nowhere."""
        table = self._tables.get(self._name)
        return table.seats.get(self) if table is not None else None

    @property
    def is_over(self) -> bool:
        """The call has ended."""
        return self._happenings.cause is not None

    # -- MediaSession

    async def ring(self) -> None:
        """Hears that it rings."""
        self._happenings.check()
        self.heard.append("ringing")

    async def answer(self) -> None:
        """Takes the call."""
        self._happenings.check()
        self.is_answered = True

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Hears prompts."""
        for prompt in prompts:
            self._happenings.check()
            if barge_in and self._happenings.digit_waits:
                return 0.0
            self.heard.append(prompt.path.stem)
            if _is_music(prompt):
                await self._happenings.over()
        self._happenings.check()
        return 1.0 + start_seconds

    async def record(
        self, path: Path, most_seconds: float, silence_seconds: float = 0.0, terminators: str = "#"
    ) -> Recorded:
        """Says a name."""
        del silence_seconds, terminators
        self._happenings.check()
        seconds = min(self.says_name_seconds, most_seconds)
        _write(path, seconds)
        return Recorded(seconds, RecordingEnd.SILENCE)

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        """Presses what the test says; a wait is as long as the application's, and no longer than a second."""
        return await self._happenings.collect(most, min(timeout_seconds, 1.0), terminators)

    async def join(self, name: str, seat: Seat = _HEARD_BY_ALL) -> Mix:
        """Sits down."""
        self._happenings.check()
        self._name = name
        table = self._tables.setdefault(name, Table())
        table.seats[self] = seat
        return table

    async def leave(self) -> None:
        """Stands up."""
        if (table := self._tables.get(self._name)) is not None:
            table.seats.pop(self, None)

    async def next_event(self) -> SessionEvent:
        """What happens next."""
        return await self._happenings.next_event()

    async def hang_up(self) -> None:
        """Is hung up on."""
        self._ended(EndCause.LOCAL)

    async def refuse(self, status: int, reason: str, warning: str = "") -> None:
        """Is turned away."""
        self._ended(EndCause.LOCAL)

    async def over(self) -> EndCause:
        """Waits for the end."""
        return await self._happenings.over()

    async def echo(self) -> None:
        """No application under test does this."""
        raise SessionEnded(EndCause.CALLER)

    async def bridge(self, other: MediaSession) -> None:
        """No application under test does this."""
        raise SessionEnded(EndCause.CALLER)

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        """No application under test does this."""
        return 0

    def _ended(self, cause: EndCause) -> None:
        if self._happenings.end(cause) and (table := self._tables.get(self._name)) is not None:
            table.seats.pop(self, None)


def _write(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * 8000) * 2))
