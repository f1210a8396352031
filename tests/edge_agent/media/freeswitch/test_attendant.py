"""An auto attendant on a call of FreeSWITCH: a recorded conversation is spoken again, its side word for word."""

from pathlib import Path

from contract.snapshot import Patience, ToOperator, UploadedGreeting
from edge_agent.media.applications.tone import BEEP
from edge_agent.media.session import MediaSession
from tests.edge_agent.media.applications.test_attendant import ATTENDANT, MAIN, Desk
from tests.edge_agent.media.freeswitch.test_listener import Scene, freeswitch, listening
from tests.support import esl_recordings

GREETING = UploadedGreeting(digest="a" * 64)


class Called:
    """The recorded attendant had another id than ours."""

    def __init__(self, session: MediaSession) -> None:
        self._session = session
        self.arguments = {"service": "front"}

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


async def test_a_caller_whom_a_transfer_does_not_lead_to_anybody_hears_so_and_the_menu_again(tmp_path: Path) -> None:
    menu = MAIN.model_copy(
        update={
            "greeting": GREETING,
            "keys": (),
            "direct_extensions": True,
            "first_key_seconds": 1,
            "next_key_seconds": 1,
            "no_input": Patience(times=1, then=ToOperator()),
        }
    )
    desk = Desk(tmp_path, ATTENDANT.model_copy(update={"menus": (menu, *ATTENDANT.menus[1:])}))
    (tmp_path / "blobs" / GREETING.digest).write_bytes(BEEP.path.read_bytes())

    async def play(session: MediaSession) -> None:
        await desk.application.run(Called(session))  # type: ignore[arg-type]

    scene = Scene(play)
    async with listening({"attendant": scene}) as (_, port), freeswitch(port) as peer:
        await peer.spoken_again(esl_recordings.frames("50-attendant-transfer-busy"))
        assert await peer.rest() == []
    asked = [one.decode() for one in esl_recordings.asked_by_agent("50-attendant-transfer-busy")]
    assert [one.rpartition(" ")[2].strip() for one in asked if "uuid_deflect" in one] == [
        "sip:201@demo.tandem.test",
        "sip:202@demo.tandem.test",
    ]
