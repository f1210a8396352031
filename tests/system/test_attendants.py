"""Auto attendants at a whole edge whose cloud is away, with real phones that listen and press keys."""

import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest

from cloud.pbx.default_dial_plan import default_dial_plan
from contract.snapshot import (
    Attendant,
    AttendantMenu,
    Blob,
    During,
    Line,
    MenuByTime,
    MenuKey,
    Patience,
    Schedule,
    Site,
    Snapshot,
    SpokenGreeting,
    ToDestination,
    ToExtension,
    ToMenu,
    ToName,
    ToOperator,
    UploadedGreeting,
    User,
    WorkingHours,
)
from contract.values import Digest
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import DOMAIN, PeerSite
from tests.support.phones.talking import hear
from tests.support.waiting import eventually

NUMBERS: Final = ("200", "201", "202")
NAMES: Final = {"200": "Carla Caller", "201": "Bernd Berg", "202": "Olga Operator"}
SITE_ID: Final = "6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"
TONES: Final[dict[Digest, int]] = {"a" * 64: 500, "b" * 64: 700, "c" * 64: 900}
"""What uploaded greetings sound like: the first menu, the second, and that of after hours; in hertz."""
WELCOME, SALES, CLOSED = (UploadedGreeting(digest=digest) for digest in TONES)

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(180)]

MAIN: Final = AttendantMenu(
    menu_id="main",
    name="Main",
    greeting=WELCOME,
    keys=(
        MenuKey(key="1", action=ToMenu(menu_id="sales")),
        MenuKey(key="4", action=ToExtension()),
        MenuKey(key="5", action=ToName()),
    ),
    direct_extensions=True,
    first_key_seconds=2,
    next_key_seconds=2,
    no_input=Patience(times=1, then=ToOperator()),
    invalid=Patience(times=1, then=ToOperator()),
)
MENUS: Final = (
    MAIN,
    AttendantMenu(
        menu_id="sales",
        name="Sales",
        greeting=SALES,
        keys=(MenuKey(key="1", action=ToDestination(destination="201")),),
    ),
    AttendantMenu(menu_id="closed", name="Closed", greeting=CLOSED, first_key_seconds=1),
)
ALWAYS: Final = Schedule(schedule_id="always", name="Always", hours=(WorkingHours(days=(1, 2, 3, 4, 5, 6, 7)),))
NEVER: Final = Schedule(schedule_id="never", name="Never")


def attendant(extension: str, schedule: str, **changes: Any) -> Attendant:
    after_hours = MenuByTime(during=During(schedule_id=schedule, periods=("after_hours",)), menu_id="closed")
    values: dict[str, Any] = {"menus": MENUS, "first_menu": "main", "operator": "202", "by_time": (after_hours,)}
    return Attendant(service_id=f"att-{extension}", name=extension, extension=extension, **(values | changes))


def snapshot() -> Snapshot:
    """400 is open, 401 is closed; 402 speaks a text."""
    said = MAIN.model_copy(update={"greeting": SpokenGreeting(text="Welcome to the café on the square.")})
    services = (
        attendant("400", "always"),
        attendant("401", "never"),
        attendant("402", "always", menus=(said, *MENUS[1:])),
    )
    plan = default_dial_plan(UUID(SITE_ID))
    return Snapshot(
        version=1,
        site=Site(site_id=SITE_ID, tenant_id="tenant-1", name="Attendants", domain=DOMAIN, realm="realm-1"),
        users=tuple(User(user_id=f"user-{n}", username=n, display_name=NAMES[n], extension=n) for n in NUMBERS),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in NUMBERS
        ),
        blobs=tuple(Blob(digest=digest, size_bytes=16_044, needed=True) for digest in TONES),
        dial_plan=plan.model_copy(update={"schedules": (ALWAYS, NEVER), "voice_services": services}),
    )


def tone_file(path: Path, hz: int) -> None:
    """One second of it."""
    sound = (9000 * np.sin(2 * np.pi * hz * np.arange(8000) / 8000)).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(sound)


class Office:
    """A running edge whose greetings are on its disk, and phones."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        blobs = folder / "state" / "blobs"
        blobs.mkdir(parents=True)
        for digest, hz in TONES.items():
            tone_file(blobs / digest, hz)
        self.site = PeerSite(folder, NUMBERS, snapshot())
        stack.callback(self.site.stop)

    def phone(self, number: str) -> PjsuaPhone:
        """A real phone, registered."""
        phone = PjsuaPhone(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)
        self._stack.enter_context(phone).wait_for(Seen.REGISTERED)
        phone.forget()
        return phone


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def calls(caller: PjsuaPhone, number: str) -> None:
    """Call an attendant, and hear something of it."""
    caller.forget()
    caller.call(number)
    caller.wait_for(Seen.ANSWERED)
    caller.wait_for(Seen.HEARD)


def is_connected(caller: PjsuaPhone, callee: PjsuaPhone) -> None:
    """The attendant has sent the caller on to the callee, who answers; both hear each other, and one hangs up."""
    callee.wait_for(Seen.INCOMING)
    callee.answer()
    callee.wait_for(Seen.ANSWERED)
    hear(callee)
    # The call to the attendant is over then, the other one lasts.
    caller.closed()
    callee.hang_up()
    callee.closed()
    caller.closed()


def heard_tones(phone: PjsuaPhone, call: int = 0) -> list[int]:
    """Which of the greetings were heard in a call up to now, in their order, each as often as it was."""
    files = phone.heard()
    content = files[call].read_bytes() if len(files) > call else b""
    if len(content) < 44:
        return []
    rate = int.from_bytes(content[24:28], "little")
    sound = np.frombuffer(content[44 : len(content) // 2 * 2], dtype="<i2").astype(np.float64)
    found = [loudest(sound[at : at + rate // 4], rate) for at in range(0, len(sound) - rate // 4, rate // 4)]
    return [hz for at, hz in enumerate(found) if hz and (at == 0 or found[at - 1] != hz)]


def loudest(piece: npt.NDArray[np.float64], rate: int) -> int:
    """The greeting that this is a piece of; 0: none."""
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    frequencies = np.fft.rfftfreq(len(piece), 1 / rate)
    for hz in TONES.values():
        if np.abs(piece).max() > 1000 and spectrum[np.abs(frequencies - hz) < 15].sum() > 0.9 * spectrum.sum():
            return hz
    return 0


def test_a_caller_hears_the_greeting_and_reaches_somebody_through_two_menus(office: Office) -> None:
    caller, callee = office.phone("200"), office.phone("201")
    calls(caller, "400")
    eventually(lambda: 500 in heard_tones(caller), what="the first menu is heard")
    caller.press("1")
    eventually(lambda: 700 in heard_tones(caller), what="the second menu is heard")
    caller.press("1")
    is_connected(caller, callee)
    assert heard_tones(caller) == [500, 700]


def test_an_extension_is_dialled_into_the_menu_also_after_the_edge_was_killed(office: Office) -> None:
    caller, callee = office.phone("200"), office.phone("201")
    calls(caller, "400")
    caller.press("201")
    is_connected(caller, callee)
    office.site.restart()
    calls(caller, "400")
    caller.press("201")
    is_connected(caller, callee)


def test_a_name_is_spelled_on_the_keys_and_chosen(office: Office) -> None:
    caller, callee = office.phone("200"), office.phone("201")
    calls(caller, "400")
    caller.press("5")
    caller.press("2374#")
    caller.press("1")
    is_connected(caller, callee)


def test_who_presses_nothing_comes_to_the_operator(office: Office) -> None:
    caller, operator = office.phone("200"), office.phone("202")
    calls(caller, "400")
    is_connected(caller, operator)
    assert heard_tones(caller) == [500, 500], "the greeting was said twice"


def test_who_presses_what_is_nothing_comes_to_the_operator(office: Office) -> None:
    caller, operator = office.phone("200"), office.phone("202")
    calls(caller, "400")
    caller.press("9")
    caller.press("8")
    is_connected(caller, operator)


def test_after_hours_the_closed_menu_is_heard_and_ends_the_call(office: Office) -> None:
    caller = office.phone("200")
    calls(caller, "401")
    caller.closed(60)
    assert heard_tones(caller) == [900, 900, 900]


def test_who_is_not_reached_is_said_and_the_menu_is_heard_again(office: Office) -> None:
    caller, callee = office.phone("200"), office.phone("201")
    calls(caller, "400")
    caller.press("201")
    callee.wait_for(Seen.INCOMING)
    callee.decline()
    operator = office.phone("202")
    # The menu is heard again, and as nothing more is pressed, it ends at the operator.
    is_connected(caller, operator)
    assert heard_tones(caller).count(500) >= 2


@pytest.mark.peer("espeak-ng")
def test_a_text_is_spoken_by_the_edge_itself(office: Office) -> None:
    caller, callee = office.phone("200"), office.phone("201")
    calls(caller, "402")
    spoken_there = office.site.state_dir / "attendants" / "spoken"
    eventually(lambda: len(list(spoken_there.glob("*.wav"))) == 1, what="the text is spoken")
    caller.press("201")
    is_connected(caller, callee)
