"""What an application can do with a call on the embedded engine; ticks and datagrams are given by hand."""

import asyncio
import socket
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from contract.sync.quality import CallQuality
from edge_agent.media.codecs import ALL
from edge_agent.media.embedded import g711, sockets, wav
from edge_agent.media.embedded.dtls import DtlsIdentity
from edge_agent.media.embedded.engine import EmbeddedEngine, EngineSettings
from edge_agent.media.embedded.recorder import Recorder
from edge_agent.media.embedded.rooms import Rooms
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.session import EmbeddedSession, SessionLimits
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.errors import NoRtpPort, PromptError, RecordingFailed, SessionEnded, TooManySessions
from edge_agent.media.happenings import MOST_WAITING_EVENTS
from edge_agent.media.session import Collected, DigitPressed, EndCause, Ended, Prompt, Recorded, RecordingEnd
from tests.edge_agent.media.embedded.test_mix import no_stream
from tests.support.call_leg import RecordingLeg
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.waiting import eventually_async

OFFER = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"


@pytest.fixture
def phone() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        yield made


@pytest.fixture
def prompt(tmp_path: Path) -> Prompt:
    path = tmp_path / "short.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.full(320, 5000, dtype="<i2").tobytes())
    return Prompt(path)


class Call:
    """A session whose ticks and packets the test makes."""

    def __init__(self, phone: socket.socket, prompt: Prompt, offer: str | None = OFFER) -> None:
        self.phone, self.clock = phone, HandClock()
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp.bind(("127.0.0.1", 0))
        rtp.setblocking(False)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtcp.bind(("127.0.0.1", 0))
        rtcp.setblocking(False)
        self.leg = RecordingLeg(None if offer is None else offer.format(port=phone.getsockname()[1]).encode())
        self.closed: list[EmbeddedSession] = []
        self.measured: list[CallQuality] = []
        sounds = Sounds({prompt.path: wav.load(prompt.path)})
        limits = SessionLimits(30.0, 600.0)
        self.rooms = Rooms(sounds, no_stream)
        self.session = EmbeddedSession(
            self.leg,
            rtp,
            rtcp,
            sounds,
            self.rooms,
            ALL,
            DtlsIdentity(self.clock.now(), CountedTokens()),
            limits,
            self.clock,
            CountedTokens(),
            self.closed.append,
            self.measured.append,
        )
        self._pressed = 0
        self.said = 0

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.session.tick(self.clock.advance(0.02))

    def receive(self) -> None:
        """Let the session have what has come."""
        for data, source in sockets.drain(self.session.rtp):
            self.session.received(data, source, self.clock.monotonic())

    async def press(self, digits: str) -> None:
        """Press keys, and wait until the session has read each."""
        for digit in digits:
            self._pressed += 1
            event = bytes(["0123456789*#".index(digit), 0, 0, 160])
            packet = Packet(101, self._pressed, 1600 * self._pressed, 1, event)
            self.phone.sendto(packet.to_bytes(), ("127.0.0.1", self.session.rtp.getsockname()[1]))
            before = self.session.stream.packets_received

            def arrived(seen: int = before) -> bool:
                self.receive()
                return self.session.stream.packets_received > seen

            await eventually_async(arrived)


@pytest.fixture
def call(phone: socket.socket, prompt: Prompt) -> Iterator[Call]:
    made = Call(phone, prompt)
    yield made
    made.session.rtp.close()
    made.session.rtcp.close()


async def started(task: "asyncio.Task[object]") -> None:
    """Let a task run until it waits."""
    for _ in range(3):
        await asyncio.wait([task], timeout=0)


async def test_answering_returns_when_the_caller_has_confirmed(call: Call) -> None:
    task = asyncio.create_task(call.session.answer())
    await started(task)
    assert call.leg.asked == ["answer"]
    assert not task.done()
    call.session.confirmed(None)
    await task


async def test_a_prompt_returns_when_it_has_been_played(call: Call, prompt: Prompt) -> None:
    task = asyncio.create_task(call.session.play(prompt))
    await started(task)
    call.tick()
    await started(task)
    assert not task.done()
    call.tick()
    await task


async def test_a_prompt_that_is_abandoned_is_heard_no_more(call: Call, prompt: Prompt) -> None:
    task = asyncio.create_task(call.session.play(prompt))
    await started(task)
    task.cancel()
    await asyncio.wait([task])
    call.tick()
    assert call.phone.recv(2000)[12:] == b"\xff" * 160


async def test_a_prompt_ends_even_when_too_many_keys_were_pressed_meanwhile(call: Call, prompt: Prompt) -> None:
    task = asyncio.create_task(call.session.play(prompt))
    await started(task)
    await call.press("1" * (MOST_WAITING_EVENTS + 5))
    call.tick(2)
    await task
    assert await call.session.collect(MOST_WAITING_EVENTS, 1) == Collected("1" * MOST_WAITING_EVENTS, complete=True)


async def test_a_prompt_that_was_not_loaded_is_an_error(call: Call, tmp_path: Path) -> None:
    with pytest.raises(PromptError):
        await call.session.play(Prompt(tmp_path / "other.wav"))


@pytest.mark.parametrize(
    ("pressed", "most", "collected"),
    [
        ("1234", 4, Collected("1234", complete=True)),
        ("12#", 4, Collected("12", complete=True)),
        ("#", 4, Collected("", complete=True)),
        ("12345", 2, Collected("12", complete=True)),
    ],
)
async def test_digits_are_collected_up_to_their_number_or_the_terminator(
    call: Call, pressed: str, most: int, collected: Collected
) -> None:
    task = asyncio.create_task(call.session.collect(most, 10))
    await started(task)
    await call.press(pressed)
    assert await task == collected


async def test_digits_that_do_not_come_in_time_are_incomplete(call: Call) -> None:
    await call.press("7")
    assert await call.session.collect(4, 0.01) == Collected("7", complete=False)


async def test_events_are_given_in_order_and_the_end_again_and_again(call: Call) -> None:
    await call.press("42")
    call.session.ended_by_peer(EndCause.CALLER)
    events = [await call.session.next_event() for _ in range(4)]
    assert events == [DigitPressed("4"), DigitPressed("2"), Ended(EndCause.CALLER), Ended(EndCause.CALLER)]


async def test_whatever_waits_ends_with_the_call_and_nothing_begins_after(call: Call, prompt: Prompt) -> None:
    tasks: list[asyncio.Task[object]] = [
        asyncio.create_task(call.session.answer()),
        asyncio.create_task(call.session.play(prompt)),
        asyncio.create_task(call.session.echo()),
        asyncio.create_task(call.session.collect(1, 60)),
    ]
    for task in tasks:
        await started(task)
    call.session.ended_by_peer(EndCause.CALLER)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [SessionEnded] * 4
    assert call.closed == [call.session]
    assert "hang_up" not in call.leg.asked
    with pytest.raises(SessionEnded):
        await call.session.play(prompt)


async def test_hanging_up_tells_the_leg_once(call: Call) -> None:
    await call.session.hang_up()
    await call.session.hang_up()
    assert call.leg.asked == ["hang_up"]


async def test_silence_ends_the_call(call: Call) -> None:
    call.session.tick(call.clock.advance(31))
    assert call.leg.asked == ["hang_up"]
    assert await call.session.next_event() == Ended(EndCause.SILENT)


def test_the_version_of_our_description_counts_changes_only(call: Call) -> None:
    offer = call.leg.offer
    assert offer is not None

    def version(description: bytes) -> int:
        return int(description.split(b"\r\n")[1].split()[2])

    same = call.session.reoffered(offer)
    held = call.session.reoffered(offer + b"a=inactive\r\n")
    assert version(held) == version(same) + 1
    assert call.session.reoffered(offer + b"a=inactive\r\n") == held


async def test_an_engine_refuses_calls_beyond_its_number_and_beyond_its_ports(prompt: Prompt) -> None:
    offer = OFFER.format(port=40000).encode()
    few = EmbeddedEngine(
        EngineSettings("127.0.0.1", 20_000, 39_999, most_sessions=1), [prompt], HandClock(), CountedTokens()
    )
    session = few.session(RecordingLeg(offer))
    with pytest.raises(TooManySessions):
        few.session(RecordingLeg(offer))
    session.end(EndCause.LOCAL)
    few.session(RecordingLeg(offer)).end(EndCause.LOCAL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] & ~1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            if port != taken.getsockname()[1]:
                other.bind(("127.0.0.1", port))
            narrow = EngineSettings("127.0.0.1", port, port + 1)
            with pytest.raises(NoRtpPort):
                EmbeddedEngine(narrow, [prompt], HandClock(), CountedTokens()).session(RecordingLeg(offer))


def test_an_address_that_is_not_ours_gives_no_port(prompt: Prompt) -> None:
    engine = EmbeddedEngine(EngineSettings("192.0.2.254", 20_000, 20_009), [prompt], HandClock(), CountedTokens())
    with pytest.raises(NoRtpPort):
        engine.session(RecordingLeg(OFFER.format(port=40000).encode()))


async def speaks(call: Call, frames: int, level: int = 8000) -> None:
    """The phone says 20 ms so often, each of it heard at its tick."""
    for _ in range(frames):
        call.said += 1
        tone = (level * np.sin(np.arange(160) * 2 * np.pi * 440 / 8000)).astype(np.int16)
        packet = Packet(0, call.said, 160 * call.said, 1, g711.encode(0, tone))
        call.phone.sendto(packet.to_bytes(), ("127.0.0.1", call.session.rtp.getsockname()[1]))
        before = call.session.stream.packets_received

        def arrived(seen: int = before) -> bool:
            call.receive()
            return call.session.stream.packets_received > seen

        await eventually_async(arrived)
        call.tick()


async def recording(call: Call, path: Path, **how: float) -> "asyncio.Task[Recorded]":
    task = asyncio.create_task(call.session.record(path, most_seconds=how.pop("most", 60.0), **how))  # type: ignore[arg-type]
    await eventually_async(lambda: call.session.stream.hearer is not None)
    return task


async def test_what_the_caller_says_is_in_the_file_until_a_key_ends_it(call: Call, tmp_path: Path) -> None:
    task = await recording(call, tmp_path / "said.wav")
    await speaks(call, 100)
    await call.press("#")
    done = await task
    assert (done.end, done.key) == (RecordingEnd.KEY, "#")
    said = wav.load(tmp_path / "said.wav")
    assert said.seconds == done.seconds == 2.0
    assert np.abs(said.samples[4000:8000]).max() > 6000
    assert (tmp_path / "said.wav").stat().st_mode & 0o777 == 0o600


async def test_a_recording_ends_when_nobody_speaks_and_when_it_is_long_enough(call: Call, tmp_path: Path) -> None:
    task = await recording(call, tmp_path / "silent.wav", silence_seconds=1.0)
    await speaks(call, 50)
    call.tick(60)
    assert (await task).end is RecordingEnd.SILENCE
    task = await recording(call, tmp_path / "long.wav", most=0.5)
    await speaks(call, 30)
    done = await task
    assert (done.end, done.seconds) == (RecordingEnd.LENGTH, 0.5)


async def test_a_caller_who_hangs_up_leaves_what_was_said(call: Call, tmp_path: Path) -> None:
    task = await recording(call, tmp_path / "said.wav")
    await speaks(call, 75)
    call.session.ended_by_peer(EndCause.CALLER)
    with pytest.raises(SessionEnded):
        await task
    assert wav.load(tmp_path / "said.wav").seconds == 1.5


async def test_a_kill_in_the_middle_leaves_a_whole_file_of_all_but_the_last_second(call: Call, tmp_path: Path) -> None:
    task = await recording(call, tmp_path / "said.wav")
    await speaks(call, 120)
    # Nothing was closed: this is what is on the disk while the recording goes on.
    await eventually_async(lambda: wav.load(tmp_path / "said.wav").seconds >= 2.0)
    task.cancel()
    await asyncio.wait([task])
    assert wav.load(tmp_path / "said.wav").seconds == 2.4


async def test_a_recording_that_cannot_be_written_is_an_error_by_its_name(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (tmp_path / "nowhere" / "said.wav", Path("/dev/full")):
        with pytest.raises(RecordingFailed, match=path.name):
            await call.session.record(path, 10)

    def full(recorder: Recorder) -> None:
        raise OSError(28, "No space left on device")

    task = await recording(call, tmp_path / "half.wav")
    monkeypatch.setattr(Recorder, "flush", full)
    await speaks(call, 51)
    with pytest.raises(RecordingFailed, match="half"):
        await task


async def test_a_key_ends_prompts_that_may_be_interrupted_and_tells_how_far_they_came(
    call: Call, prompt: Prompt
) -> None:
    task = asyncio.create_task(call.session.play(prompt, prompt, barge_in=True))
    await started(task)
    call.tick()
    await call.press("5")
    assert await task == 0.02
    # A key that was pressed before ends them at once.
    assert await call.session.play(prompt, barge_in=True) == 0.0
    assert await call.session.collect(1, 1) == Collected("5", complete=True)


async def test_recordings_are_played_from_where_one_wants(call: Call, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    task = asyncio.create_task(call.session.play(Prompt(tmp_path / "said.wav"), start_seconds=0.96))
    await eventually_async(lambda: call.session.stream.playing)
    call.tick(2)
    assert await task == 1.0
    assert await call.session.play(Prompt(tmp_path / "said.wav"), start_seconds=7.0) == 7.0
    with pytest.raises(PromptError, match="nothing"):
        await call.session.play(Prompt(tmp_path / "nothing.wav"))


async def transferring(call: Call) -> "asyncio.Task[int]":
    task = asyncio.create_task(call.session.transfer("201"))
    await started(task)
    assert call.leg.asked[-1] == "transfer 201"
    return task


@pytest.mark.parametrize("status", [403, 486, 480, 503])
async def test_a_transfer_that_comes_to_nothing_returns_and_the_call_goes_on(call: Call, status: int) -> None:
    task = await transferring(call)
    assert call.leg.told is not None
    call.leg.told(100, False)
    await started(task)
    assert not task.done()
    call.leg.told(status, True)
    await asyncio.wait_for(task, 5)
    assert "hang_up" not in call.leg.asked
    assert call.closed == []


async def test_a_transfer_that_succeeds_ends_the_call_that_is_left_behind(call: Call) -> None:
    task = await transferring(call)
    assert call.leg.told is not None
    call.leg.told(180, False)
    call.leg.told(200, True)
    await asyncio.wait_for(task, 5)
    assert call.leg.asked[-1] == "hang_up"
    assert len(call.closed) == 1


async def test_a_caller_who_hangs_up_in_a_transfer_is_gone(call: Call) -> None:
    task = await transferring(call)
    call.session.ended_by_peer(EndCause.CALLER)
    await asyncio.wait_for(task, 5)
    assert "hang_up" not in call.leg.asked


async def test_a_call_tells_how_it_was_heard_once_it_was_answered_and_nothing_before(call: Call) -> None:
    call.session.confirmed(None)
    await call.press("1")
    call.session.ended_by_peer(EndCause.CALLER)
    call.session.ended_by_peer(EndCause.CALLER)
    (told,) = call.measured
    assert (told.sip_call_id, told.source, told.heard, told.codec) == ("leg@phone", "engine", "caller", "PCMU")
    assert (told.packets, told.lost, told.lost_percent, told.mos is not None) == (1, 0, 0.0, True)


async def test_a_call_that_was_never_answered_tells_nothing(call: Call) -> None:
    call.session.ended_by_peer(EndCause.CALLER)
    assert call.measured == []
