"""Find-me with a key: who is asked, who gets the call, and who is hung up on."""

import asyncio

import pytest

from edge_agent.media.applications.find_me import TRIES, ConfirmedCalls
from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import MediaSession
from edge_agent.media.speech import Languages
from tests.support.meeting_call import MeetingCall
from tests.support.waiting import eventually_async

LANGUAGES = Languages()
TOLD = {"user": "u-200", "number": "0791112233", "seconds": "20"}


class Call(MeetingCall):
    talks_to: MediaSession | None = None

    async def bridge(self, other: MediaSession) -> None:
        self.talks_to = other
        await self._happenings.over()
        raise SessionEnded(self._happenings.cause)  # type: ignore[arg-type]


class Outside:
    """One place beyond the site, which answers when the test says so."""

    can_ring = True

    def __init__(self) -> None:
        self.rung: list[Ringing] = []
        self.answers: asyncio.Future[MeetingCall] = asyncio.get_running_loop().create_future()

    async def ring(self, wanted: Ringing) -> MeetingCall:
        self.rung.append(wanted)
        return await self.answers


@pytest.fixture
async def outside() -> Outside:
    return Outside()


def begun(outside: Outside, call: Call, language: str = "en") -> asyncio.Task[None]:
    """The application at work."""
    return asyncio.create_task(ConfirmedCalls(LANGUAGES, lambda: language, outside).run(call))


def incoming(caller: str = "0441234567") -> Call:
    return Call({}, caller, arguments=TOLD)


async def test_whoever_presses_1_has_the_call_and_hears_who_calls_first(outside: Outside) -> None:
    call, mobile = incoming(), MeetingCall({})
    serving = begun(outside, call)
    await eventually_async(lambda: bool(outside.rung))
    assert outside.rung == [Ringing("0791112233", "0441234567", "", "find_me", "u-200")]
    outside.answers.set_result(mobile)
    await mobile.hears("take_call")
    assert mobile.said[:3] == ["call_from", "number.0", "number.4"]
    assert call.heard == ["ringing"]
    assert not call.is_answered
    mobile.press("1")
    await eventually_async(lambda: call.talks_to is mobile)
    assert call.is_answered
    call.hangs_up()
    with pytest.raises(SessionEnded):
        await serving
    assert mobile.is_over


@pytest.mark.parametrize("keys", ["", "2", "7"])
async def test_a_voicemail_or_whoever_declines_gets_no_call(outside: Outside, keys: str) -> None:
    call, mobile = incoming(), MeetingCall({})
    serving = begun(outside, call)
    outside.answers.set_result(mobile)
    mobile.press(keys)
    await asyncio.wait_for(serving, 30)
    assert mobile.is_over
    assert not call.is_answered
    if not keys:
        assert mobile.said.count("take_call") == TRIES


async def test_the_place_is_let_go_of_when_the_caller_gives_up_or_somebody_else_answers(outside: Outside) -> None:
    call, mobile = incoming(), MeetingCall({})
    serving = begun(outside, call)
    outside.answers.set_result(mobile)
    await mobile.hears("take_call")
    call.hangs_up()
    await asyncio.wait_for(serving, 30)
    assert mobile.is_over


async def test_what_still_rings_stops_when_the_caller_gives_up(outside: Outside) -> None:
    call = incoming()
    serving = begun(outside, call)
    await eventually_async(lambda: bool(outside.rung))
    call.hangs_up()
    await asyncio.wait_for(serving, 30)
    assert outside.answers.cancelled()


async def test_a_place_that_is_not_reached_leaves_the_call_to_the_others(outside: Outside) -> None:
    call = incoming()
    serving = begun(outside, call)
    outside.answers.set_exception(NotReached(486))
    await asyncio.wait_for(serving, 30)
    assert not call.is_answered


@pytest.mark.parametrize("language", LANGUAGES.names)
async def test_who_calls_anonymously_is_announced_without_a_number_in_every_language(
    outside: Outside, language: str
) -> None:
    call, mobile = incoming("anonymous"), MeetingCall({})
    serving = begun(outside, call, language)
    outside.answers.set_result(mobile)
    await mobile.hears("take_call")
    assert mobile.said[:2] == ["call_for_you", "take_call"]
    for phrase in ("call_from", "call_for_you", "take_call"):
        assert all(prompt.path.is_file() for prompt in LANGUAGES.speech(language).phrase(phrase))
    call.hangs_up()
    await asyncio.wait_for(serving, 30)
