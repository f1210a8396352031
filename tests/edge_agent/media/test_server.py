"""The media server: which application a call gets, and what becomes of it, with a fake engine."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge_agent.media.errors import MixFull, NoSuchApplication, NotAcceptable, PromptError, SessionEnded
from edge_agent.media.server import MediaServer
from edge_agent.media.session import Collected, EndCause, Ended, MediaSession, Mix, Prompt, Recorded, Seat, SessionEvent
from edge_agent.ports import CallLeg, CallRefused, Transfer
from tests.support.call_leg import RecordingLeg
from tests.support.waiting import eventually_async


class FakeSession:
    """An engine's session that only waits."""

    def __init__(self, leg: CallLeg) -> None:
        self.leg, self.cause = leg, asyncio.get_running_loop().create_future()
        self.confirmations: list[bytes | None] = []
        self.unusable = False
        self.replaces: MediaSession | None = None

    def replace(self, other: MediaSession) -> None:
        self.replaces = other

    @property
    def caller(self) -> str:
        return self.leg.caller

    @property
    def caller_name(self) -> str:
        return self.leg.caller_name

    @property
    def asserted(self) -> str:
        return self.leg.asserted

    @property
    def arguments(self) -> Mapping[str, str]:
        return self.leg.arguments

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        self.leg.transfer(to, lambda _status, _final: None)
        return 0

    async def ring(self) -> None:
        self.leg.ring()

    async def answer(self) -> None:
        self.leg.answer(b"sdp")

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        raise PromptError("not there")

    async def record(
        self, path: Path, most_seconds: float, silence_seconds: float = 0.0, terminators: str = "#"
    ) -> Recorded:
        raise SessionEnded(await self.cause)

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        return Collected("", complete=False)

    async def echo(self) -> None:
        raise SessionEnded(await self.cause)

    async def join(self, name: str, seat: Seat = Seat()) -> Mix:  # noqa: B008 - it is frozen
        raise MixFull(name)

    async def leave(self) -> None:
        pass

    async def bridge(self, other: MediaSession) -> None:
        await other.over()

    async def over(self) -> EndCause:
        return EndCause(await self.cause)

    async def next_event(self) -> SessionEvent:
        return Ended(await self.cause)

    async def hang_up(self) -> None:
        self.end(EndCause.LOCAL)

    async def refuse(self, status: int, reason: str, warning: str = "") -> None:
        self.end(EndCause.LOCAL)

    def confirmed(self, description: bytes | None) -> None:
        if self.unusable:
            raise NotAcceptable("the test said so")
        self.confirmations.append(description)

    def reoffered(self, offer: bytes | None) -> bytes:
        return b"again"

    def ended_by_peer(self, cause: EndCause) -> None:
        if not self.cause.done():
            self.cause.set_result(cause)

    def end(self, cause: EndCause) -> None:
        if not self.cause.done():
            self.leg.hang_up()
        self.ended_by_peer(cause)


class Echo:
    prompts: tuple[Prompt, ...] = ()

    async def run(self, session: MediaSession) -> None:
        await session.answer()
        await session.echo()


class Brief(Echo):
    async def run(self, session: MediaSession) -> None:
        await session.answer()


class Promptless(Echo):
    async def run(self, session: MediaSession) -> None:
        await session.play(Prompt(__file__))  # type: ignore[arg-type]


class Faulty(Echo):
    async def run(self, session: MediaSession) -> None:
        raise ZeroDivisionError


class World:
    """A server with one application of each kind."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        applications = {"echo": Echo(), "brief": Brief(), "promptless": Promptless(), "faulty": Faulty()}
        self.server = MediaServer(applications, self._make)

    def _make(self, leg: CallLeg) -> FakeSession:
        self.sessions.append(FakeSession(leg))
        return self.sessions[-1]

    async def ended(self) -> None:
        await eventually_async(lambda: self.server.calls == 0)


async def test_a_call_is_served_by_the_application_that_it_names_until_the_caller_hangs_up() -> None:
    world, leg = World(), RecordingLeg(b"offer", "echo")
    world.server.offered(leg)
    await eventually_async(lambda: leg.asked == ["answer"])
    world.server.confirmed(leg, None)
    assert world.sessions[0].confirmations == [None]
    assert world.server.reoffered(leg, b"offer") == b"again"
    world.server.ended(leg, "caller")
    await world.ended()
    assert leg.asked == ["answer"]


async def test_a_name_without_an_application_is_refused() -> None:
    world = World()
    with pytest.raises(NoSuchApplication) as caught:
        world.server.offered(RecordingLeg(b"offer", "nobody"))
    assert caught.value.status == 404
    assert world.sessions == []


async def test_an_application_that_is_done_hangs_up() -> None:
    world, leg = World(), RecordingLeg(b"offer", "brief")
    world.server.offered(leg)
    await world.ended()
    assert leg.asked == ["answer", "hang_up"]


@pytest.mark.parametrize("name", ["promptless", "faulty"])
async def test_an_application_that_fails_hangs_up_and_is_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    world, leg = World(), RecordingLeg(b"offer", name)
    with caplog.at_level(logging.ERROR):
        world.server.offered(leg)
        await world.ended()
    assert leg.asked == ["hang_up"]
    assert [record.message for record in caplog.records] in (
        ["media_application_failed"],
        ["media_application_faulty"],
    )


async def test_an_answer_of_the_caller_that_cannot_be_used_ends_the_call() -> None:
    world, leg = World(), RecordingLeg(None, "echo")
    world.server.offered(leg)
    world.sessions[0].unusable = True
    world.server.confirmed(leg, b"bad")
    await world.ended()
    assert "hang_up" in leg.asked


async def test_what_concerns_a_call_that_is_over_is_ignored_or_refused() -> None:
    world, leg = World(), RecordingLeg(b"offer", "echo")
    world.server.confirmed(leg, None)
    world.server.ended(leg, "caller")
    with pytest.raises(CallRefused):
        world.server.reoffered(leg, b"offer")


async def test_closing_ends_every_call_and_waits_for_its_application() -> None:
    world, legs = World(), [RecordingLeg(b"offer", "echo") for _ in range(3)]
    for leg in legs:
        world.server.offered(leg)
    await eventually_async(lambda: all(leg.asked == ["answer"] for leg in legs))
    await world.server.close()
    assert all(leg.asked == ["answer", "hang_up"] for leg in legs)
    await world.ended()
