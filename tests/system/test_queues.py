"""Call queues at a whole edge whose cloud is away, with real phones: who waits, who answers, who listens."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from contract.snapshot import CallQueue, QueueAgent, Snapshot
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually
from tests.system.test_call_park import hears_music, sound_of, talk_to_each_other

NUMBERS: Final = ("200", "201", "202")
QUEUE: Final = CallQueue(
    service_id="support",
    name="Support",
    extension="600",
    agents=(QueueAgent(user_id="user-201"),),
    supervisors=("user-202",),
    waits_for_agents=True,
    welcome=False,
)

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(240)]


def snapshot(**more: Any) -> Snapshot:
    """The dial plan that every site begins with, and a queue."""
    return voice_office(NUMBERS, (QUEUE.model_copy(update=more),), permissions=())


class Office:
    """A running edge, a caller at 200, an agent at 201 and a supervisor at 202."""

    def __init__(self, folder: Path, stack: ExitStack, **more: Any) -> None:
        self.site = PeerSite(folder, NUMBERS, snapshot(**more))
        stack.callback(self.site.stop)
        self.caller, self.agent, self.supervisor = (stack.enter_context(self._phone(n)) for n in NUMBERS)
        for phone in (self.caller, self.agent, self.supervisor):
            phone.wait_for(Seen.REGISTERED)

    def _phone(self, number: str) -> PjsuaPhone:
        return PjsuaPhone(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)

    def dial(self, code: str) -> None:
        """The agent dials a code, and hears its tone to the end."""
        self.agent.call(code)
        self.agent.wait_for(Seen.ANSWERED)
        self.agent.closed()
        self.agent.forget()

    def answer(self) -> None:
        """The agent takes the call that rings, and caller and agent talk."""
        self.agent.wait_for(Seen.INCOMING, 30)
        self.agent.answer()
        self.agent.wait_for(Seen.ANSWERED)
        talk_to_each_other(self.agent, self.caller)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def test_a_caller_waits_with_music_and_talks_with_the_agent_who_logged_in_by_a_code(office: Office) -> None:
    office.caller.call("600")
    office.caller.wait_for(Seen.ANSWERED)
    eventually(lambda: hears_music(office.caller), within=30, what="music")
    office.dial("*13")
    office.answer()
    told = (office.agent.folder / "log").read_text("utf-8", "replace")
    assert "Support: Desk 200" in told or "Support: 200" in told
    office.agent.hang_up()
    office.caller.closed()


def test_who_is_logged_in_stays_so_when_the_edge_is_killed_and_phones_stop_when_the_caller_goes(
    office: Office,
) -> None:
    office.dial("*13600")
    office.site.restart()
    before = office.caller.registrations
    office.caller.registers_beyond(before - 1, 30)
    office.caller.call("600")
    office.agent.wait_for(Seen.INCOMING, 40)
    office.caller.hang_up()
    assert office.agent.closed(30) in (0, 487)


def test_a_caller_goes_elsewhere_while_nobody_is_logged_in(tmp_path: Path) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack, waits_for_agents=False, nobody_to="202")
        office.caller.call("600")
        office.supervisor.wait_for(Seen.INCOMING, 30)
        office.supervisor.answer()
        office.supervisor.wait_for(Seen.ANSWERED)
        office.supervisor.wait_for(Seen.HEARD)


def test_an_agent_who_logged_out_by_a_code_is_called_no_more(tmp_path: Path) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack, begin_logged_in=True, waits_for_agents=False, nobody_to="202")
        office.dial("*14")
        office.caller.call("600")
        office.supervisor.wait_for(Seen.INCOMING, 30)
        assert [event for event in office.agent.poll() if event.what is Seen.INCOMING] == []


def test_an_agent_who_paused_by_a_code_is_not_rung_until_he_pauses_no_longer(tmp_path: Path) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack, begin_logged_in=True)
        office.dial("*15")
        office.caller.call("600")
        office.caller.wait_for(Seen.ANSWERED)
        eventually(lambda: hears_music(office.caller), within=30, what="music")
        assert [event for event in office.agent.poll() if event.what is Seen.INCOMING] == []
        office.dial("*13")
        office.answer()


def test_a_supervisor_hears_both_unheard_and_is_heard_once_he_barges_in(tmp_path: Path) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack, begin_logged_in=True)
        office.caller.call("600")
        office.answer()
        office.supervisor.call("*16201")
        office.supervisor.wait_for(Seen.ANSWERED)
        talk_to_each_other(office.supervisor)
        quiet = loudness(office.caller)
        office.supervisor.press("3")
        eventually(lambda: loudness(office.caller) > 1.3 * quiet, within=30, what="the supervisor is heard")
        office.caller.hang_up()
        office.supervisor.closed(30)


def loudness(phone: PjsuaPhone) -> float:
    """Of the last second that a phone heard."""
    last = sound_of(phone.heard()[-1])[-16_000:]
    return float((last**2).mean() ** 0.5)
