"""A call for tests of applications: a `MediaSession` whose caller does what a script says, without waiting.

The script is a list of steps, taken one after the other by whatever the application does next; when none is left,
the caller listens, and hangs up when the application waits for them:

    "5"        presses keys; they end what is being played and are collected
    Speaks(3)  speaks for so many seconds when asked to record, and then presses `key` or falls silent
    Nothing()  presses nothing while the application waits
    HangsUp()  hangs up

What was said to the caller is in `heard`, by the names of the prompts.
"""

import wave
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import (
    Collected,
    EndCause,
    Ended,
    MediaSession,
    Mix,
    Prompt,
    Recorded,
    RecordingEnd,
    Seat,
    SessionEvent,
)
from edge_agent.ports import Transfer


@dataclass(frozen=True)
class Speaks:
    """Says something."""

    seconds: float
    key: str = "#"
    """Ends it; empty: silence does."""
    hangs_up: bool = False


@dataclass(frozen=True)
class Nothing:
    """Lets the application wait until its time is over."""


@dataclass(frozen=True)
class HangsUp:
    """Ends the call."""


_HEARD_BY_ALL = Seat()
Step = str | Speaks | Nothing | HangsUp


class ScriptedCall:
    """One call; an empty script hangs up.

    Args:
        script: what the caller does.
        caller: number.
        arguments: of the dial plan.
        asserted: whom the proxy vouches for.
    """

    def __init__(
        self,
        script: Iterable[Step],
        caller: str = "+4930123456",
        arguments: Mapping[str, str] | None = None,
        asserted: str = "",
    ) -> None:
        self._script = deque(script)
        self.caller, self.caller_name, self.asserted = caller, "", asserted
        self.arguments = dict(arguments or {})
        self.replaces: MediaSession | None = None
        self.refused: tuple[int, str, str] | None = None
        self.heard: list[str] = []
        self.transferred = self.proven = ""
        self.answered = False
        self._over = False

    def _pressed(self) -> bool:
        return bool(self._script) and isinstance(self._script[0], str)

    def _check(self, *, waits: bool = True) -> None:
        """The end, where the script says so, or has nothing left while the application waits."""
        if self._over or (not self._script and waits) or (self._script and isinstance(self._script[0], HangsUp)):
            self._over = True
            raise SessionEnded(EndCause.CALLER)

    async def ring(self) -> None:
        """Hears that it rings."""
        self.heard.append("ringing")

    async def answer(self) -> None:
        """Takes the call."""
        self.answered = True

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Hears prompts, up to a key that ends them."""
        self._check(waits=False)
        self.heard += [f"{one.path.stem}@{start_seconds:g}" if start_seconds else one.path.stem for one in prompts]
        return 1.0 + start_seconds if barge_in and self._pressed() else 60.0

    async def record(
        self, path: Path, most_seconds: float, silence_seconds: float = 0.0, terminators: str = "#"
    ) -> Recorded:
        """Speaks."""
        self._check()
        step = self._script.popleft()
        assert isinstance(step, Speaks), f"asked to record, and the script has {step!r}; heard {self.heard[-5:]}"
        seconds = min(step.seconds, most_seconds)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(int(seconds * 16_000)))
        if step.hangs_up:
            self._over = True
            raise SessionEnded(EndCause.CALLER)
        if seconds < step.seconds:
            return Recorded(seconds, RecordingEnd.LENGTH)
        assert step.key in terminators
        return Recorded(seconds, RecordingEnd.KEY if step.key else RecordingEnd.SILENCE, step.key)

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        """Presses the next keys of the script."""
        digits = ""
        while len(digits) < most:
            if not self._pressed():
                if timeout_seconds > 1.0:
                    self._check()
                    step = self._script.popleft()
                    assert isinstance(step, Nothing), f"asked for keys, the script has {step!r}; {self.heard[-5:]}"
                return Collected(digits, complete=False)
            keys = self._script.popleft()
            assert isinstance(keys, str)
            if keys[1:]:
                self._script.appendleft(keys[1:])
            if keys[0] in terminators:
                break
            digits += keys[0]
        return Collected(digits, complete=True)

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        """Is sent elsewhere."""
        self.transferred, self.proven = to.target if isinstance(to, Transfer) else to, proven
        return 200

    async def hang_up(self) -> None:
        """Is hung up on."""
        self._over = True

    async def refuse(self, status: int, reason: str, warning: str = "") -> None:
        """Is turned away."""
        self.refused, self._over = (status, reason, warning), True

    async def echo(self) -> None:
        """No application under test does this."""
        raise SessionEnded(EndCause.CALLER)

    async def join(self, name: str, seat: Seat = _HEARD_BY_ALL) -> Mix:
        """No application under test does this."""
        raise SessionEnded(EndCause.CALLER)

    async def leave(self) -> None:
        """In no mix."""

    async def bridge(self, other: MediaSession) -> None:
        """No application under test does this."""
        raise SessionEnded(EndCause.CALLER)

    async def over(self) -> EndCause:
        """At once."""
        return EndCause.CALLER

    async def next_event(self) -> SessionEvent:
        """The end."""
        return Ended(EndCause.CALLER)
