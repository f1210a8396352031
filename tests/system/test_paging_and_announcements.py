"""Paging groups and announcements at a whole edge whose cloud is away, with real phones."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from contract.snapshot import AnnouncementService, Paging, StandardGreeting
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.waiting import eventually
from tests.system.test_call_park import NUMBERS, hears_a_phone, snapshot, sound_of

BEEP_HZ: Final = 1000
SERVICES: Final = (
    Paging(service_id="page", name="Hall", extension="750", members=("user-201", "user-202", "user-200")),
    AnnouncementService(
        service_id="closed", name="Closed", extension="760", says=StandardGreeting(phrase="closed"), times=2
    ),
    AnnouncementService(
        service_id="on", name="On", extension="761", says=StandardGreeting(phrase="closed"), then="202"
    ),
)

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(180)]


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[list[PjsuaPhone]]:
    before = snapshot()
    plan = before.dial_plan.model_copy(update={"voice_services": SERVICES})
    with ExitStack() as stack:
        site = PeerSite(tmp_path, NUMBERS, before.model_copy(update={"dial_plan": plan}))
        stack.callback(site.stop)
        found = [
            stack.enter_context(PjsuaPhone(f"phone-{n}", site.account(n, "udp"), site.surroundings)) for n in NUMBERS
        ]
        for phone in found:
            phone.wait_for(Seen.REGISTERED)
        yield found


def heard_beep(phone: PjsuaPhone) -> bool:
    """Whether a tone of the beep's pitch is anywhere in what it heard."""
    sound = sound_of(phone.heard()[-1])
    for at in range(0, len(sound) - 3200, 1600):
        part = sound[at : at + 3200]
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        at_beep = power[BEEP_HZ // 5 - 3 : BEEP_HZ // 5 + 4].sum()
        if np.sqrt(np.mean(part**2)) > 300 and at_beep > 0.05 * power.sum():  # whoever pages speaks meanwhile
            return True
    return False


def test_a_page_is_heard_by_all_members_after_a_beep_and_by_nobody_else(phones: list[PjsuaPhone]) -> None:
    caller, *members = phones
    caller.call("750")
    for phone in (*members, caller):
        phone.wait_for(Seen.ANSWERED)
    for phone in members:
        eventually(lambda phone=phone: hears_a_phone(phone), within=30, what=f"{phone.name} hears the page")  # type: ignore[misc]
        assert heard_beep(phone)
    assert not hears_a_phone(caller), "members are not heard"
    caller.hang_up()
    for phone in members:
        phone.closed()


def test_a_page_disturbs_nobody_in_a_call_and_is_declined_when_nobody_is_left(phones: list[PjsuaPhone]) -> None:
    caller, one, other = phones
    one.call("202")
    other.wait_for(Seen.INCOMING)
    other.answer()
    one.wait_for(Seen.ANSWERED)
    caller.call("750")
    caller.wait_for(Seen.ANSWERED)
    caller.closed()
    one.hang_up()
    other.wait_for(Seen.ANSWERED)
    other.closed()


def test_an_announcement_is_said_twice_and_then_the_call_ends(phones: list[PjsuaPhone]) -> None:
    caller = phones[0]
    caller.call("760")
    caller.wait_for(Seen.ANSWERED)
    caller.closed(60)
    sound = sound_of(caller.heard()[-1])
    half = len(sound) // 2
    for part in (sound[:half], sound[half:]):
        assert np.sqrt(np.mean(part**2)) > 200


def test_an_announcement_leads_on_to_somebody(phones: list[PjsuaPhone]) -> None:
    caller, _, callee = phones
    caller.call("761")
    caller.wait_for(Seen.ANSWERED)
    callee.wait_for(Seen.INCOMING, 60)
    callee.answer()
    callee.wait_for(Seen.ANSWERED)
    eventually(lambda: hears_a_phone(callee), within=30, what="the callee hears the caller")
