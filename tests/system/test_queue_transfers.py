"""Agents of a queue send callers on, at a whole edge whose cloud is away, with real phones on both sides."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.kamailio_provider import REALM
from tests.support.phones.phone import Seen
from tests.support.trunk_office import DOMAIN, MOBILE
from tests.support.waiting import eventually
from tests.system.test_call_park import talk_to_each_other
from tests.system.test_queue_call_backs import TrunkOffice, stories
from tests.system.test_queues import Office

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(240)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, begin_logged_in=True)


@pytest.fixture
def trunk_site(tmp_path: Path) -> Iterator[TrunkOffice]:
    with ExitStack() as stack:
        yield TrunkOffice(tmp_path, stack)


def sent_on(state_dir: Path) -> list[tuple[str, str]]:
    """How each story ended, and where its caller went."""
    return [(one.outcome, one.sent_to) for one in stories(state_dir)]


def test_a_caller_hears_whom_the_agent_sends_him_to_and_history_says_so(office: Office) -> None:
    colleague = office.supervisor
    office.caller.call("600")
    office.answer()
    office.caller.forget()
    office.agent.transfer("202")
    colleague.wait_for(Seen.INCOMING, 30)
    colleague.answer()
    office.agent.closed(30)
    talk_to_each_other(colleague, office.caller)
    eventually(lambda: sent_on(office.site.state_dir) == [("answered", "202")], 15, "the story says so")
    colleague.hang_up()
    office.caller.closed(30)


def test_an_agent_asks_first_and_then_brings_both_together(office: Office) -> None:
    colleague = office.supervisor
    office.caller.call("600")
    office.answer()
    office.agent.hold()
    office.agent.call("202")
    colleague.wait_for(Seen.INCOMING, 30)
    colleague.answer()
    talk_to_each_other(colleague)
    office.caller.forget()
    office.agent.join()
    office.agent.closed(30)
    talk_to_each_other(colleague, office.caller)
    eventually(lambda: sent_on(office.site.state_dir) == [("answered", "202")], 15, "the story says so")
    colleague.hang_up()
    office.caller.closed(30)


def test_a_caller_whom_nobody_takes_there_talks_on_with_the_agent(office: Office) -> None:
    colleague = office.supervisor
    office.caller.call("600")
    office.answer()
    office.agent.transfer("202")
    colleague.wait_for(Seen.INCOMING, 30)
    colleague.decline()
    assert office.caller.closed(30) == 486
    talk_to_each_other(office.agent, office.caller)
    office.caller.hang_up()
    eventually(lambda: sent_on(office.site.state_dir) == [("answered", "")], 15, "the story says so")


@pytest.mark.peer("kamailio", "baresip")
def test_a_caller_of_the_public_network_is_sent_on_and_both_hear_each_other(trunk_site: TrunkOffice) -> None:
    provider = trunk_site.provider("first")
    trunk_site.begin_with()
    trunk_site.registered(provider)
    agent, colleague, mobile = trunk_site.phone("201"), trunk_site.phone("202"), trunk_site.outside(provider)
    trunk_site.log_in(agent)
    mobile.dial(f"sip:0441112202@{REALM}")
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    agent.accept(within=60)
    agent.wait_for("CALL_ESTABLISHED", within=30)
    trunk_site.talk("201", MOBILE)
    agent.command("transfer", f"sip:202@{DOMAIN}")
    colleague.accept(within=60)
    colleague.wait_for("CALL_ESTABLISHED", within=30)
    agent.wait_for("CALL_CLOSED", within=30)
    trunk_site.talk("202", MOBILE)
    assert not provider.requests("REFER")
    mobile.hang_up()
    colleague.wait_for("CALL_CLOSED", within=30)
    eventually(lambda: sent_on(trunk_site.state_dir) == [("answered", "202")], 15, "the story says so")
