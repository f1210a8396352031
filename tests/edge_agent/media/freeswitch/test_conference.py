"""Mixes on FreeSWITCH: its conference, with the recorded end of a caller's stay in it."""

import asyncio
from pathlib import Path

import pytest

from contract.snapshot import Conference as Room
from edge_agent.clock import SystemClock
from edge_agent.media.applications.conference import ConferenceConfig, ConferenceRooms
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.applications.music_on_hold import MUSIC, HoldMusic
from edge_agent.media.applications.tone import BEEP
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.freeswitch.conference import Conference, NotOnFreeSwitch, Questions
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.media.session import EndCause, Seat
from edge_agent.media.speech import Languages
from edge_agent.tokens import SystemTokens
from tests.edge_agent.media.freeswitch.test_listener import Scene, completion, frame_with, freeswitch, listening
from tests.support import esl_recordings
from tests.support.counted_tokens import CountedTokens
from tests.support.waiting import eventually_async


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


class Peer:
    """FreeSWITCH's answers, as they are recorded, to what is asked of a conference."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.questions = Questions(self._asked)
        frames = esl_recordings.frames("20-conference-3-party-inbound")
        bodies = [frame.data.decode().partition("\n\n")[2].strip() for frame in frames if frame.from_freeswitch]
        self.answers = {
            "recording start": next(body for body in bodies if body.startswith("+OK Record file")),
            "play": next(body for body in bodies if "Playing file" in body and "member" in body),
        }

    def _asked(self, command: bytes) -> None:
        line = command.decode().strip()
        self.asked.append(line.removeprefix("api "))
        found = next((answer for words, answer in self.answers.items() if f" {words} " in line), "3")
        asyncio.get_running_loop().call_soon(self.questions.answered, found)


async def test_loudness_recording_and_announcements_are_asked_of_a_conference() -> None:
    peer = Peer()
    conference = Conference("room1", Seat(), "id", peer.questions)
    conference.joining = asyncio.create_task(asyncio.Event().wait())
    await conference.take(Seat(gain_db=6.0, hears_db=-12.0))
    await conference.record(Path("/edge/one.wav"), 60.0)
    await conference.stop_recording(Path("/edge/one.wav"))
    await conference.play(BEEP)
    await conference.play_to_caller(BEEP)
    conference.joining.cancel()
    assert peer.asked == [
        "uuid_getvar id conference_member_id",
        "conference room1 volume_in 3 2",
        "conference room1 volume_out 3 -4",
        "conference room1 recording start /edge/one.wav",
        "conference room1 recording stop /edge/one.wav",
        f"conference room1 play {BEEP.path}",
        f"conference room1 play {BEEP.path} 3",
    ]


async def test_a_recording_that_freeswitch_refuses_failed() -> None:
    peer = Peer()
    peer.answers["recording start"] = "-ERR Conference room1 not found"
    with pytest.raises(RecordingFailed, match="not found"):
        await Conference("room1", Seat(), "id", peer.questions).record(Path("/edge/one.wav"), 60.0)


async def test_music_that_is_broken_off_is_stopped_at_freeswitch() -> None:
    peer = Peer()
    conference = Conference("room1", Seat(), "id", peer.questions)
    conference.joining = asyncio.create_task(asyncio.Event().wait())
    playing = asyncio.create_task(conference.play(MUSIC))
    await eventually_async(lambda: len(peer.asked) == 1)
    playing.cancel()
    await eventually_async(lambda: peer.asked[1:] == ["conference room1 stop all"])
    conference.joining.cancel()


async def test_nobody_waits_for_an_answer_after_the_end() -> None:
    peer = Peer()
    peer.questions.end()
    await asyncio.wait_for(Conference("room1", Seat(), "id", peer.questions).stop_recording(Path("/edge/one.wav")), 5)
    assert peer.asked == []


async def test_a_caller_is_in_a_conference_room_mutes_and_hears_of_it_and_goes(tmp_path: Path) -> None:
    clock, tokens = SystemClock(), SystemTokens()
    room = Room(service_id="team", name="Team", extension="2003", announced="nothing", music_alone=False)
    config = ConferenceConfig({"": room})
    recordings = Recordings(tmp_path / "conferences", bytes(32), clock, tokens)
    rooms = ConferenceRooms(recordings, Languages(), lambda: config, clock, tokens, HoldMusic())
    frames = esl_recordings.frames("20-conference-3-party-leg3")
    others = esl_recordings.frames("01-ivr-outbound-async-full")
    digit = frame_with(others, b"Event-Name: DTMF\n", b"DTMF-Digit: 1\n").data
    async with listening({"2003": rooms}) as (_, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(frames[1].data)
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.asked(frame_with(frames, b"execute-app-name: answer").data) == b"answer"
        peer.say(frame_with(frames, b"Event-Name: CHANNEL_EXECUTE_COMPLETE", b"Application: answer").data)
        alone = await peer.command(frame_with(others, b"execute-app-name: playback").data)
        assert b"phrase.conference_alone.wav" in alone
        peer.say(completion(others, b"playback", b"FILE%20PLAYED"))
        joined = await peer.command(frame_with(frames, b"execute-app-name: conference").data)
        assert b"execute-app-arg: room-team@default\n" in joined
        assert [one.number for one in rooms.live[0].parties] == ["1002"]
        assert rooms.live[0].speaking() is None
        peer.say(digit.replace(b"DTMF-Digit: 1\n", b"DTMF-Digit: *\n"))
        peer.say(digit)
        assert b"conference_member_id" in await peer.command()
        peer.say(answer(b"3"))
        assert await peer.command() == b"api conference room-team mute 3\n\n"
        peer.say(answer(b"+OK mute 3\n"))
        muted = await peer.command()
        assert muted.startswith(b"api conference room-team play ")
        assert muted.endswith(b"phrase.conference_muted.wav 3\n\n")
        peer.say(answer(b"+OK (play) Playing file to member 3\n"))
        await peer.rest()
        await eventually_async(lambda: rooms.live == ())


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
    [
        ("a b", Seat()),
        ("a\nb", Seat()),
        ("", Seat()),
        ("a", Seat(gain_db=3)),
        ("a", Seat(hears_db=3)),
        ("a", Seat(only_to=frozenset())),
    ],
)
async def test_what_freeswitch_cannot_is_said_by_name(name: str, seat: Seat) -> None:
    with pytest.raises(NotOnFreeSwitch):
        Conference(name, seat, "id", Questions(lambda _: None))
