"""A caller in one of FreeSWITCH's conferences, which is what a mix is there: commands, and the answers to them."""

import asyncio
import re
from collections import deque
from collections.abc import Callable

from edge_agent.media.errors import MediaError
from edge_agent.media.freeswitch import commands
from edge_agent.media.session import Prompt, Seat

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotOnFreeSwitch(MediaError):
    """The embedded engine can do this, FreeSWITCH cannot, or not so."""


class Questions:
    """Questions (`api`) on one connection, which are answered in their order."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._waiting: deque[asyncio.Future[str]] = deque()

    async def ask(self, command: bytes) -> str:
        """Send a command and wait for its answer; empty when the connection ends before."""
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.tell(command, answered)
        await asyncio.wait([answered])
        return answered.result()

    def tell(self, command: bytes, answered: "asyncio.Future[str] | None" = None) -> None:
        """Send a command whose answer nobody waits for."""
        self._waiting.append(answered or asyncio.get_running_loop().create_future())
        self._send(command)

    def answered(self, body: str) -> None:
        """The answer to the oldest question came."""
        if self._waiting and not (oldest := self._waiting.popleft()).done():
            oldest.set_result(body)

    def end(self) -> None:
        """There will be no further answer."""
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
        """Let everybody hear a prompt; returns when it has begun."""
        await self._questions.ask(commands.conference(self.name, "play", str(prompt.path)))

    async def take(self, seat: Seat) -> None:
        """Sit elsewhere."""
        before, self._seat = self._seat, _possible(seat)
        for word, was, wanted in (("mute", before.muted, seat.muted), ("deaf", before.deaf, seat.deaf)):
            if was != wanted and not await self._command(word if wanted else f"un{word}"):
                raise MediaError(f"the caller is not in the mix {self.name}")

    async def leave(self) -> None:
        """Take the caller out; the call stays up."""
        await self._command("kick")

    async def _command(self, word: str) -> bool:
        """Whether the caller is in it, so that there is a number to say it of."""
        if not self._member:
            member = (await self._questions.ask(commands.variable(self._call, "conference_member_id"))).strip()
            if not member.isdigit():
                return False
            self._member = member
        await self._questions.ask(commands.conference(self.name, word, self._member))
        return True


def _possible(seat: Seat) -> Seat:
    if seat.only_to is not None:
        raise NotOnFreeSwitch("a voice that only some in a mix may hear")
    if seat.gain_db:
        raise NotOnFreeSwitch("a voice made louder or softer in a mix")
    return seat
