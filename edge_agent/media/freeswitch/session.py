"""A call on FreeSWITCH: `MediaSession` over the conversation of its event socket, without I/O.

FreeSWITCH answers a command with +OK when it has put it into the call's queue; what came of it is told by the event
CHANNEL_EXECUTE_COMPLETE that carries our own UUID. After the call has ended an execution may still complete, with an
error, so the state is kept here and nobody waits for an event that has already come.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from edge_agent.media.bridging import bridge
from edge_agent.media.errors import MediaError, PromptError, RecordingFailed, SessionEnded
from edge_agent.media.freeswitch import commands
from edge_agent.media.freeswitch.conference import Conference, Questions
from edge_agent.media.freeswitch.esl import ApiResponse, ChannelData, CommandReply, DisconnectNotice, Event, Message
from edge_agent.media.happenings import Happenings
from edge_agent.media.session import (
    Collected,
    DigitPressed,
    EndCause,
    MediaSession,
    Prompt,
    Recorded,
    RecordingEnd,
    Seat,
    SessionEvent,
)
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

LINGER_SECONDS: Final = 5
_DIGITS: Final = frozenset("0123456789*#ABCD")
_PLAYED: Final = "FILE PLAYED"
_RATE: Final = 8000
_SILENT_LEVEL: Final = 200
"""FreeSWITCH's measure: the mean of the samples' values."""


class ExecutionFailed(MediaError):
    """FreeSWITCH could not do what the application asked for."""


class FreeSwitchSession:
    """One call. `send` writes to its event socket; `receive` takes what came from it.

    The first bytes to go out are `opening`; the call is known when `known` is set, or the conversation ends before.
    """

    def __init__(self, send: Callable[[bytes], None], tokens: Tokens) -> None:
        self._send, self._tokens = send, tokens
        self._happenings = Happenings()
        self._channel: dict[str, str] = {}
        self._executions: dict[str, asyncio.Future[dict[str, str]]] = {}
        self._questions = Questions(send)
        self._conference: Conference | None = None
        self.known = asyncio.Event()

    def open(self) -> None:
        """Take over the call that the connection is for."""
        self._send(commands.connect())

    # What an application asks for (MediaSession).

    @property
    def called(self) -> str:
        """The number that was dialled: which application is wanted."""
        return self._channel.get("Channel-Destination-Number", "")

    @property
    def caller(self) -> str:
        """User part of the caller's address; not proven."""
        return self._channel.get("Channel-Caller-ID-Number", "")

    @property
    def caller_name(self) -> str:
        """What the caller is called; not proven."""
        return self._channel.get("Channel-Caller-ID-Name", "")

    @property
    def asserted(self) -> str:
        """User part of P-Asserted-Identity, which the site's proxy writes."""
        uri = self._channel.get("variable_sip_P-Asserted-Identity", "")
        return uri.partition("sip:")[2].partition("@")[0]

    @property
    def arguments(self) -> Mapping[str, str]:
        """Parameters of the Request-URI."""
        found: dict[str, str] = {}
        for one in self._channel.get("variable_sip_req_params", "").split(";"):
            name, _, value = one.partition("=")
            if name:
                found[name.lower()] = unquote(value)
        return found

    async def transfer(self, number: str) -> None:
        """Have the caller call somebody else; see `MediaSession.transfer`."""
        host = self._channel.get("variable_sip_to_host", "")
        with contextlib.suppress(SessionEnded):
            await self._execute("deflect", f"sip:{quote(number, safe='*+')}@{host}")

    async def answer(self) -> None:
        """Take the call; returns when audio may flow."""
        await self._execute("answer")

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Play prompts; see `MediaSession.play`."""
        played = 0.0
        for prompt in prompts:
            self._happenings.check()
            if barge_in and self._happenings.digit_waits:
                return played
            # A file is played from a sample on by two at signs and its number.
            offset = f"@@{int(start_seconds * _RATE)}" if start_seconds > 0 else ""
            completed = await self._play(f"{prompt.path}{offset}", barge_in)
            said = completed.get("Application-Response", "")
            if said != _PLAYED:
                raise PromptError(f"{prompt.path.name}: FreeSWITCH says {said[:60]!r}")
            played, start_seconds = _number(completed, "variable_playback_last_offset_pos") / _RATE, 0.0
        return played

    async def _play(self, file: str, barge_in: bool) -> dict[str, str]:
        playing = asyncio.ensure_future(self._execute("playback", file))
        pressed = asyncio.ensure_future(self._happenings.wait_for_digit()) if barge_in else None
        try:
            await asyncio.wait([playing, *([pressed] if pressed else [])], return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                self._stop_playing()
            return await playing
        except asyncio.CancelledError:
            self._stop_playing()
            raise
        finally:
            for task in (playing, pressed):
                if task is not None:
                    task.cancel()

    def _stop_playing(self) -> None:
        if self._happenings.cause is None:
            self._questions.tell(commands.stop_playing(self._channel.get("Unique-ID", "")))

    async def record(
        self, path: Path, most_seconds: float, silence_seconds: float = 0.0, terminators: str = "#"
    ) -> Recorded:
        """Write what the caller says; see `MediaSession.record`."""
        keys = "".join(key for key in terminators if key in _DIGITS) or "none"
        await self._execute("set", f"playback_terminators={keys}")
        silence = f" {_SILENT_LEVEL} {max(1, round(silence_seconds))}" if silence_seconds > 0 else ""
        completed = await self._execute("record", f"{path} {max(1, round(most_seconds))}{silence}")
        await self._execute("set", "playback_terminators=none")  # else keys would end prompts, and be lost
        if completed.get("Application-Response", "").startswith("-ERR"):
            raise RecordingFailed(f"{path.name}: FreeSWITCH cannot write it")
        seconds = _number(completed, "variable_record_ms") / 1000
        key = completed.get("variable_playback_terminator_used", "")
        if key and key in terminators:
            self._happenings.take_digit(key)
            return Recorded(seconds, RecordingEnd.KEY, key)
        silent = completed.get("variable_silence_hits_exhausted") == "true"
        return Recorded(seconds, RecordingEnd.SILENCE if silent else RecordingEnd.LENGTH)

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        """Gather digits; see `MediaSession.collect`."""
        return await self._happenings.collect(most, timeout_seconds, terminators)

    async def echo(self) -> None:
        """Send the caller's own audio back until the call ends."""
        await self._execute("echo")
        self._happenings.check()
        raise ExecutionFailed("the echo ended before the call")

    async def join(self, name: str, seat: Seat = Seat()) -> Conference:  # noqa: B008 - it is frozen
        """Let the caller into a conference; see `MediaSession.join`."""
        self._happenings.check()
        if self._conference is not None and self._conference.name == name:
            await self._conference.take(seat)
            return self._conference
        await self.leave()
        joined = Conference(name, seat, self._channel.get("Unique-ID", ""), self._questions)
        joined.joining = asyncio.create_task(self._completed(*self._begin("conference", joined.argument)))
        joined.joining.add_done_callback(lambda _: self._left(joined))
        self._conference = joined
        return joined

    async def leave(self) -> None:
        """Take the caller out of the conference."""
        if (left := self._conference) is not None and left.joining is not None:
            await left.leave()
            await asyncio.wait([left.joining])

    async def bridge(self, other: MediaSession) -> None:
        """Let two callers talk; see `MediaSession.bridge`."""
        await bridge(self, other, f"bridge-{self._tokens.token(8)}")
        self._happenings.check()

    async def over(self) -> EndCause:
        """Wait until the call is over."""
        return await self._happenings.over()

    async def next_event(self) -> SessionEvent:
        """The next thing that happened."""
        return await self._happenings.next_event()

    async def hang_up(self) -> None:
        """End the call."""
        self.end(EndCause.LOCAL)

    # What the listener says.

    @property
    def ended(self) -> bool:
        """The call is over."""
        return self._happenings.cause is not None

    def end(self, cause: EndCause) -> None:
        """Hang up for a reason of our own; does nothing when the call is over."""
        if self._happenings.cause is None:
            self._send(commands.hang_up())
            self._over(cause)

    def refuse(self, cause: str) -> None:
        """End the call before it is answered, by one of FreeSWITCH's causes."""
        self._send(commands.hang_up(cause))
        self._over(EndCause.FAILED)

    def receive(self, message: Message) -> None:
        """A message came from FreeSWITCH."""
        match message:
            case ChannelData(headers):
                self._channel = headers
                for command in (commands.linger(LINGER_SECONDS), commands.my_events(), commands.divert_events()):
                    self._send(command)
                self.known.set()
            case CommandReply() if not message.ok:
                log.warning("freeswitch_command_refused", extra={"reason": message.text[:200]})
            case ApiResponse(body):
                self._questions.answered(body)
            case Event():
                self._happened(message)
            case DisconnectNotice(linger=False):
                self.lost()
            case _:
                pass

    def lost(self) -> None:
        """The connection is gone: nothing more will be heard of the call."""
        self._over(EndCause.FAILED)
        self.known.set()

    def _happened(self, event: Event) -> None:
        match event.name:
            case "CHANNEL_EXECUTE_COMPLETE":
                done = self._executions.pop(event.headers.get("Application-UUID", ""), None)
                if done is not None and not done.done():
                    done.set_result(event.headers)
            case "DTMF" if (digit := event.headers.get("DTMF-Digit", "")) in _DIGITS and digit:
                self._happenings.happened(DigitPressed(digit))
            case "CHANNEL_HANGUP" | "CHANNEL_HANGUP_COMPLETE":
                silent = event.headers.get("Hangup-Cause") == "MEDIA_TIMEOUT"
                self._over(EndCause.SILENT if silent else EndCause.CALLER)
            case _:
                pass

    def _over(self, cause: EndCause) -> None:
        if self._happenings.end(cause):
            for execution in self._executions.values():
                if not execution.done():
                    execution.cancel()
            self._executions.clear()
            self._questions.end()

    def _left(self, conference: Conference) -> None:
        if self._conference is conference:
            self._conference = None
        if conference.joining is not None and not conference.joining.cancelled():
            conference.joining.exception()  # the call's end, which whoever waits for the call hears of

    async def _execute(self, application: str, argument: str = "") -> dict[str, str]:
        """Let the call execute an application, and wait for the event that tells what came of it.

        Raises:
            SessionEnded: the call ends first.
        """
        return await self._completed(*self._begin(application, argument))

    def _begin(self, application: str, argument: str) -> tuple[str, "asyncio.Future[dict[str, str]]"]:
        """Put an application into the call's queue: our name for it, and what will come of it."""
        self._happenings.check()
        execution = str(uuid.UUID(hex=self._tokens.token(16)))
        done: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._executions[execution] = done
        self._send(commands.execute(application, argument, execution))
        return execution, done

    async def _completed(self, execution: str, done: "asyncio.Future[dict[str, str]]") -> dict[str, str]:
        try:
            await asyncio.wait([done])
        finally:
            self._executions.pop(execution, None)
        self._happenings.check()
        return done.result()


def _number(headers: dict[str, str], name: str) -> int:
    value = headers.get(name, "")
    return int(value) if value.isdigit() and len(value) < 12 else 0
