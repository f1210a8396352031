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

from contract.sync.quality import CallQuality
from edge_agent.media.bridging import bridge
from edge_agent.media.calling import Transfers
from edge_agent.media.errors import MediaError, PromptError, RecordingFailed
from edge_agent.media.freeswitch import commands, transfers
from edge_agent.media.freeswitch.conference import Conference, Questions
from edge_agent.media.freeswitch.esl import ApiResponse, ChannelData, CommandReply, DisconnectNotice, Event, Message
from edge_agent.media.happenings import Happenings
from edge_agent.media.session import (
    Collected,
    DigitPressed,
    EndCause,
    FaxReceived,
    MediaSession,
    Prompt,
    Recorded,
    RecordingEnd,
    Seat,
    SessionEvent,
    warning_value,
)
from edge_agent.ports import CallRefused, QualityTold, Transfer
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

LINGER_SECONDS: Final = 5
_DIGITS: Final = frozenset("0123456789*#ABCD")
_PLAYED: Final = "FILE PLAYED"
_RATE: Final = 8000
_TAKES_PLACE: Final = "variable_sip_h_X-Tandem-Replaces"
_SILENT_LEVEL: Final = 200
"""FreeSWITCH's measure: the mean of the samples' values."""


_REFUSALS: Final = {404: "UNALLOCATED_NUMBER", 486: "USER_BUSY", 488: "INCOMPATIBLE_DESTINATION", 503: "GATEWAY_DOWN"}
"""FreeSWITCH's causes that are answered with these SIP statuses; any other is its 480."""
_FAX_CODECS: Final = "PCMU,PCMA"


class ExecutionFailed(MediaError):
    """FreeSWITCH could not do what the application asked for."""


class FreeSwitchSession:
    """One call. `send` writes to its event socket; `receive` takes what came from it.

    The call is known when `known` is set, or the conversation ends before. `measured` hears how well a call was
    heard that was answered.
    """

    def __init__(
        self, send: Callable[[bytes], None], tokens: Tokens, measured: QualityTold = lambda quality: None
    ) -> None:
        self._send, self._tokens, self._measured = send, tokens, measured
        self._happenings = Happenings()
        self._channel: dict[str, str] = {}
        self._executions: dict[str, asyncio.Future[dict[str, str]]] = {}
        self._lasting: dict[str, asyncio.Future[dict[str, str]]] = {}
        """Executions of which it is told after the call's end, too, what came of them."""
        self._questions = Questions(send)
        self._conference: Conference | None = None
        self._replaced: FreeSwitchSession | None = None
        self._transfers: Transfers | None = None
        self._told_at_the_end = 0
        self.known = asyncio.Event()

    def open(self) -> None:
        """Take over the call that the connection is for."""
        self._send(commands.connect())

    # What an application asks for (MediaSession).

    @property
    def call_id(self) -> str:
        """FreeSWITCH's UUID of the call; empty before it is known."""
        return self._channel.get("Unique-ID", "")

    @property
    def called(self) -> str:
        """The number that was dialled: which application is wanted."""
        if self._replaced is not None:
            return self._replaced.called
        return self._channel.get("Channel-Destination-Number", "")

    @property
    def caller(self) -> str:
        """User part of the caller's address; not proven."""
        return self._channel.get("variable_sip_from_user", "")

    @property
    def caller_name(self) -> str:
        """What the caller is called; not proven."""
        return self._channel.get("variable_sip_from_display", "")

    @property
    def asserted(self) -> str:
        """User part of P-Asserted-Identity, which the site's proxy writes; FreeSWITCH may keep the whole header too."""
        kept = self._channel.get("variable_sip_P-Asserted-Identity", "")
        return (kept.partition("sip:")[2] or kept).partition("@")[0]

    @property
    def replaces(self) -> MediaSession | None:
        """The call whose place this one takes once it is answered; see `take_place`."""
        return self._replaced

    @property
    def arguments(self) -> Mapping[str, str]:
        """Parameters of the Request-URI; those of the call whose place this one takes."""
        if self._replaced is not None:
            return self._replaced.arguments
        found: dict[str, str] = {}
        for one in self._channel.get("variable_sip_req_params", "").split(";"):
            name, _, value = one.partition("=")
            if name:
                found[name.lower()] = unquote(value)
        return found

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        """Have the caller call somebody else; see `MediaSession.transfer`."""
        self._happenings.check()
        host = self._channel.get("variable_sip_to_host", "")
        target = transfers.target_of(to) if isinstance(to, Transfer) else f"sip:{quote(to, safe='*+')}@{host}"
        result = await transfers.carry_out(self.call_id, target, proven, self._questions, self._happenings)
        result = result or self._told_at_the_end
        if result < 300:
            # Whoever asked for a transfer ends the call that is left behind (RFC 5589 §6.1).
            self.end(EndCause.LOCAL)
        return result

    def takes_transfers(self, decide: Transfers | None) -> None:
        """Whoever was called may want the other end of the call sent elsewhere: `decide` takes that, None refuses."""
        self._transfers = decide
        self._send(commands.transfer_events())

    async def ring(self) -> None:
        """See `MediaSession.ring`."""
        await self._execute("ring_ready")

    async def answer(self) -> None:
        """Take the call; returns when audio may flow."""
        completed = await self._execute("answer")
        self._channel.setdefault("variable_sip_to_tag", completed.get("variable_sip_to_tag", ""))
        if self._replaced is not None:
            self._replaced.end(EndCause.LOCAL)

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Play prompts; see `MediaSession.play`."""
        played = 0.0
        if self._conference is not None:
            return await self._play_in(self._conference, prompts, barge_in)
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

    async def _play_in(self, conference: Conference, prompts: tuple[Prompt, ...], barge_in: bool) -> float:
        """Play prompts to a caller who is in a conference, which its playback would wait for the end of."""
        pressed = asyncio.ensure_future(self._happenings.wait_for_digit()) if barge_in else None
        try:
            for prompt in prompts:
                self._happenings.check()
                playing = asyncio.ensure_future(conference.play_to_caller(prompt))
                await asyncio.wait([playing, *([pressed] if pressed else [])], return_when=asyncio.FIRST_COMPLETED)
                if not playing.done():
                    playing.cancel()
                    break
                playing.result()
        finally:
            if pressed is not None:
                pressed.cancel()
        self._happenings.check()
        return 0.0

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
            self._questions.tell(commands.stop_playing(self.call_id))

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
        joined = Conference(name, seat, self.call_id, self._questions)
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

    async def refuse(self, status: int, reason: str, warning: str = "") -> None:
        """End the call before it is answered; see `MediaSession.refuse`. The phrase is FreeSWITCH's."""
        if warning:
            await self._execute("set", f"sip_rh_Warning={warning_value(warning)}")
        self._happenings.check()
        self._send(commands.hang_up(_REFUSALS.get(status, "NORMAL_UNSPECIFIED")))
        self._over(EndCause.LOCAL)

    async def can_receive_fax(self) -> bool:
        """See `ReceivesFax`."""
        return (await self._questions.ask(commands.has_fax())).strip() == "true"

    async def receive_fax(self, path: Path, station: str, *, t38: bool) -> FaxReceived:
        """See `ReceivesFax`; the pages are whole on the disk when FreeSWITCH says that it has done with them."""
        for name, value in (
            ("absolute_codec_string", _FAX_CODECS),
            ("fax_enable_t38", str(t38).lower()),
            ("fax_enable_t38_request", str(t38).lower()),
            ("fax_ident", quote(station)),
        ):
            await self._execute("set", f"{name}={value}")
        await self._execute("answer")
        execution, done = self._begin("rxfax", str(path), lasts=True)
        try:
            await asyncio.wait([done])
        finally:
            self._lasting.pop(execution, None)
        told = {} if done.cancelled() else done.result()
        return FaxReceived(
            told.get("variable_fax_success") == "1",
            told.get("variable_fax_result_text", "the call ended before the fax did"),
            told.get("variable_fax_remote_station_id", "").strip(),
            self._channel.get("variable_sip_call_id", ""),
        )

    async def hang_up(self) -> None:
        """End the call."""
        self.end(EndCause.LOCAL)

    # What the listener says.

    @property
    def wanted_place(self) -> str:
        """The Replaces value of the INVITE, which the site's proxy writes for FreeSWITCH; empty: there was none."""
        return self._channel.get(_TAKES_PLACE, "")

    def is_named_by(self, replaces: str) -> bool:
        """Whether a Replaces value names this call, which came here (RFC 3891 §3)."""
        call_id, *params = (part.strip() for part in replaces.split(";"))
        named = {name.lower(): value for name, _, value in (one.partition("=") for one in params)}
        told = self._channel.get
        ours = told("variable_sip_to_tag", "")
        return (
            call_id == told("variable_sip_call_id")
            and named.get("from-tag", "") == told("variable_sip_from_tag")
            and (not ours or named.get("to-tag") == ours)
        )

    def take_place(self, other: "FreeSwitchSession") -> None:
        """Be served as that call was, which ends once this one is answered."""
        self._replaced = other

    @property
    def ended(self) -> bool:
        """The call is over."""
        return self._happenings.cause is not None

    def end(self, cause: EndCause) -> None:
        """Hang up for a reason of our own; does nothing when the call is over."""
        if self._happenings.cause is None:
            self._send(commands.hang_up())
            self._over(cause)

    def turn_away(self, cause: str) -> None:
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
        for execution in self._lasting.values():
            execution.cancel()
        self.known.set()

    def _happened(self, event: Event) -> None:
        match event.name:
            case "CHANNEL_EXECUTE_COMPLETE":
                execution = event.headers.get("Application-UUID", "")
                done = self._executions.pop(execution, None) or self._lasting.get(execution)
                if done is not None and not done.done():
                    done.set_result(event.headers)
            case "DTMF" if (digit := event.headers.get("DTMF-Digit", "")) in _DIGITS and digit:
                self._happenings.happened(DigitPressed(digit))
            case "CUSTOM" if event.subclass == commands.TRANSFER_EVENT:
                self._transfer_wanted(event.headers)
            case "CHANNEL_HANGUP" | "CHANNEL_HANGUP_COMPLETE":
                self._tell_quality(event.headers)
                self._told_at_the_end = transfers.told_at_the_end(event.headers)
                silent = event.headers.get("Hangup-Cause") == "MEDIA_TIMEOUT"
                self._over(EndCause.SILENT if silent else EndCause.CALLER)
            case _:
                pass

    def _transfer_wanted(self, headers: Mapping[str, str]) -> None:
        if (found := transfers.wanted(headers)) is None:
            return
        transfer, number = found

        def told(status: int) -> None:
            if self._happenings.cause is None:
                self._send(commands.tell_transfer(self.call_id, number, status))

        try:
            if self._transfers is None:
                told(403)
            else:
                self._transfers(transfer, told)
        except CallRefused as refused:
            told(refused.status)

    def _tell_quality(self, headers: Mapping[str, str]) -> None:
        """FreeSWITCH's own counts and opinion, which come with the last event of a call."""
        call_id, opinion = headers.get("variable_sip_call_id", ""), headers.get("variable_rtp_audio_in_mos", "")
        packets = _number(headers, "variable_rtp_audio_in_media_packet_count")
        if not call_id or not packets:
            return
        with contextlib.suppress(ValueError):
            quality = CallQuality(
                sip_call_id=call_id,
                source="engine",
                heard="caller" if headers.get("Call-Direction") == "inbound" else "callee",
                codec=headers.get("Channel-Read-Codec-Name", "")[:40],
                packets=packets,
                mos=float(opinion) if opinion else None,
            )
            self._measured(quality)

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

    def _begin(
        self, application: str, argument: str, *, lasts: bool = False
    ) -> tuple[str, "asyncio.Future[dict[str, str]]"]:
        """Put an application into the call's queue: our name for it, and what will come of it.

        `lasts`: what came of it is waited for beyond the call's end, as long as FreeSWITCH tells of the call.
        """
        self._happenings.check()
        execution = str(uuid.UUID(hex=self._tokens.token(16)))
        done: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        (self._lasting if lasts else self._executions)[execution] = done
        self._send(commands.execute(application, argument, execution))
        return execution, done

    async def _completed(self, execution: str, done: "asyncio.Future[dict[str, str]]") -> dict[str, str]:
        try:
            await asyncio.wait([done])
        finally:
            self._executions.pop(execution, None)
        self._happenings.check()
        return done.result()


def _number(headers: Mapping[str, str], name: str) -> int:
    value = headers.get(name, "")
    return int(value) if value.isdigit() and len(value) < 12 else 0
