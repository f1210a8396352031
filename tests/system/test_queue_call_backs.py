"""Callers of queues who are called back, at a whole edge whose cloud is away, with real phones that press real keys."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cloud.local.baresip import Baresip
from contract.snapshot import (
    CallBackOffer,
    CallQueue,
    DialPattern,
    FeatureRule,
    InwardNumber,
    OutsideRule,
    QueueAgent,
)
from contract.sync.events import Happening
from contract.sync.queue_events import QueueCallEnded
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support import trunk_office
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.kamailio_provider import REALM
from tests.support.phones.phone import Seen
from tests.support.trunk_office import DOMAIN, MOBILE, SECRETS, trunk
from tests.support.waiting import eventually
from tests.system.test_call_park import hears_music, talk_to_each_other
from tests.system.test_queues import Office

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(280)]

OFFER = CallBackOffer(after_seconds=0, ring_seconds=60)
LOG_IN = FeatureRule(rule_id="in", name="Log in", code="*13", feature="queue_log_in")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, call_back=OFFER)


def happened(state_dir: Path) -> list[Happening]:
    """What the edge has to tell the cloud."""
    outbox = Outbox.open(state_dir / "outbox.db", SystemClock(), SystemTokens())
    try:
        return [event.body.what for event in outbox.read(0, 1000)]
    finally:
        outbox.close()


def stories(state_dir: Path) -> list[QueueCallEnded]:
    """Of callers of queues."""
    return [what for what in happened(state_dir) if isinstance(what, QueueCallEnded)]


def kept(office: Office) -> list[Path]:
    """Callers on the edge's disk."""
    return list((office.site.state_dir / "queue_callers").glob("*.json"))


def wish(office: Office) -> None:
    """The caller hears music, presses the key and the one for yes, and is hung up on."""
    office.caller.call("600")
    office.caller.wait_for(Seen.ANSWERED)
    eventually(lambda: hears_music(office.caller), within=30, what="music")
    office.caller.press("1")
    office.caller.press("1")
    office.caller.closed(40)
    office.caller.forget()
    assert len(kept(office)) == 1


def is_called_back(office: Office) -> None:
    """The agent answers, the caller's phone rings and answers, and both hear each other."""
    office.agent.wait_for(Seen.INCOMING, 60)
    office.agent.answer()
    office.agent.wait_for(Seen.ANSWERED)
    office.caller.wait_for(Seen.INCOMING, 30)
    office.caller.answer()
    office.caller.wait_for(Seen.ANSWERED)
    talk_to_each_other(office.agent, office.caller)
    office.agent.hang_up()
    office.caller.closed(30)


def kill_media(edge: EdgeProcess) -> None:
    """kill -9 of the media process."""
    (media,) = (one for one in edge.status()["processes"] if one["name"] == "media")
    os.kill(media["pid"], signal.SIGKILL)

    def is_back() -> bool:
        (now,) = (one for one in edge.status()["processes"] if one["name"] == "media")
        return bool(now["pid"] not in (0, None, media["pid"]) and now["state"] == "configured")

    eventually(is_back, within=30, what="the media process is back")


@pytest.mark.parametrize("killed", ["nothing", "media", "agent"])
def test_a_caller_presses_a_key_hangs_up_and_is_called_back_whatever_was_killed(office: Office, killed: str) -> None:
    wish(office)
    if killed == "media":
        kill_media(office.site.edge)
    elif killed == "agent":
        office.site.restart()
        for phone in (office.caller, office.agent):
            phone.registers_beyond(phone.registrations - 1, 60)
    office.dial("*13")
    is_called_back(office)
    eventually(lambda: len(stories(office.site.state_dir)) == 1, within=15, what="the caller's story")
    (told,) = stories(office.site.state_dir)
    assert (told.outcome, told.agent_id, told.sent_to) == ("called_back", "user-201", "200")
    eventually(lambda: not kept(office), within=15, what="nobody is left on the disk")


class TrunkOffice(trunk_office.Office):
    """The site of the trunks' tests, whose number leads to a queue that may call mobile phones."""

    def begin_with(self, *permissions: str) -> None:
        """Start the edge; 201 is the agent."""
        before = trunk_office.snapshot((trunk("first", self.ports["first"]),))
        queue = CallQueue(
            service_id="support",
            name="Support",
            extension="600",
            agents=(QueueAgent(user_id="user-201"),),
            waits_for_agents=True,
            welcome=False,
            call_back=OFFER.model_copy(update={"permissions": permissions}),
        )
        mobile = OutsideRule(
            rule_id="mobile",
            name="Mobile",
            patterns=(DialPattern(prefix="+417"),),
            gateways=("first",),
            permissions=("Mobile",),
        )
        plan = before.dial_plan.model_copy(
            update={
                "rules": (LOG_IN, *before.dial_plan.rules, mobile),
                "voice_services": (queue,),
                "numbers": (InwardNumber(number="+41441112202", destination="600"),),
            }
        )
        prepare_state(self.state_dir, before.model_copy(update={"dial_plan": plan}), SECRETS)
        ports = {f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")}
        self.edge = EdgeProcess(self.state_dir, ports)
        self.stack.callback(self.edge.stop)
        self.edge_port = self.edge.ports()["sip_udp"]

    def log_in(self, agent: Baresip) -> None:
        """The agent dials the code, and hears its tone to the end."""
        agent.dial(f"sip:*13@{DOMAIN}")
        agent.wait_for("CALL_ESTABLISHED", within=30)
        agent.wait_for("CALL_CLOSED", within=30)


@pytest.fixture
def trunk_site(tmp_path: Path) -> Iterator[TrunkOffice]:
    with ExitStack() as stack:
        yield TrunkOffice(tmp_path, stack)


@pytest.mark.peer("kamailio", "baresip")
def test_a_caller_of_the_public_network_is_called_back_at_his_mobile_phone(trunk_site: TrunkOffice) -> None:
    provider = trunk_site.provider("first")
    trunk_site.begin_with("Mobile")
    trunk_site.registered(provider)
    agent, mobile = trunk_site.phone("201"), trunk_site.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    mobile.command("sndcode", "1")
    mobile.command("sndcode", "1")
    mobile.wait_for("CALL_CLOSED", within=60)
    trunk_site.log_in(agent)
    agent.accept(within=60)
    agent.wait_for("CALL_ESTABLISHED", within=30)
    mobile.accept(within=60)
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    trunk_site.talk("201", MOBILE)
    mobile.hang_up()
    agent.wait_for("CALL_CLOSED", within=30)
    eventually(lambda: [one.outcome for one in stories(trunk_site.state_dir)] == ["called_back"], 15, "the story")


@pytest.mark.peer("kamailio", "baresip")
def test_a_queue_without_permissions_calls_nobody_outside(trunk_site: TrunkOffice) -> None:
    provider = trunk_site.provider("first")
    trunk_site.begin_with()
    trunk_site.registered(provider)
    mobile = trunk_site.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    # The key, and then the own number, which is refused each time: the caller waits on.
    for _ in range(2):
        for key in "10791112233#":
            mobile.command("sndcode", key)
    assert not [one for one in provider.requests("INVITE") if "791112233" in one.split("\n", 1)[0]]
    mobile.hang_up()
    eventually(lambda: [one.outcome for one in stories(trunk_site.state_dir)] == ["abandoned"], 15, "the story")
