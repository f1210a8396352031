"""Call park at a whole edge whose cloud is away, with real phones: parked, heard, taken up, brought back."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from contract.snapshot import Park, Snapshot
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.phones.talking import connect, hear
from tests.support.raw_sip import RawPhone
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.system.test_voicemail import share_of_tone

NUMBERS: Final = ("200", "201", "202")
PARK: Final = Park(service_id="park", name="Reception", extension="700", orbits=("701", "702"))

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(180)]


def snapshot(**more: Any) -> Snapshot:
    """The dial plan that every site begins with, and two orbits."""
    return voice_office(NUMBERS, (PARK.model_copy(update=more),), permissions=())


class Office:
    """A running edge, somebody at 200 who parks, a caller at 201 and a colleague at 202."""

    def __init__(self, folder: Path, stack: ExitStack, **more: Any) -> None:
        self.site = PeerSite(folder, NUMBERS, snapshot(**more))
        stack.callback(self.site.stop)
        self.parker, self.caller, self.colleague = (stack.enter_context(self._phone(n)) for n in NUMBERS)
        for phone in (self.parker, self.caller, self.colleague):
            phone.wait_for(Seen.REGISTERED)

    def _phone(self, number: str) -> PjsuaPhone:
        return PjsuaPhone(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)

    def park(self, number: str) -> None:
        """The caller is in a call with the parker, who sends him there."""
        connect(self.caller, self.parker)
        hear(self.caller, self.parker)
        self.caller.forget()
        self.parker.transfer(number)
        self.parker.closed()
        self.caller.wait_for(Seen.ANSWERED)
        self.caller.wait_for(Seen.HEARD)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


class OrbitKey(RawPhone):
    """A phone with a key whose lamp shows an orbit (RFC 4235)."""

    def watch(self, orbit: str) -> int:
        """Subscribe; the status of the answer."""
        headers = "Event: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: 600\r\n"
        return self._authenticated("SUBSCRIBE", f"sip:{orbit}@{self.domain}", orbit, headers).status

    def lamp(self) -> str:
        """The state of the orbit's call in the next document; empty: it has none."""
        while True:
            told = self.receive()
            if not told.text.startswith("NOTIFY "):
                continue
            kept = [line for line in told.text.split("\r\n") if re.match(r"(?i)(via|from|to|call-id|cseq):", line)]
            self.send("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]))
            found = re.search(r"<state>(\w+)</state>", told.text)
            return found[1] if found else ""


def sound_of(file: Path) -> npt.NDArray[np.float64]:
    """What a recording that may still be written has, 16,000 samples a second; its header comes last."""
    data = file.read_bytes()[44:]
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.float64)


def hears_music(phone: PjsuaPhone) -> bool:
    """Whether its last two seconds are loud and no phone's tone."""
    last = sound_of(phone.heard()[-1])[-32_000:] if phone.heard() else np.zeros(0)
    return len(last) == 32_000 and np.sqrt(np.mean(last**2)) > 300 and share_of_tone(last, 16_000) < 0.5


def hears_a_phone(phone: PjsuaPhone) -> bool:
    """Whether its last second is another phone's tone."""
    last = sound_of(phone.heard()[-1])[-16_000:] if phone.heard() else np.zeros(0)
    return len(last) == 16_000 and share_of_tone(last, 16_000) > 0.5


def talk_to_each_other(*phones: PjsuaPhone) -> None:
    for phone in phones:
        eventually(lambda phone=phone: hears_a_phone(phone), within=30, what=f"{phone.name} hears the other")  # type: ignore[misc]


@pytest.mark.parametrize(("parked", "taken"), [("701", "*4701"), ("700", "701")])
def test_a_call_that_is_transferred_to_an_orbit_hears_music_and_is_taken_up_at_another_phone(
    office: Office, parked: str, taken: str
) -> None:
    office.park(parked)
    eventually(lambda: hears_music(office.caller), within=30, what="music")
    office.colleague.call(taken)
    office.colleague.wait_for(Seen.ANSWERED)
    talk_to_each_other(office.colleague, office.caller)
    office.colleague.hang_up()
    office.caller.closed()


def test_the_lamp_of_an_orbit_is_lit_while_somebody_waits_there(office: Office) -> None:
    key = OrbitKey(
        ("127.0.0.1", office.site.ports["sip_udp"]), "202", "auth202", office.site.account("202", "udp").password
    )
    key.timeout = 20
    with key:
        key._socket.settimeout(20)
        assert key.watch("701") == 200
        assert key.lamp() == ""
        office.park("701")
        assert key.lamp() == "confirmed"
        office.colleague.call("701")
        office.colleague.wait_for(Seen.ANSWERED)
        assert key.lamp() == "terminated"
        assert key.watch("799") == 404


def test_who_parks_may_first_hear_which_orbit_it_is_and_then_leave_the_caller_there(office: Office) -> None:
    connect(office.caller, office.parker)
    hear(office.caller, office.parker)
    office.parker.call("700")
    office.parker.wait_for(Seen.ANSWERED)
    office.parker.wait_for(Seen.HEARD)
    office.parker.join()
    for _ in range(2):
        office.parker.closed()
    eventually(lambda: hears_music(office.caller), within=30, what="music")
    office.colleague.call("*4701")
    office.colleague.wait_for(Seen.ANSWERED)
    talk_to_each_other(office.colleague, office.caller)


def test_a_call_that_nobody_takes_up_rings_whoever_parked_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack, timeout_seconds=10, ring_seconds=20)
        office.park("702")
        office.parker.wait_for(Seen.INCOMING, 30)
        assert "702: Desk 201" in office.parker.said() or "702: 201" in office.parker.said()
        office.parker.answer()
        office.parker.wait_for(Seen.ANSWERED)
        talk_to_each_other(office.parker, office.caller)
        office.caller.hang_up()
        office.parker.closed()


def test_an_orbit_is_free_again_once_its_caller_hung_up_and_a_taken_one_takes_nobody_else(office: Office) -> None:
    office.park("701")
    office.colleague.call("200")
    office.parker.wait_for(Seen.INCOMING)
    office.parker.answer()
    office.colleague.wait_for(Seen.ANSWERED)
    office.parker.forget()
    office.parker.transfer("701")
    office.parker.hang_up()
    office.colleague.closed()
    office.caller.hang_up()
    office.caller.closed()
    office.park("701")
    eventually(lambda: hears_music(office.caller), within=30, what="music")
