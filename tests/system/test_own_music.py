"""Music of users, parks, orbits, conferences, queues and the site at an edge whose cloud is away, heard by phones."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from contract.snapshot import Blob, CallQueue, Conference, OrbitMusic, OwnMusic, Park, UserConferences
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.waiting import eventually
from tests.system.test_attendants import tone_file
from tests.system.test_call_park import NUMBERS, Office, hears_a_phone, snapshot, sound_of

USER_HZ, PARK_HZ, QUEUE_HZ, SITE_HZ, ORBIT_HZ, ROOM_HZ = 700, 900, 1100, 1300, 1500, 1700
MUSIC: Final = {
    hz: OwnMusic(digest=f"{hz:064x}", name=f"{hz}.wav")
    for hz in (USER_HZ, PARK_HZ, QUEUE_HZ, SITE_HZ, ORBIT_HZ, ROOM_HZ)
}
SERVICES: Final = (
    Park(
        service_id="park",
        name="Reception",
        extension="700",
        orbits=("701", "702"),
        music=MUSIC[PARK_HZ],
        orbit_music=(OrbitMusic(orbit="702", music=MUSIC[ORBIT_HZ]),),
    ),
    Conference(service_id="team", name="Team", extension="800", announced="nothing", music=MUSIC[ROOM_HZ]),
    UserConferences(service_id="own", name="Own room", extension="7", waits_for_moderator=True),
    Park(service_id="plain", name="Yard", extension="710", orbits=("711",)),
    CallQueue(
        service_id="q", name="Support", extension="600", waits_for_agents=True, welcome=False, music=MUSIC[QUEUE_HZ]
    ),
)

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(180)]


class MusicalOffice(Office):
    """A running edge whose user at 200 has own music; 201 and 202 hear that of the site."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        before = snapshot()
        users = tuple(
            one.model_copy(update={"music": MUSIC[USER_HZ]}) if one.username == "200" else one for one in before.users
        )
        plan = before.dial_plan.model_copy(update={"voice_services": SERVICES, "music": MUSIC[SITE_HZ]})
        blobs = tuple(Blob(digest=one.digest, size_bytes=16_044, needed=True) for one in MUSIC.values())
        there = folder / "state" / "blobs"
        there.mkdir(parents=True)
        for hz, one in MUSIC.items():
            tone_file(there / one.digest, hz)
        whole = before.model_copy(
            update={"dial_plan": plan, "users": users, "blobs": tuple(sorted(blobs, key=lambda blob: blob.digest))}
        )
        self.site = PeerSite(folder, NUMBERS, whole)
        stack.callback(self.site.stop)
        self.parker, self.caller, self.colleague = (stack.enter_context(self._phone(n)) for n in NUMBERS)
        for phone in (self.parker, self.caller, self.colleague):
            phone.wait_for(Seen.REGISTERED)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[MusicalOffice]:
    with ExitStack() as stack:
        yield MusicalOffice(tmp_path, stack)


def heard_hz(phone: PjsuaPhone) -> int:
    """The loudest tone of its last second, to 20 Hz; 0: silence, or nothing yet."""
    last = sound_of(phone.heard()[-1])[-16_000:] if phone.heard() else np.zeros(0)
    if len(last) < 16_000 or np.abs(last).max() < 500:
        return 0
    spectrum = np.abs(np.fft.rfft(last * np.hanning(len(last))))
    return round(float(spectrum.argmax()) / 20) * 20


def hears(phone: PjsuaPhone, hz: int) -> None:
    eventually(lambda: heard_hz(phone) == hz, within=30, what=f"{phone.name} hears {hz} Hz")


def listen(phone: PjsuaPhone, number: str, hz: int) -> None:
    phone.call(number)
    phone.wait_for(Seen.ANSWERED)
    hears(phone, hz)


def test_whoever_calls_the_music_hears_his_own_and_another_that_of_the_site(office: MusicalOffice) -> None:
    """As phones do on behalf of those whom they hold (RFC 7088)."""
    listen(office.parker, "*66", USER_HZ)
    listen(office.colleague, "*66", SITE_HZ)


def test_a_parked_caller_hears_the_music_of_the_orbit(office: MusicalOffice) -> None:
    office.park("701")
    hears(office.caller, PARK_HZ)


def test_a_caller_in_an_orbit_with_music_of_its_own_hears_that_and_not_the_parks(office: MusicalOffice) -> None:
    office.park("702")
    hears(office.caller, ORBIT_HZ)


def test_who_is_alone_in_a_room_hears_its_music_until_somebody_comes_and_again(office: MusicalOffice) -> None:
    listen(office.caller, "800", ROOM_HZ)
    office.colleague.call("800")
    office.colleague.wait_for(Seen.ANSWERED)
    eventually(lambda: hears_a_phone(office.caller), within=30, what="the colleague is heard, and no music")
    office.colleague.hang_up()
    hears(office.caller, ROOM_HZ)
    office.caller.hang_up()
    office.caller.closed()
    office.caller.forget()
    listen(office.caller, "800", ROOM_HZ)  # a room that its only caller left hearing music is there for the next


def test_who_waits_for_the_moderator_hears_the_music_of_the_rooms_owner(office: MusicalOffice) -> None:
    listen(office.caller, "7200", USER_HZ)


def test_a_caller_in_an_orbit_without_music_hears_that_of_whoever_parked_him(office: MusicalOffice) -> None:
    office.park("711")
    hears(office.caller, USER_HZ)


def test_callers_of_a_queue_hear_its_music(office: MusicalOffice) -> None:
    listen(office.caller, "600", QUEUE_HZ)
    listen(office.colleague, "600", QUEUE_HZ)
