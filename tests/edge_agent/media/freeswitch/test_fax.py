"""Faxes on FreeSWITCH: recorded conversations of a real one with mod_spandsp are spoken again."""

import re
from pathlib import Path

from edge_agent.media.applications.fax import NOT_HERE
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.media.session import FaxReceived, MediaSession
from tests.edge_agent.media.freeswitch.test_listener import FreeSwitch, Scene, freeswitch, listening
from tests.support import esl_recordings
from tests.support.esl_recordings import Frame
from tests.support.waiting import eventually_async

PAGES = Path("/messages/fax.tif")


async def spoken_again(peer: FreeSwitch, frames: list[Frame]) -> None:
    """As `FreeSwitch.spoken_again`, where the agent wrote several commands at once."""
    for frame in frames:
        if frame.from_freeswitch:
            peer.say(frame.data)
            continue
        for asked in frame.data.split(b"\n\n"):
            if asked:
                await peer.asked(asked)


async def receive(session: MediaSession) -> FaxReceived:
    """Asks first, as the application does."""
    assert isinstance(session, FreeSwitchSession)
    assert await session.can_receive_fax()
    return await session.receive_fax(PAGES, "390", t38=False)


async def test_a_fax_is_answered_in_the_codecs_of_telephones_and_what_came_is_told() -> None:
    scene = Scene(receive)
    frames = esl_recordings.frames("40-fax-received")
    async with listening({"fax": scene}) as (_, port), freeswitch(port) as peer:
        await spoken_again(peer, frames)
        assert await peer.rest() == []
    assert scene.error is None
    sip_call_id = re.findall(rb"variable_sip_call_id: (\S+)", frames[1].data)[0].decode()
    assert scene.result == FaxReceived(True, "OK", "+49301234", sip_call_id)
    asked = b"".join(frame.data for frame in frames if not frame.from_freeswitch)
    assert re.findall(rb"execute-app-arg: (.*)\n", asked)[:4] == [
        b"absolute_codec_string=PCMU,PCMA",
        b"fax_enable_t38=false",
        b"fax_enable_t38_request=false",
        b"fax_ident=390",
    ]


async def test_what_came_of_a_fax_is_waited_for_when_its_call_ends_first() -> None:
    scene = Scene(receive)
    async with listening({"fax": scene}) as (_, port), freeswitch(port) as peer:
        await spoken_again(peer, esl_recordings.frames("41-fax-caller-gone"))
        assert await peer.rest() == []
    assert isinstance(scene.result, FaxReceived)
    assert not scene.result.complete
    assert scene.result.result == "The call dropped prematurely"
    assert scene.result.station == ""


async def test_a_connection_that_breaks_ends_a_fax_as_far_as_it_came() -> None:
    scene = Scene(receive)
    frames = esl_recordings.frames("40-fax-received")
    started = next(at for at, one in enumerate(frames) if b"execute-app-name: rxfax" in one.data)
    async with listening({"fax": scene}) as (_, port):
        async with freeswitch(port) as peer:
            await spoken_again(peer, frames[: started + 1])
        await eventually_async(lambda: scene.result is not None)
    assert isinstance(scene.result, FaxReceived)
    assert not scene.result.complete


async def test_freeswitch_without_the_module_is_known_by_its_answer_and_the_call_refused_with_a_warning() -> None:
    async def play(session: MediaSession) -> bool:
        assert isinstance(session, FreeSwitchSession)
        possible = await session.can_receive_fax()
        await session.refuse(*NOT_HERE)
        return possible

    scene = Scene(play)
    frames = esl_recordings.frames("40-fax-received")
    done = esl_recordings.frames("10-record-silence-dtmf-stop")
    set_asked = next(one.data for one in done if b"execute-app-arg: playback_terminators=#" in one.data)
    set_done = next(one.data for one in done if b"EXECUTE_COMPLETE" in one.data and b"\nApplication: set" in one.data)
    async with listening({"fax": scene}) as (_, port), freeswitch(port) as peer:
        assert await peer.asked() == b"connect"
        peer.say(frames[1].data)
        assert [await peer.asked() for _ in range(3)] == [b"linger", b"myevents", b"divert_events"]
        assert await peer.command() == b"api module_exists mod_spandsp\n\n"
        peer.say(b"Content-Type: api/response\nContent-Length: 5\n\nfalse")
        warned = await peer.command(set_asked)
        assert b'execute-app-arg: sip_rh_Warning=399 tandem "this site\'s engine cannot receive fax"\n' in warned
        peer.say(set_done)
        assert b"hangup-cause: INCOMPATIBLE_DESTINATION\n" in await peer.command()
        await peer.rest()
    assert scene.result is False
