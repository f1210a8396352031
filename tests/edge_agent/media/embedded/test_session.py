"""What an application can do with a call on the embedded engine; ticks and datagrams are given by hand."""

import asyncio
import socket
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_agent.media.embedded import wav
from edge_agent.media.embedded.engine import EmbeddedEngine, EngineSettings
from edge_agent.media.embedded.rooms import Rooms
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.session import EmbeddedSession, SessionLimits
from edge_agent.media.embedded.stream import FRAME
from edge_agent.media.errors import NoRtpPort, PromptError, SessionEnded, TooManySessions
from edge_agent.media.happenings import MOST_WAITING_EVENTS
from edge_agent.media.session import Collected, DigitPressed, EndCause, Ended, Prompt
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

    def __init__(self, phone: socket.socket, prompt: Prompt) -> None:
        self.phone, self.clock = phone, HandClock()
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp.bind(("127.0.0.1", 0))
        rtp.setblocking(False)
        self.leg = RecordingLeg(OFFER.format(port=phone.getsockname()[1]).encode())
        self.closed: list[EmbeddedSession] = []
        prompts = {prompt.path: wav.load(prompt.path)}
        limits = SessionLimits(30.0, 600.0)
        self.rooms = Rooms(FRAME, prompts)
        self.session = EmbeddedSession(
            self.leg, rtp, prompts, self.rooms, limits, self.clock, CountedTokens(), self.closed.append
        )
        self._pressed = 0

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.session.tick(self.clock.advance(0.02))

    async def press(self, digits: str) -> None:
        """Press keys, and wait until the session has read each."""
        for digit in digits:
            self._pressed += 1
            event = bytes(["0123456789*#".index(digit), 0, 0, 160])
            packet = Packet(101, self._pressed, 1600 * self._pressed, 1, event)
            self.phone.sendto(packet.to_bytes(), ("127.0.0.1", self.session.rtp.getsockname()[1]))
            before = self.session.stream.packets_received

            def arrived(seen: int = before) -> bool:
                self.session.readable()
                return self.session.stream.packets_received > seen

            await eventually_async(arrived)


@pytest.fixture
def call(phone: socket.socket, prompt: Prompt) -> Iterator[Call]:
    made = Call(phone, prompt)
    yield made
    made.session.rtp.close()


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
