"""Mixes on FreeSWITCH: its conference, with the recorded end of a caller's stay in it."""

import asyncio

import pytest

from edge_agent.media.freeswitch.conference import Conference, NotOnFreeSwitch, Questions
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.media.session import EndCause, Seat
from tests.edge_agent.media.freeswitch.test_listener import Scene, frame_with, freeswitch, listening
from tests.support import esl_recordings
from tests.support.counted_tokens import CountedTokens


def answer(text: bytes) -> bytes:
    return b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(text), text)


async def test_a_caller_joins_muted_speaks_and_leaves_with_the_call_up() -> None:
    seats: list[object] = []

    async def play(session: object) -> str:
        assert isinstance(session, FreeSwitchSession)
        await session.answer()
        await session.join("room1", Seat(muted=True))
        seats.append(await session.join("room1", Seat()))
        await session.leave()
        return "left"

    scene = Scene(play)
    frames = esl_recordings.frames("20-conference-3-party-leg3")
    async with listening({"2003": scene}) as (_, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(frames[1].data)
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.asked(frame_with(frames, b"execute-app-name: answer").data) == b"answer"
        peer.say(frame_with(frames, b"Event-Name: CHANNEL_EXECUTE_COMPLETE", b"Application: answer").data)
        asked = {await peer.asked(frame_with(frames, b"execute-app-name: conference").data), await peer.asked()}
        assert asked == {b"conference", b"api"}
        peer.say(answer(b"3"))
        assert await peer.asked() == b"api"
        peer.say(answer(b"+OK unmute 3\n"))
        assert await peer.asked() == b"api"
        peer.say(answer(b"+OK kicked 3\n"))
        peer.say(frame_with(frames, b"Event-Name: CHANNEL_EXECUTE_COMPLETE", b"Application: conference").data)
        assert await peer.asked() == b"hangup"
    assert scene.result == "left"


async def test_what_is_asked_of_a_conference() -> None:
    sent: list[bytes] = []
    questions = Questions(sent.append)
    conference = Conference("room1", Seat(muted=True, deaf=True), "id", questions)
    assert conference.argument == "room1@default+flags{mute|deaf}"
    taking = asyncio.create_task(conference.take(Seat()))
    for answered in ("7\n", "+OK", "+OK"):
        await asyncio.wait([taking], timeout=0.01)
        questions.answered(answered)
    await taking
    assert sent == [
        b"api uuid_getvar id conference_member_id\n\n",
        b"api conference room1 unmute 7\n\n",
        b"api conference room1 undeaf 7\n\n",
    ]


async def test_leaving_a_call_that_is_over_waits_for_nothing() -> None:
    session = FreeSwitchSession(lambda _: None, CountedTokens())
    await session.join("room1")
    leaving = asyncio.create_task(session.leave())
    await asyncio.wait([leaving], timeout=0.01)
    session.end(EndCause.LOCAL)
    await asyncio.wait_for(leaving, 5)
    assert await session.over() == EndCause.LOCAL


@pytest.mark.parametrize(
    ("name", "seat"),
    [("a b", Seat()), ("a\nb", Seat()), ("", Seat()), ("a", Seat(gain_db=3)), ("a", Seat(only_to=frozenset()))],
)
async def test_what_freeswitch_cannot_is_said_by_name(name: str, seat: Seat) -> None:
    with pytest.raises(NotOnFreeSwitch):
        Conference(name, seat, "id", Questions(lambda _: None))
