"""kill -9 inside calls of voice services: within seconds each real phone is told that its call is over, and why."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from contract.snapshot import CallQueue, QueueAgent, Snapshot
from tests.support.phones.baresip import BaresipPhone
from tests.support.phones.phone import Phone, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.system.test_queue_call_backs import kill_media
from tests.system.test_queue_kills import open_calls

NUMBERS: Final = ("200", "201", "202")
TOLD_SECONDS: Final = 10.0
REASON: Final = 'Reason: SIP;cause=503;text="The voice service of this call has ended"'

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.peer("baresip"), pytest.mark.timeout(240)]


def snapshot() -> Snapshot:
    """A queue whose agent is 201, and mailboxes."""
    queue = CallQueue(
        service_id="support",
        name="Support",
        extension="600",
        agents=(QueueAgent(user_id="user-201"),),
        begin_logged_in=True,
        welcome=False,
    )
    return voice_office(NUMBERS, (queue,))


class Office:
    """A running edge whose cloud is away, two phones of one make, and one of another."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.site = PeerSite(folder, NUMBERS, snapshot())
        stack.callback(self.site.stop)
        account, there = self.site.account, self.site.surroundings
        self.caller = stack.enter_context(PjsuaPhone("caller", account("200", "udp"), there))
        self.agent = stack.enter_context(BaresipPhone("agent", account("201", "udp"), there))
        for phone in (self.caller, self.agent):
            phone.wait_for(Seen.REGISTERED, 30)

    def kill(self, what: str) -> None:
        """One of the processes, outright; it is back when this returns."""
        if what == "engine":
            kill_media(self.site.edge)
        else:
            self.site.restart()

    def is_quiet(self) -> bool:
        """Whether no call is left, neither in the journal nor at the proxy or the engine."""
        figures = {one["name"]: one["figures"] for one in self.site.edge.status()["processes"]}
        left = (open_calls(self.site.state_dir), figures["sip"].get("calls"), figures["media"].get("calls"))
        return left == (0, 0, 0)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def is_told(phone: Phone, within: float = TOLD_SECONDS) -> None:
    """The edge ends its call, and says why."""
    phone.closed(within)

    def knows_why() -> bool:
        return any(REASON in file.read_text("utf-8", "replace") for file in phone.folder.glob("*log*"))

    eventually(knows_why, within=5, what=f"the reason at {phone.name}")


@pytest.mark.parametrize("killed", ["engine", "agent"])
def test_both_phones_of_a_queues_call_are_told_that_it_is_over(office: Office, killed: str) -> None:
    office.caller.call("600")
    office.agent.wait_for(Seen.INCOMING, 30)
    office.agent.answer()
    office.agent.wait_for(Seen.ANSWERED)
    office.caller.wait_for(Seen.HEARD)
    office.kill(killed)
    for phone in (office.caller, office.agent):
        is_told(phone)
    eventually(office.is_quiet, within=30, what="no call is left")


@pytest.mark.parametrize("killed", ["engine", "agent"])
@pytest.mark.parametrize("who", ["caller", "agent"])
def test_who_leaves_a_message_is_told_that_the_call_is_over(office: Office, killed: str, who: str) -> None:
    phone: Phone = office.caller if who == "caller" else office.agent
    phone.call("202")
    phone.wait_for(Seen.ANSWERED, 60)
    phone.wait_for(Seen.HEARD)
    office.kill(killed)
    is_told(phone)
    eventually(office.is_quiet, within=30, what="no call is left")


def test_a_phone_that_a_queue_rings_stops_when_the_engine_is_killed(office: Office) -> None:
    office.caller.call("600")
    office.agent.wait_for(Seen.INCOMING, 30)
    office.kill("engine")
    office.agent.closed(TOLD_SECONDS)
    is_told(office.caller)
    eventually(office.is_quiet, within=30, what="no call is left")
