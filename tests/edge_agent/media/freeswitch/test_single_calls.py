"""Applications with one call each on FreeSWITCH: recorded conversations are spoken again, its side word for word."""

from pathlib import Path

from contract.snapshot import AnnouncementService, StandardGreeting
from edge_agent.media.applications.announcement import Announcements
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.applications.music_on_hold import HoldMusic, MusicOnHold
from edge_agent.media.session import Application
from edge_agent.media.speech import Languages
from tests.edge_agent.media.applications.test_authorization import Gate
from tests.edge_agent.media.freeswitch.test_listener import freeswitch, listening, what
from tests.support import esl_recordings


async def spoken_again(name: str, recording: str, application: Application) -> list[str]:
    """Speak a recording again, and see that nothing else is asked.

    Args:
        name: what is dialled.

    Returns:
        What the application asked for, each in one line.
    """
    frames, asked = esl_recordings.frames(recording), list[str]()
    async with listening({name: application}) as (_, port), freeswitch(port) as peer:
        for frame in frames:
            if frame.from_freeswitch:
                peer.say(frame.data)
            else:
                command = await peer.command(frame.data)
                assert what(command) == what(frame.data)
                asked.append(command.decode().strip().replace("\n", " "))
        assert await peer.rest() == []
    return asked


async def test_an_announcement_is_said_twice_and_the_call_ended(tmp_path: Path) -> None:
    record = AnnouncementService(
        service_id="closed", name="Closed", extension="760", says=StandardGreeting(phrase="closed"), times=2
    )
    greetings = Greetings(tmp_path / "announcements", tmp_path / "blobs", Languages())
    announcements = Announcements(greetings, lambda: {"closed": record})
    asked = await spoken_again("announcement", "58-announcement", announcements)
    assert [one.endswith("phrase.attendant_closed.wav") for one in asked].count(True) == 2
    assert "hangup-cause: NORMAL_CLEARING" in asked[-1]


async def test_who_knows_a_code_is_sent_to_the_number_on_behalf_of_it() -> None:
    asked = await spoken_again("authorization", "59-authorization-code", Gate().application)
    assert "sip_h_X-Tandem-Proven=anna" in asked[-3]
    assert asked[-2].endswith("sip:0441234567@demo.tandem.test")


async def test_music_plays_until_its_listener_hangs_up() -> None:
    asked = await spoken_again("music", "60-music", MusicOnHold(HoldMusic()))
    assert asked[-1].endswith("/music.wav")
