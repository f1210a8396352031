"""Voicemail at a whole edge, its cloud reached or cut, with a real phone that speaks, listens and presses keys."""

import json
import os
import signal
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.reachable_cloud import ReachableCloud
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually

NUMBERS: Final = ("200", "201")
PHONE_HZ: Final = 440
"""What the phone says all the time."""

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(240)]


class Office:
    """A running edge and phones."""

    def __init__(self, folder: Path, stack: ExitStack, cloud: str) -> None:
        self._stack = stack
        made = ReachableCloud(folder / "cloud", voice_office(NUMBERS), cloud)
        stack.callback(made.close)
        self.site = PeerSite(folder, NUMBERS, voice_office(NUMBERS), made)
        stack.callback(self.site.stop)
        made.is_known_to(self.site.edge)

    def phone(self, number: str) -> PjsuaPhone:
        """A real phone, registered."""
        phone = PjsuaPhone(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)
        self._stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def mailbox(self, number: str) -> Path:
        return self.site.state_dir / "mailboxes" / f"user-{number}"

    def messages(self, number: str) -> list[dict[str, Any]]:
        """What is on the edge's disk."""
        return [json.loads(one.read_text()) for one in sorted(self.mailbox(number).glob("*.json"))]

    def recorded_seconds(self, number: str) -> float:
        """How much of a message that is being left is on the disk."""
        return sum((one.stat().st_size - 44) / 16_000 for one in self.mailbox(number).glob("*.wav"))


@pytest.fixture
def office(tmp_path: Path, cloud: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, cloud)


def samples(path: Path) -> npt.NDArray[np.float64]:
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() in (8000, 16000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)


def share_of_tone(sound: npt.NDArray[np.float64], rate: int = 8000) -> float:
    """How much of the energy of a sound is the phone's tone; 0 of silence."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate)
    whole = spectrum.sum()
    return float(spectrum[np.abs(frequencies - PHONE_HZ) < 8].sum() / whole) if whole else 0.0


def rate_of(path: Path) -> int:
    with wave.open(str(path), "rb") as file:
        return file.getframerate()


def is_whole(path: Path) -> bool:
    """Whether its head says how long it is; pjsua writes that when the call is over."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() > 0
    except (wave.Error, EOFError):
        return False


def leave_a_message(office: Office, caller: PjsuaPhone, seconds: float) -> None:
    """Call somebody who is not there, skip the greeting, and speak."""
    caller.forget()
    caller.call("201")
    caller.wait_for(Seen.ANSWERED)
    caller.wait_for(Seen.HEARD)
    caller.press("#")
    eventually(lambda: office.recorded_seconds("201") >= seconds, within=20, what="the message is being recorded")


def test_a_message_is_left_lights_the_lamp_and_is_heard_and_deleted_by_keys(office: Office) -> None:
    caller = office.phone("200")
    leave_a_message(office, caller, 3.0)
    caller.hang_up()
    caller.closed()
    eventually(lambda: len(office.messages("201")) == 1, what="the message is kept")
    (message,) = office.messages("201")
    assert message["duration_seconds"] >= 3.0
    assert message["caller"] == {"number": "200", "name": "", "user_id": "user-200"}
    # What was said is what is on the disk: the phone's tone, and hardly anything else.
    (audio,) = office.mailbox("201").glob("*.wav")
    assert share_of_tone(samples(audio)) > 0.95

    owner = office.phone("201")
    eventually(lambda: owner.wait_for(Seen.LAMP).detail == "on", what="the lamp is lit")
    owner.call("*97")
    owner.wait_for(Seen.ANSWERED)
    owner.wait_for(Seen.HEARD)
    owner.press("1")
    eventually(lambda: office.messages("201")[0]["heard"], within=30, what="the message was played")
    owner.press("4")
    eventually(lambda: office.messages("201")[0]["folder"] == "deleted", within=20, what="it is deleted")
    owner.hang_up()
    owner.closed()
    # In what the owner heard, the tone stands out for as long as the message is.
    heard = owner.heard()[-1]
    eventually(lambda: is_whole(heard), within=20, what="the phone has written all that it heard")
    rate, sound = rate_of(heard), samples(heard)
    seconds = [
        share_of_tone(sound[at : at + rate], rate)
        for at in range(0, len(sound) - rate, rate // 2)
        if np.abs(sound[at : at + rate]).max() > 1000
    ]
    assert sum(share > 0.9 for share in seconds) >= 4, seconds
    eventually(lambda: owner.wait_for(Seen.LAMP).detail == "off", what="the lamp is out")


@pytest.mark.parametrize("cloud", ["cut"])
def test_what_was_said_before_the_media_process_was_killed_is_a_message(office: Office) -> None:
    caller = office.phone("200")
    leave_a_message(office, caller, 3.0)
    status = office.site.edge.status()
    (media,) = (one for one in status["processes"] if one["name"] == "media")
    os.kill(media["pid"], signal.SIGKILL)
    eventually(lambda: len(office.messages("201")) == 1, within=20, what="the message is recovered")
    (message,) = office.messages("201")
    assert message["duration_seconds"] >= 3.0
    caller.closed()
    # And the next call is answered by the new process.
    caller.forget()
    caller.call("*98201")
    caller.wait_for(Seen.ANSWERED)
    caller.wait_for(Seen.HEARD)
    caller.hang_up()
    caller.closed()
