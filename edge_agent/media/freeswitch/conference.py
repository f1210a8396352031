"""A caller in one of FreeSWITCH's conferences, which is what a mix is there: commands, and the answers to them."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from edge_agent.media.embedded import wav
from edge_agent.media.errors import MediaError, MulticastFailed, RecordingFailed
from edge_agent.media.freeswitch import commands
from edge_agent.media.session import MulticastTo, Prompt, Seat
from edge_agent.media.unfinished import is_whole

LEVEL_DB: Final = 3.0
"""What one of its levels of loudness, four each way, stands for: about."""
_WHOLE_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.05
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotOnFreeSwitch(MediaError):
    """The embedded engine can do this, FreeSWITCH cannot, or not so."""


class Questions:
    """Questions (`api`) on one connection, which are answered in their order."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._waiting: deque[asyncio.Future[str]] = deque()
        self._ended = False

    async def ask(self, command: bytes) -> str:
        """Send a command and wait for its answer; empty when the connection ends before."""
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.tell(command, answered)
        await asyncio.wait([answered])
        return answered.result()

    def tell(self, command: bytes, answered: "asyncio.Future[str] | None" = None) -> None:
        """Send a command whose answer nobody waits for."""
        answered = answered or asyncio.get_running_loop().create_future()
        if self._ended:
            answered.set_result("")
            return
        self._waiting.append(answered)
        self._send(command)

    def answered(self, body: str) -> None:
        """The answer to the oldest question came."""
        if self._waiting and not (oldest := self._waiting.popleft()).done():
            oldest.set_result(body)

    def end(self) -> None:
        """There will be no further answer."""
        self._ended = True
        while self._waiting:
            self.answered("")


class Conference:
    """One caller's place in a conference, until `left`."""

    def __init__(self, name: str, seat: Seat, call: str, questions: Questions) -> None:
        """Raises `NotOnFreeSwitch` for a name that its commands cannot carry, and for seats that it does not have."""
        if not _NAME.fullmatch(name):
            raise NotOnFreeSwitch(f"a mix named {name[:40]!r}: FreeSWITCH takes letters, digits, - and _ only")
        self.name, self._call, self._questions = name, call, questions
        self._seat = _possible(seat)
        if _level(seat.gain_db) or _level(seat.hears_db):
            raise NotOnFreeSwitch("a voice made louder or softer from the first moment in a mix")
        self._member = ""
        self.joining: asyncio.Task[object] | None = None
        """The execution that lasts as long as the caller is in it."""

    @property
    def argument(self) -> str:
        """What to execute `conference` with."""
        flags = [flag for flag, wanted in (("mute", self._seat.muted), ("deaf", self._seat.deaf)) if wanted]
        return f"{self.name}@default" + (f"+flags{{{'|'.join(flags)}}}" if flags else "")

    @property
    def members(self) -> int:
        """FreeSWITCH knows; see its `conference list`."""
        raise NotOnFreeSwitch("who is in a mix is not asked of FreeSWITCH")

    @property
    def speaking(self) -> tuple[object, ...]:
        """FreeSWITCH tells it to the control connection only."""
        raise NotOnFreeSwitch("who speaks in a mix is not asked of FreeSWITCH")

    async def play(self, prompt: Prompt) -> None:
        """Let everybody hear a prompt, to its end."""
        await self._play(prompt)

    async def play_to_caller(self, prompt: Prompt) -> None:
        """Let the caller alone hear a prompt, to its end."""
        if await self._is_member():
            await self._play(prompt, self._member)

    async def record(self, path: Path, most_seconds: float) -> None:
        """Begin to write what everybody says; FreeSWITCH knows no greatest length."""
        del most_seconds
        answer = await self._questions.ask(commands.conference(self.name, "recording", "start", str(path)))
        if "+OK" not in answer:
            raise RecordingFailed(f"{path.name}: FreeSWITCH says {answer.strip()[:60]!r}")

    async def stop_recording(self, path: Path) -> None:
        """End the recording; FreeSWITCH answers before the file is whole."""
        await self._questions.ask(commands.conference(self.name, "recording", "stop", str(path)))
        nothing = asyncio.get_running_loop().create_future()
        for _ in range(int(_WHOLE_SECONDS / _LOOK_SECONDS)):
            if await asyncio.to_thread(_is_whole, path):
                return
            await asyncio.wait([nothing], timeout=_LOOK_SECONDS)

    def multicast(self, to: MulticastTo) -> AbstractContextManager[None]:
        """Streams are for the embedded engine; raises `MulticastFailed`, upon which a page calls every member."""
        raise MulticastFailed(f"FreeSWITCH sends no stream to {to.address}")

    async def _play(self, prompt: Prompt, *to: str) -> None:
        """FreeSWITCH answers when a file begins, so its end is reckoned by its length."""
        seconds = (await asyncio.to_thread(wav.load, prompt.path)).seconds
        await self._questions.ask(commands.conference(self.name, "play", str(prompt.path), *to))
        try:
            if self.joining is not None:
                await asyncio.wait([self.joining], timeout=seconds)
        except asyncio.CancelledError:
            self._questions.tell(commands.conference(self.name, "stop", "all", *to))
            raise

    async def take(self, seat: Seat) -> None:
        """Sit elsewhere."""
        before, self._seat = self._seat, _possible(seat)
        wanted = [
            (word if now else f"un{word}",)
            for word, was, now in (("mute", before.muted, seat.muted), ("deaf", before.deaf, seat.deaf))
            if was != now
        ] + [
            (word, str(_level(now)))
            for word, was, now in (
                ("volume_in", before.gain_db, seat.gain_db),
                ("volume_out", before.hears_db, seat.hears_db),
            )
            if _level(was) != _level(now)
        ]
        for word, *value in wanted:
            if not await self._command(word, *value):
                raise MediaError(f"the caller is not in the mix {self.name}")

    async def leave(self) -> None:
        """Take the caller out; the call stays up."""
        await self._command("kick")

    async def _command(self, word: str, *value: str) -> bool:
        """Whether the caller is in it, so that there is a number to say it of."""
        if not await self._is_member():
            return False
        await self._questions.ask(commands.conference(self.name, word, self._member, *value))
        return True

    async def _is_member(self) -> bool:
        if not self._member:
            member = (await self._questions.ask(commands.variable(self._call, "conference_member_id"))).strip()
            if not member.isdigit():
                return False
            self._member = member
        return True


def _is_whole(path: Path) -> bool:
    try:
        return is_whole(path)
    except OSError:
        return True  # there is nothing that could become whole


def _possible(seat: Seat) -> Seat:
    if seat.only_to is not None:
        raise NotOnFreeSwitch("a voice that only some in a mix may hear")
    return seat


def _level(decibels: float) -> int:
    return max(-4, min(4, round(decibels / LEVEL_DB)))
