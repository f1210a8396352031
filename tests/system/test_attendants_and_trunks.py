"""Auto attendants that callers of the public network reach by a trunk, the site's cloud away: Kamailio as provider."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.snapshot import Attendant, AttendantMenu, InwardNumber, Patience, ToDestination
from tests.support import trunk_office
from tests.support.edge_process import ENGINE, prepare_state
from tests.support.kamailio_provider import REALM
from tests.support.trunk_office import MOBILE, SECRETS, snapshot, trunk
from tests.support.waiting import eventually
from tests.system.test_queue_kills import figure, kill_freeswitch

pytestmark = [pytest.mark.peer("kamailio", "baresip"), pytest.mark.timeout(180)]


def attendant(destination: str, *permissions: str, waits: int = 1) -> Attendant:
    """One that sends whoever presses nothing for so many seconds to a number."""
    patience = Patience(times=0, then=ToDestination(destination=destination))
    menu = AttendantMenu(menu_id="main", name="Main", first_key_seconds=waits, no_input=patience)
    return Attendant(
        service_id="front", name="Front", extension="400", menus=(menu,), first_menu="main", permissions=permissions
    )


class Office(trunk_office.Office):
    """The site of the trunks' tests, whose number leads to an attendant."""

    def begin_with(self, service: Attendant) -> None:
        """Start the edge."""
        ways = tuple(trunk(name, port) for name, port in self.ports.items())
        before = snapshot(ways)
        numbers = (InwardNumber(number="+41441112202", destination="400"),)
        plan = before.dial_plan.model_copy(update={"voice_services": (service,), "numbers": numbers})
        prepare_state(self.state_dir, before.model_copy(update={"dial_plan": plan}), SECRETS)
        ports = {f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")}
        self._run(ports)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def test_a_caller_from_outside_is_sent_on_to_a_phone_and_both_hear_each_other(office: Office) -> None:
    provider = office.provider("first")
    office.begin_with(attendant("201"))
    office.registered(provider)
    phone, mobile = office.phone("201"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    phone.accept(within=30)
    phone.wait_for("CALL_ESTABLISHED", within=30)
    office.talk("201", MOBILE)
    assert not provider.requests("REFER")
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED", within=30)


def test_a_caller_from_outside_gets_no_outside_line_by_an_attendant_without_permissions(office: Office) -> None:
    provider = office.provider("first")
    office.begin_with(attendant("0791112299"))
    office.registered(provider)
    mobile = office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    # It says that nobody is reached, and hangs up.
    mobile.wait_for("CALL_CLOSED", within=60)
    assert not [one for one in provider.requests("INVITE") if "791112299" in one]


def test_a_caller_from_outside_is_told_that_the_attendant_is_gone_when_the_agent_was_killed(office: Office) -> None:
    provider = office.provider("first")
    office.begin_with(attendant("201", waits=30))
    office.registered(provider)
    mobile = office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    mobile.wait_for("CALL_ESTABLISHED", within=30)
    office.kill()
    if ENGINE == "freeswitch":
        # It outlives the agent: the caller is with the next one's attendant, until FreeSWITCH itself is gone.
        eventually(lambda: figure(office.edge, "calls") == 1, within=40, what="the caller hears the menu anew")
        kill_freeswitch(office.edge)
    mobile.wait_for("CALL_CLOSED", within=30)
    assert 'Reason: SIP;cause=503;text="' in mobile.log()
