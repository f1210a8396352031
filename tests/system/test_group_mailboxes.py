"""Group mailboxes and distribution lists at a whole edge whose cloud is away, with real phones that hear and press."""

import json
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from contract.snapshot import CallQueue, DistributionList, GroupMailbox, Snapshot, VoicemailPolicy
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.system.test_voicemail import rate_of, samples, share_of_tone

NUMBERS: Final = ("200", "201", "202")

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(240)]


def snapshot() -> Snapshot:
    """A mailbox of the users of 201 and 202, a queue that ends there, and a list of it and of 201."""
    group = GroupMailbox(service_id="support", name="Support", extension="300", owners=("user-201", "user-202"))
    queue = CallQueue(service_id="queue", name="Queue", extension="600", nobody_to="300")
    everybody = DistributionList(number="70", name="Everybody", members=("support", "user-201"))
    return voice_office(NUMBERS, (group, queue), VoicemailPolicy(lists=(everybody,)))


class Office:
    """A running edge and phones."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.site = PeerSite(folder, NUMBERS, snapshot())
        stack.callback(self.site.stop)

    def phone(self, number: str) -> PjsuaPhone:
        """A real phone, registered."""
        phone = PjsuaPhone(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)
        self._stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def messages(self, mailbox: str) -> list[dict[str, object]]:
        """What is on the edge's disk."""
        files = sorted((self.site.state_dir / "mailboxes" / mailbox).glob("*.json"))
        return [json.loads(one.read_text()) for one in files]

    def is_recorded(self, seconds: float) -> bool:
        """Whether so much of a message that is being left is on the disk."""
        found = (self.site.state_dir / "mailboxes").glob("*/*.wav")
        return any((one.stat().st_size - 44) / 16_000 >= seconds for one in found)

    def speaks(self, phone: PjsuaPhone) -> None:
        """Say something for three seconds, after the greeting."""
        phone.wait_for(Seen.ANSWERED)
        phone.wait_for(Seen.HEARD)
        phone.press("#")
        eventually(lambda: self.is_recorded(3.0), within=60, what="the message is being recorded")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def lamp(phone: PjsuaPhone, state: str) -> None:
    eventually(lambda: phone.wait_for(Seen.LAMP, 60).detail == state, within=60, what=f"the lamp is {state}")


def heard_the_tone(phone: PjsuaPhone) -> bool:
    """Whether two seconds at least of what a phone heard are the tone of the one that spoke."""
    try:
        heard = phone.heard()[-1]
        rate, sound = rate_of(heard), samples(heard)
    except (IndexError, EOFError, wave.Error):
        return False  # the phone has not written its file to the end yet
    parts = (sound[at : at + rate] for at in range(0, len(sound) - rate, rate // 2))
    return sum(share_of_tone(part, rate) > 0.9 for part in parts if np.abs(part).max() > 1000) >= 3


def test_a_caller_whom_no_agent_takes_lights_the_lamps_of_all_owners_and_one_of_them_listens(office: Office) -> None:
    owners = [office.phone("201"), office.phone("202")]
    caller = office.phone("200")
    caller.call("600")
    office.speaks(caller)
    caller.hang_up()
    caller.closed()
    eventually(lambda: len(office.messages("support")) == 1, within=60, what="the message is kept")
    for owner in owners:
        lamp(owner, "on")
    # One of them listens, by key 6 of the own mailbox, and the lamps of both go out.
    first = owners[0]
    first.forget()
    first.call("*97")
    first.wait_for(Seen.ANSWERED)
    first.wait_for(Seen.HEARD)
    first.press("6")
    first.press("1")
    eventually(lambda: office.messages("support")[0]["heard"] is True, within=60, what="the message was played")
    first.press("4")
    eventually(lambda: office.messages("support")[0]["folder"] == "deleted", within=60, what="it is deleted")
    first.hang_up()
    first.closed()
    eventually(lambda: heard_the_tone(first), within=60, what="the phone heard the message")
    lamp(owners[1], "off")


def test_a_message_is_sent_to_a_list_by_its_number_and_everybody_on_it_has_it(office: Office) -> None:
    sender = office.phone("200")
    sender.call("*97")
    sender.wait_for(Seen.ANSWERED)
    sender.wait_for(Seen.HEARD)
    for key in "4*70##":
        sender.press(key)
    eventually(lambda: office.is_recorded(3.0), within=60, what="the message is being recorded")
    sender.press("#")
    sender.press("2")
    eventually(lambda: bool(office.messages("support")) and bool(office.messages("user-201")), within=60, what="both")
    sender.hang_up()
    sender.closed()
    for mailbox in ("support", "user-201"):
        (message,) = office.messages(mailbox)
        assert message["caller"] == {"number": "200", "name": "", "user_id": "user-200"}
    assert office.messages("user-202") == []
    lamp(office.phone("202"), "on")
