"""Phones and a browser that key their audio by DTLS, at a whole edge whose cloud is cut: voice services hear them and
are heard."""

import json
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from cloud.local.baresip import Baresip
from tests.support.heard_tone import heard_hz
from tests.support.phones.jssip import JssipPhone, phone_browser
from tests.support.phones.phone import Seen
from tests.support.phones.site import DOMAIN, PeerSite
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually

NUMBERS: Final = ("200", "201")
LEAST_ENERGY: Final = 1e-4
"""Of a second of quiet speech; silence has less than a hundredth of it."""

PHONE_HZ: Final = 700

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PeerSite]:
    made = PeerSite(tmp_path, NUMBERS, voice_office(NUMBERS))
    yield made
    made.stop()


@pytest.fixture
def phone(site: PeerSite) -> Iterator[JssipPhone]:
    with ExitStack() as stack:
        JssipPhone.browser = stack.enter_context(phone_browser())
        made = JssipPhone("browser-200", site.account("200", "wss"), site.surroundings)
        stack.enter_context(made).wait_for(Seen.REGISTERED)
        yield made


def call(phone: JssipPhone, number: str) -> None:
    """Call a voice service, and hear it."""
    phone.forget()
    phone.call(number)
    phone.wait_for(Seen.ANSWERED)
    phone.wait_for(Seen.HEARD)
    eventually(lambda: phone.energy() > LEAST_ENERGY, within=20, what=f"{number} is heard")


@pytest.mark.peer("chromium")
def test_a_browser_leaves_a_message_that_has_its_voice(site: PeerSite, phone: JssipPhone) -> None:
    mailbox = site.state_dir / "mailboxes" / "user-201"
    call(phone, "201")
    phone.press("#")
    recorded = 3 * 16_000 + 44
    eventually(
        lambda: any(one.stat().st_size > recorded for one in mailbox.glob("*.wav")),
        within=30,
        what="the message is being recorded",
    )
    phone.hang_up()
    phone.closed()
    eventually(lambda: len(list(mailbox.glob("*.json"))) == 1, what="the message is kept")
    (message,) = (json.loads(one.read_text()) for one in mailbox.glob("*.json"))
    assert message["caller"]["user_id"] == "user-200"
    (audio,) = mailbox.glob("*.wav")
    with wave.open(str(audio), "rb") as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
    assert float(np.sqrt(np.mean(sound**2))) > 300


@pytest.mark.peer("chromium")
def test_a_browser_hears_the_echo_test_is_held_and_goes_on(phone: JssipPhone) -> None:
    call(phone, "*99")
    phone.hold()
    phone.resume()
    before = phone.energy()
    eventually(lambda: phone.energy() > before + LEAST_ENERGY, within=20, what="the echo is heard after the hold")
    phone.hang_up()
    phone.closed()


@pytest.mark.peer("baresip")
def test_a_phone_hears_the_echo_test_say_its_own_tone(site: PeerSite, tmp_path: Path) -> None:
    account = site.account("201", "udp")
    with Baresip(tmp_path / "phone", account, PHONE_HZ, recording=True, encryption="dtls_srtp") as phone:
        phone.registered()
        phone.dial(f"sip:*99@{DOMAIN}")
        eventually(lambda: heard_hz(phone.folder) == PHONE_HZ, within=40, what="its own tone comes back")
        assert "verified sha-256 fingerprint OK" in phone.log()
        phone.hang_up()
