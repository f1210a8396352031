"""Conferences at a whole edge whose cloud is away: real phones, each with its own tone, press keys and are heard."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from contract.conference_state import MODERATOR_PIN, PIN
from contract.pin import hashed
from contract.snapshot import Conference, Snapshot, UserConferences
from edge_agent.clock import SystemClock
from edge_agent.processes.conferences import open_conference_recordings
from edge_agent.sync.state_store import StateStore
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import ENGINE
from tests.support.phones.phone import NotSeen, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.system.test_call_park import hears_music
from tests.system.test_voicemail import rate_of, samples

TONES: Final = {"200": 460, "201": 700, "202": 1040, "203": 1500}
"""Who says what, in hertz."""
PHONE_RATE: Final = 16_000
HEAD: Final = 44
SALT: Final = "0" * 32

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(180)]


def snapshot() -> Snapshot:
    rooms = (
        Conference(service_id="team", name="Team", extension="800", owner="user-200", music_alone=False),
        Conference(service_id="board", name="Board", extension="801", asks_pin=True, waits_for_moderator=True),
        Conference(service_id="lounge", name="Lounge", extension="802", announced="nothing"),
        UserConferences(service_id="mine", name="Rooms", extension="7", music_alone=False, announced="names"),
    )
    return voice_office(TONES, rooms, permissions=())


class Office:
    """A running edge and phones."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        (folder / "state").mkdir()
        with_pins(folder / "state", "board", member="2580", moderator="9731")
        self.site = PeerSite(folder, TONES, snapshot())
        stack.callback(self.site.stop)

    def phone(self, number: str) -> "Phone":
        """A real phone, registered."""
        phone = Phone(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)
        phone.tone_hz = TONES[number]
        self._stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def recordings(self) -> list[Path]:
        """Those that have ended, as they are heard."""
        kept = open_conference_recordings(self.site.state_dir, SystemClock(), SystemTokens(), tidy=False)
        files = []
        for one in kept.all():
            files.append(self.site.state_dir / "conferences" / f"{one.recording_id}.heard")
            files[-1].write_bytes(b"".join(kept.wav(one.recording_id)))
        return files

    def calls(self) -> int:
        """Those of the voice services that are up."""
        (media,) = (process for process in self.site.edge.status()["processes"] if process["name"] == "media")
        return int(media["figures"].get("calls", 0))

    def being_recorded(self) -> float:
        """Seconds on the disk of a recording that goes on."""
        files = (self.site.state_dir / "conferences").glob("*.draft")
        sounds = (file.with_suffix(".wav") for file in files)
        return sum((sound.stat().st_size - HEAD) / _bytes_a_second(sound) for sound in sounds if sound.exists())


def with_pins(state_dir: Path, room: str, member: str, moderator: str) -> None:
    """What the cloud sent when it was there."""
    store = StateStore.open(state_dir / "state.db", "cloud", SystemClock())
    store.write(f"{PIN}/{room}", hashed(member, SALT))
    store.write(f"{MODERATOR_PIN}/{room}", hashed(moderator, SALT))
    store.close()


def _bytes_a_second(sound: Path) -> int:
    """What the head of a WAV file says, which may not be there yet."""
    head = sound.read_bytes()[:HEAD]
    return int.from_bytes(head[28:32], "little") if len(head) == HEAD else 16_000


class Phone(PjsuaPhone):
    """A phone that knows what it hears while the call lasts."""

    def dials(self, number: str) -> None:
        """Call, and wait until something is heard."""
        self.forget()
        self.call(number)
        self.wait_for(Seen.ANSWERED)
        self.wait_for(Seen.HEARD)

    def hears(self, seconds: float = 0.6) -> set[str]:
        """Whose tones are in what was heard last."""
        files = self.heard()
        if not files:
            return set()
        count = int(seconds * PHONE_RATE)
        data = files[-1].read_bytes()[HEAD:]
        sound = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")[-count:].astype(np.float64)
        return tones_in(sound, PHONE_RATE) if len(sound) == count else set()

    def hears_just(self, *numbers: str) -> None:
        """Until these phones, and no others, are heard."""
        eventually(
            lambda: self.hears() == set(numbers), within=30, what=f"{self.name} hears {numbers}, not {self.hears()}"
        )


def tones_in(sound: npt.NDArray[np.float64], rate: int) -> set[str]:
    """Whose tones are in a sound: each stands out of what is between them."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) / len(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate)
    return {number for number, hertz in TONES.items() if spectrum[np.abs(frequencies - hertz) < 12].max() > 150}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def test_three_phones_hear_each_other_mute_are_recorded_locked_removed_and_sent_away_by_keys(office: Office) -> None:
    owner, one, two, late = (office.phone(number) for number in TONES)
    for phone in (owner, one, two):
        phone.dials("800")
    owner.hears_just("201", "202")
    one.hears_just("200", "202")
    two.hears_just("200", "201")

    one.press("*1")
    owner.hears_just("202")
    two.hears_just("200")
    one.press("*1")
    owner.hears_just("201", "202")

    owner.press("*3")
    eventually(lambda: office.being_recorded() >= 6, within=40, what="six seconds are recorded")
    owner.press("*3")
    eventually(lambda: len(office.recordings()) == 1, what="the recording is kept")
    (file,) = office.recordings()
    about = json.loads(file.with_suffix(".json").read_text())
    assert (about["room_id"], about["name"], about["seconds"] >= 6) == ("team", "Team", True)
    assert tones_in(samples(file)[-2 * rate_of(file) :], rate_of(file)) == {"200", "201", "202"}

    owner.press("*5")
    eventually(lambda: _is_refused(late, "800"), within=60, what="the conference is locked")
    owner.press("**")
    two.closed()
    owner.hears_just("201")
    owner.press("*#")
    one.closed()
    owner.closed()


def test_a_pin_is_pressed_a_wrong_one_is_refused_and_all_wait_for_the_moderator(office: Office) -> None:
    member, moderator, stranger = (office.phone(number) for number in ("200", "201", "202"))
    member.dials("801")
    member.press("2580#")
    stranger.dials("801")
    for _ in range(3):
        stranger.press("1111#")
    stranger.closed(within=60)
    moderator.dials("801")
    moderator.press("9731#")
    member.hears_just("201")
    moderator.hears_just("200")
    moderator.hang_up()
    moderator.closed()
    member.hang_up()
    member.closed()


def test_the_room_of_a_user_is_reached_behind_its_prefix_and_names_are_heard(office: Office) -> None:
    owner, guest = office.phone("200"), office.phone("201")
    for phone in (owner, guest):
        phone.dials("7200")
    owner.hears_just("201")
    guest.hears_just("200")


def test_what_was_recorded_before_the_media_process_was_killed_is_kept(office: Office) -> None:
    owner, one = office.phone("200"), office.phone("201")
    for phone in (owner, one):
        phone.dials("800")
    owner.hears_just("201")
    owner.press("*3")
    eventually(lambda: office.being_recorded() >= 4, within=40, what="four seconds are recorded")
    status = office.site.edge.status()
    (media,) = (process for process in status["processes"] if process["name"] == "media")
    os.kill(media["pid"], signal.SIGKILL)
    eventually(lambda: len(office.recordings()) == 1, within=30, what="the recording is kept")
    (file,) = office.recordings()
    assert len(samples(file)) >= 4 * rate_of(file)
    assert tones_in(samples(file)[-rate_of(file) :], rate_of(file)) == {"200", "201"}
    # And the next conference is in the new process: the embedded engine's calls are over, FreeSWITCH's brought there.
    if ENGINE != "freeswitch":
        for phone in (owner, one):
            phone.closed()
        for phone in (owner, one):
            phone.dials("800")
    eventually(lambda: office.calls() == 2, within=40, what="both are in the new process")
    one.hears_just("200")


def _is_refused(phone: Phone, number: str) -> bool:
    """Whether a call is answered, told why it cannot be, and ended; one quicker than the lock is taken back."""
    phone.forget()
    phone.call(number)
    phone.wait_for(Seen.ANSWERED)
    try:
        phone.closed(within=8)
    except NotSeen:
        phone.hang_up()
        phone.closed()
        return False
    return True


def test_a_room_whose_only_caller_went_while_hearing_music_is_there_for_the_next(office: Office) -> None:
    phone = office.phone("200")
    for _ in range(2):
        phone.dials("802")
        eventually(lambda: hears_music(phone), within=30, what=f"{phone.name} hears music")
        phone.hang_up()
        phone.closed()
