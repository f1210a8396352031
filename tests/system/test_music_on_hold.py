"""Music on hold at a whole edge whose cloud is away, heard by a real phone."""

import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from contract.snapshot import Music
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.system.test_voicemail import NUMBERS, Office, rate_of, samples

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(120)]

LOWEST_NOTE_HZ, HIGHEST_NOTE_HZ = 174.0, 660.0


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, "cut")


def is_whole(file: Path) -> bool:
    """Whether a phone has written all of it; its head comes last, and in parts."""
    try:
        return len(samples(file)) > 0
    except (wave.Error, EOFError):
        return False


def test_a_phone_hears_the_music_by_its_code_for_as_long_as_it_likes(office: Office) -> None:
    phone = office.phone("200")
    phone.call("*66")
    phone.wait_for(Seen.ANSWERED)
    phone.wait_for(Seen.HEARD)

    def heard_seconds() -> float:
        files = phone.heard()
        return (files[-1].stat().st_size - 44) / 2 / 16_000 if files else 0.0

    eventually(lambda: heard_seconds() >= 4, within=30, what="four seconds were heard")
    phone.hang_up()
    phone.closed()
    file = phone.heard()[-1]
    # Its length is written at last.
    eventually(lambda: is_whole(file), what="the file is whole")
    rate, sound = rate_of(file), samples(file)
    loud = [
        sound[at : at + rate]
        for at in range(0, len(sound) - rate, rate)
        if np.sqrt(np.mean(sound[at : at + rate] ** 2)) > 300
    ]
    assert len(loud) >= 3
    for second in loud:
        spectrum = np.abs(np.fft.rfft(second * np.hanning(len(second)))) ** 2
        strongest = float(np.argmax(spectrum)) * rate / len(second)
        assert LOWEST_NOTE_HZ - 5 < strongest < HIGHEST_NOTE_HZ + 5


def test_a_service_has_a_number_of_its_own(tmp_path: Path) -> None:
    before = voice_office(NUMBERS)
    music = Music(service_id="music", name="Music", extension="400", aliases=("waiting",))
    plan = before.dial_plan.model_copy(update={"voice_services": (music,)})
    with ExitStack() as stack:
        site = PeerSite(tmp_path, NUMBERS, before.model_copy(update={"dial_plan": plan}))
        stack.callback(site.stop)
        phone = stack.enter_context(PjsuaPhone("phone-200", site.account("200", "udp"), site.surroundings))
        phone.wait_for(Seen.REGISTERED)
        phone.call("400")
        phone.wait_for(Seen.ANSWERED)
        phone.wait_for(Seen.HEARD)
