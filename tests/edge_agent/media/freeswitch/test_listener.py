"""Applications on FreeSWITCH's calls: recorded conversations are spoken again, FreeSWITCH's side word for word."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from contract.sync.quality import CallQuality
from edge_agent.media.applications.echo_test import EchoTest
from edge_agent.media.errors import PromptError, SessionEnded
from edge_agent.media.freeswitch import commands
from edge_agent.media.freeswitch.commands import BadCommand
from edge_agent.media.freeswitch.listener import SPARE_CONNECTIONS, FreeSwitchListener
from edge_agent.media.session import Application, Collected, EndCause, MediaSession, Prompt, Recorded, RecordingEnd
from edge_agent.ports import QualityTold
from tests.support import esl_recordings
from tests.support.counted_tokens import CountedTokens
from tests.support.esl_recordings import Frame
from tests.support.waiting import eventually_async

HOST = "127.0.0.1"
_EXECUTION = re.compile(rb"Event-UUID: (\S+)")
_LENGTH = re.compile(rb"\ncontent-length: ([0-9]+)\n")
_ASKED = (re.compile(rb"execute-app-name: (\S+)"), re.compile(rb"call-command: (hangup)"), re.compile(rb"(\S+)"))


class Scene:
    """An application that does what the test says, and keeps what came of it."""

    prompts: tuple[Prompt, ...] = ()

    def __init__(self, play: Callable[[MediaSession], Awaitable[object]]) -> None:
        self._play = play
        self.result: object = None
        self.error: Exception | None = None
        self.caller = ""

    async def run(self, session: MediaSession) -> None:
        self.caller = session.caller
        try:
            self.result = await self._play(session)
        except Exception as error:
            self.error = error
            raise


@asynccontextmanager
async def listening(
    applications: Mapping[str, Application],
    most_sessions: int = 5,
    known_seconds: float = 5.0,
    measured: QualityTold = lambda quality: None,
) -> AsyncIterator[tuple[FreeSwitchListener, int]]:
    listener = FreeSwitchListener(applications, most_sessions, CountedTokens(), known_seconds, measured)
    port = await listener.open(HOST, 0)
    try:
        yield listener, port
    finally:
        await listener.close()


def what(command: bytes) -> bytes:
    """The command's verb: an application's name, hangup, or its first word."""
    return next(match[1] for kind in _ASKED if (match := kind.search(command)))


class FreeSwitch:
    """FreeSWITCH's side of one connection: says recorded frames, with the UUIDs of our executions in it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._names: dict[bytes, bytes] = {}

    async def asked(self, recorded: bytes = b"") -> bytes:
        """The verb of the next command; `recorded` is what was asked in its place, to learn the execution's name."""
        return what(await self.command(recorded))

    async def command(self, recorded: bytes = b"") -> bytes:
        """The whole of the next command, as `asked`."""
        command = await asyncio.wait_for(self._reader.readuntil(b"\n\n"), 10)
        if length := _LENGTH.search(command):
            command += await asyncio.wait_for(self._reader.readexactly(int(length[1])), 10)
        if (theirs := _EXECUTION.search(recorded)) and (ours := _EXECUTION.search(command)):
            self._names[theirs[1]] = ours[1]
        return command

    def say(self, data: bytes) -> None:
        """Send a recorded frame."""
        for theirs, ours in self._names.items():
            data = data.replace(theirs, ours)
        self._writer.write(data)

    async def rest(self) -> list[bytes]:
        """Say no more; the verbs of what is still asked before the connection ends."""
        self._writer.write_eof()
        rest = await asyncio.wait_for(self._reader.read(), 10)
        return [what(command) for command in rest.split(b"\n\n") if command]

    async def ended(self) -> None:
        """Wait until the connection is closed from the other side."""
        await asyncio.wait_for(self._reader.read(), 10)

    async def spoken_again(self, frames: list[Frame]) -> None:
        """Say frames, waiting for each command before what was said after it."""
        for frame in frames:
            if frame.from_freeswitch:
                self.say(frame.data)
            else:
                assert await self.asked(frame.data) == what(frame.data)


async def spoken_together(legs: list[tuple[FreeSwitch, list[Frame]]]) -> None:
    """As `FreeSwitch.spoken_again`, on several connections of one scenario, in the order in which it was said."""
    said = [(frame.seconds, leg, at) for leg, (_, frames) in enumerate(legs) for at, frame in enumerate(frames)]
    for _, leg, at in sorted(said):
        peer, frames = legs[leg]
        await peer.spoken_again([frames[at]])


@asynccontextmanager
async def freeswitch(port: int) -> AsyncIterator[FreeSwitch]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield FreeSwitch(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def frame_with(frames: list[Frame], *parts: bytes) -> Frame:
    """The first frame that has every part in it."""
    return next(frame for frame in frames if all(part in frame.data for part in parts))


def without(name: str, command: bytes) -> list[Frame]:
    """A recording without a command that we do not give."""
    frames = esl_recordings.frames(name)
    frames.remove(next(frame for frame in frames if not frame.from_freeswitch and command in frame.data))
    return frames


def prompt(name: str = "welcome.wav") -> Prompt:
    return Prompt(Path("/prompts") / name)


async def test_a_caller_who_hangs_up_while_a_prompt_plays_ends_the_application() -> None:
    async def play(session: MediaSession) -> None:
        await session.answer()
        await session.play(prompt())

    scene = Scene(play)
    async with listening({"1002": scene}) as (listener, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback"))
        assert await peer.rest() == []
        assert isinstance(scene.error, SessionEnded)
        assert scene.error.cause == EndCause.CALLER
        assert scene.caller == "1000"
        await eventually_async(lambda: listener.calls == 0)


async def test_how_a_call_was_heard_is_told_when_it_ends_by_freeswitchs_own_counts() -> None:
    async def play(session: MediaSession) -> None:
        await session.answer()
        await session.play(prompt())

    told: list[CallQuality] = []
    async with listening({"1002": Scene(play)}, measured=told.append) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback"))
        await peer.rest()
    (quality,) = told
    assert (quality.source, quality.heard, quality.codec, quality.mos) == ("engine", "caller", "PCMU", 4.5)
    assert quality.packets is not None
    assert quality.packets > 50
    assert quality.sip_call_id.endswith("@mini")


async def test_a_caller_who_gives_up_before_the_answer_ends_the_application() -> None:
    async def play(session: MediaSession) -> None:
        await session.collect(1, 30)

    scene = Scene(play)
    frames = without("03-caller-cancel-before-answer", b"execute-app-name: ring_ready")
    async with listening({"1003": scene}) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(frames)
        assert await peer.rest() == []
        assert isinstance(scene.error, SessionEnded)
        assert scene.error.cause == EndCause.CALLER


async def test_a_phone_that_falls_silent_ends_the_call_as_silent() -> None:
    async def play(session: MediaSession) -> None:
        await session.answer()
        await session.play(prompt())

    scene = Scene(play)
    # FreeSWITCH's configuration sets the time-out for us; in the recording the agent did.
    frames = without("27-media-timeout-leg1", b"execute-app-arg: media_timeout=2000")
    async with listening({"1027": scene}) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(frames)
        assert await peer.rest() == []
        assert isinstance(scene.error, SessionEnded)
        assert scene.error.cause == EndCause.SILENT


async def test_digits_pressed_before_they_are_asked_for_count() -> None:
    async def play(session: MediaSession) -> Collected:
        await session.answer()
        return await session.collect(6, 10)

    scene = Scene(play)
    frames = esl_recordings.frames("01-ivr-outbound-async-full")
    async with listening({"1001": scene}) as (_, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(frames[1].data)
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.asked(frame_with(frames, b"execute-app-name: answer").data) == b"answer"
        for key in [frame for frame in frames if b"Event-Name: DTMF\n" in frame.data]:
            peer.say(key.data)
        peer.say(frame_with(frames, b"Event-Name: CHANNEL_EXECUTE_COMPLETE", b"Application: answer").data)
        assert await peer.asked() == b"hangup"
    assert scene.result == Collected("1234", complete=True)


async def test_a_prompt_that_freeswitch_cannot_read_is_an_error_by_its_name() -> None:
    async def play(session: MediaSession) -> None:
        await session.play(prompt("gone.wav"))

    scene = Scene(play)
    frames = esl_recordings.frames("01-ivr-outbound-async-full")
    async with listening({"1001": scene}) as (_, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(frames[1].data)
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.asked(frame_with(frames, b"/nonexistent.wav").data) == b"playback"
        peer.say(frame_with(frames, b"FILE%20NOT%20FOUND", b"Application: playback").data)
        assert await peer.asked() == b"hangup"
    assert isinstance(scene.error, PromptError)
    assert "gone.wav" in str(scene.error)


def completion(frames: list[Frame], application: bytes, *parts: bytes) -> bytes:
    """The recorded event that tells what came of an application."""
    return frame_with(frames, b"Event-Name: CHANNEL_EXECUTE_COMPLETE", b"\nApplication: " + application, *parts).data


async def test_a_recording_ends_by_silence_and_by_a_key_that_is_told_and_not_kept() -> None:
    async def play(session: MediaSession) -> list[object]:
        await session.answer()
        first = await session.record(Path("/messages/vm1.wav"), 30, silence_seconds=3)
        second = await session.record(Path("/messages/vm2.wav"), 30, silence_seconds=30)
        return [first, second, await session.collect(1, 0.05)]

    scene = Scene(play)
    frames = esl_recordings.frames("10-record-silence-dtmf-stop")
    set_it = frame_with(frames, b"execute-app-arg: playback_terminators=#").data
    asked = [one.data for one in frames if not one.from_freeswitch and b"execute-app-name: record" in one.data]
    set_done = completion(frames, b"set")
    async with listening({"1010": scene}) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(frames[:2])
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.asked(frame_with(frames, b"execute-app-name: answer").data) == b"answer"
        peer.say(completion(frames, b"answer"))
        for asked_first, done in (
            (asked[0], completion(frames, b"record", b"vm1.wav", b"silence_hits_exhausted: true")),
            (asked[1], completion(frames, b"record", b"vm2.wav", b"playback_terminator_used")),
        ):
            assert await peer.asked(set_it) == b"set"
            peer.say(set_done)
            assert await peer.asked(asked_first) == b"record"
            if b"vm2" in done:
                peer.say(frame_with(frames, b"Event-Name: DTMF\n").data)
            peer.say(done)
            assert await peer.asked(set_it) == b"set"
            peer.say(set_done)
        assert await peer.asked() == b"hangup"
    assert isinstance(scene.result, list)
    first, second, after = scene.result
    assert first == Recorded(4.54, RecordingEnd.SILENCE)
    assert isinstance(second, Recorded)
    assert (second.end, second.key) == (RecordingEnd.KEY, "#")
    assert second.seconds > 0
    assert after == Collected("", complete=False)


async def test_a_key_ends_a_prompt_that_may_be_interrupted_and_is_kept() -> None:
    async def play(session: MediaSession) -> list[object]:
        await session.answer()
        played = await session.play(prompt("long.wav"), prompt("next.wav"), barge_in=True)
        return [played > 0, await session.collect(1, 5)]

    scene = Scene(play)
    frames = esl_recordings.frames("13-break-and-queue")
    digits = esl_recordings.frames("01-ivr-outbound-async-full")
    asked = frame_with(frames, b"execute-app-name: playback").data
    async with listening({"1013": scene}) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(frames[:2])
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.asked(frame_with(frames, b"execute-app-name: answer").data) == b"answer"
        peer.say(completion(frames, b"answer"))
        assert await peer.asked(asked) == b"playback"
        peer.say(frame_with(digits, b"Event-Name: DTMF\n", b"DTMF-Digit: 1").data)
        assert await peer.asked() == b"api"
        peer.say(completion(frames, b"playback", b"silence_stream%3A//8000"))
        # What was to follow is not played.
        assert await peer.asked() == b"hangup"
    assert scene.result == [True, Collected("1", complete=True)]


async def test_a_call_that_freeswitch_ends_for_a_fault_of_its_own_ends_the_application() -> None:
    async def play(session: MediaSession) -> None:
        await session.answer()
        await session.collect(1, 30)

    scene = Scene(play)
    frames = without("14-unknown-app-kills-call", b"execute-app-name: nosuchapp")
    async with listening({"1014": scene}) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(frames)
        assert await peer.rest() == []
    assert isinstance(scene.error, SessionEnded)


async def test_a_connection_that_breaks_ends_the_application_as_failed() -> None:
    async def play(session: MediaSession) -> None:
        await session.answer()

    scene = Scene(play)
    async with listening({"1002": scene}) as (_, port):
        async with freeswitch(port) as peer:
            await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback")[:8])
        await eventually_async(lambda: scene.error is not None)
    assert isinstance(scene.error, SessionEnded)
    assert scene.error.cause == EndCause.FAILED


async def test_a_faulty_application_is_named_in_the_log_and_its_call_is_hung_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def play(session: MediaSession) -> None:
        raise LookupError(session.caller)

    async with listening({"1002": Scene(play)}) as (listener, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback")[:2])
        assert [await peer.asked() for _ in range(4)][-1] == b"hangup"
        await peer.rest()
        await eventually_async(lambda: "media_application_faulty" in caplog.messages)
        assert listener.calls == 0


async def test_a_number_that_no_application_has_is_refused() -> None:
    async with listening({}) as (listener, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback")[:2])
        assert [await peer.asked() for _ in range(4)][-1] == b"hangup"
        assert listener.refused == {"no_such_application": 1}


async def test_a_call_too_many_is_refused() -> None:
    async with listening({"1002": EchoTest()}, most_sessions=0) as (listener, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback")[:2])
        assert [await peer.asked() for _ in range(4)][-1] == b"hangup"
        assert listener.refused == {"too_many_sessions": 1}


async def test_a_connection_that_never_says_its_call_is_closed() -> None:
    async with listening({}, known_seconds=0.05) as (listener, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        await peer.ended()
        assert listener.refused == {"call_unknown": 1}


async def test_a_connection_that_does_not_speak_the_protocol_is_closed_and_counted() -> None:
    async with listening({}) as (listener, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(b"GET / HTTP/1.1\n\n")
        await peer.ended()
        assert listener.refused == {"unreadable": 1}


async def test_connections_are_bounded() -> None:
    async with listening({}, most_sessions=0) as (listener, port), contextlib.AsyncExitStack() as stack:
        for _ in range(SPARE_CONNECTIONS + 4):
            await stack.enter_async_context(freeswitch(port))
        await eventually_async(lambda: listener.refused["too_many_connections"] == 4)


async def test_closing_hangs_up_the_calls_that_are_up() -> None:
    async with listening({"1002": EchoTest()}) as (listener, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("02-caller-hangup-during-playback")[:2])
        await eventually_async(lambda: listener.calls == 1)
        await listener.close()
        assert b"hangup" in [await peer.asked() for _ in range(5)]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_no_argument_ends_a_command_and_begins_another(text: str) -> None:
    with pytest.raises(BadCommand):
        commands.hang_up(text)
    with pytest.raises(BadCommand):
        commands.execute("playback", "x", text)
    command = commands.execute("playback", f"one{text}\n\nsendmsg\ncall-command: hangup", "id")
    head, _, body = command.partition(b"\n\n")
    assert b"hangup" not in head
    assert f"content-length: {len(body)}".encode() in head


def test_only_applications_of_ours_are_executed() -> None:
    with pytest.raises(BadCommand, match="system"):
        commands.execute("system", "rm", "id")


PLACE = "250f621fc094a5@mini;to-tag=ours;from-tag=41b18286"
"""Of the call in the recording that is spoken here."""


@pytest.mark.parametrize(
    ("place", "takes"),
    [
        (PLACE, True),
        (PLACE.replace("41b18286", "guessed"), False),
        (PLACE.replace("@mini", ""), False),
        (PLACE.partition(";")[0], False),
    ],
)
async def test_a_call_takes_the_place_of_another_and_that_ends_when_it_is_answered(place: str, takes: bool) -> None:
    served: list[tuple[str, MediaSession | None]] = []
    first: asyncio.Future[MediaSession] = asyncio.get_running_loop().create_future()

    async def play(session: MediaSession) -> None:
        served.append((session.arguments.get("orbit", ""), session.replaces))
        if session.replaces is None:
            first.set_result(session)
            await session.over()
        await session.answer()

    frames = esl_recordings.frames("01-ivr-outbound-async-full")
    channel = frame_with(frames, b"Event-Name: CHANNEL_DATA").data
    at = channel.index(b"variable_sip_call_id")
    held = channel[:at] + b"variable_sip_req_params: orbit=701\n" + channel[at:]
    called = re.search(rb"Channel-Destination-Number: (\S+)", channel)
    assert called is not None
    scene = Scene(play)
    async with listening({called[1].decode(): scene}) as (listener, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(held)
        other = await first
        async with freeswitch(port) as another:
            assert await another.asked() == b"connect"
            taking = channel.replace(b"variable_sip_call_id: ", b"variable_sip_call_id: other-", 1)
            named = f"variable_sip_h_X-Tandem-Replaces: {quote(place)}\n".encode()
            another.say(taking[:at] + named + taking[at:])
            asked = [await another.asked() for _ in range(4)]
            assert asked[3] == (b"answer" if takes else b"hangup")
            assert served[1:] == ([("701", other)] if takes else [])
            assert listener.refused == ({} if takes else {"no_such_call": 1})
