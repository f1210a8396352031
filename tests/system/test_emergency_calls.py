"""Calls for help at a whole edge, its cloud reached or not: real phones, Kamailio as gateway, sipp beyond it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from cloud.local.baresip import Baresip, free_pair
from contract.snapshot import (
    CivicAddress,
    EmergencyLocation,
    EmergencyPolicy,
    EmergencyRule,
    Gateway,
    SipPolicy,
    Snapshot,
)
from contract.sync.events import AlarmChanged, EmergencyCalled
from tests.support.kamailio_gateway import KamailioGateway
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.reachable_cloud import ReachableCloud
from tests.support.sipp import Sipp, free_udp_port
from tests.support.snapshots import voice_office
from tests.support.waiting import eventually

NUMBERS: Final = ("200", "201", "202")
ELIN: Final = "+493012345678"
PLACE: Final = EmergencyLocation(
    location_id="floor",
    name="Floor 1",
    caller_id=ELIN,
    address="Main Street 1, floor 1",
    civic=CivicAddress(country="DE", city="Berlin", street="Main Street", house_number="1", floor="1"),
)

pytestmark = [pytest.mark.peer("kamailio", "sipp", "baresip", "pjsua2"), pytest.mark.timeout(240)]


def snapshot(gateway_port: int) -> Snapshot:
    """Three users without a single permission; 202 is told of calls for help."""
    office = voice_office(NUMBERS, permissions=())
    plan = office.dial_plan
    gateway = Gateway(
        gateway_id="pri", name="PRI", host="127.0.0.1", port=gateway_port, send_location=True, qualify_seconds=10
    )
    return office.model_copy(
        update={
            "site": office.site.model_copy(update={"sip": SipPolicy(country="DE")}),
            "dial_plan": plan.model_copy(
                update={
                    "rules": (
                        EmergencyRule(rule_id="help", numbers=("112",), prefix="0", gateways=("pri",)),
                        *plan.rules,
                    ),
                    "gateways": (gateway,),
                    "locations": (PLACE,),
                    "default_location_id": PLACE.location_id,
                    "emergency": EmergencyPolicy(notified_users=("user-202",)),
                }
            ),
        }
    )


class Office:
    """A running edge, its gateway and the public network."""

    def __init__(self, folder: Path, stack: ExitStack, cloud: str) -> None:
        self._folder, self._stack = folder, stack
        self._port, self._network_port = free_pair(), free_udp_port()
        what = snapshot(self._port)
        self.cloud = ReachableCloud(folder / "cloud", what, cloud)
        stack.callback(self.cloud.close)
        self.site = PeerSite(folder, NUMBERS, what, self.cloud)
        stack.callback(self.site.stop)
        self.cloud.is_known_to(self.site.edge)

    def gateway(self) -> KamailioGateway:
        """Start the gateway."""
        folder, edge = self._folder / "gateway", self.site.ports["sip_udp"]
        return self._stack.enter_context(KamailioGateway(folder, self._port, edge, self._network_port))

    def helpers(self) -> Sipp:
        """Who answers a call for help."""
        return self._stack.enter_context(Sipp(self._folder, "answer", calls=1, port=self._network_port))

    def phone(self, number: str) -> Baresip:
        """A real phone, registered."""
        phone = self._stack.enter_context(Baresip(self._folder / f"baresip-{number}", self.site.account(number, "udp")))
        phone.registered()
        return phone

    def security_desk(self) -> PjsuaPhone:
        """The real phone of 202, registered."""
        account = self.site.account("202", "udp")
        phone = self._stack.enter_context(PjsuaPhone("phone-202", account, self.site.surroundings))
        phone.wait_for(Seen.REGISTERED)
        return phone

    def told(self) -> list[EmergencyCalled]:
        """The calls for help that the cloud knows of, or will."""
        return [one for one in self.cloud.happened(self.site.state_dir) if isinstance(one, EmergencyCalled)]

    def alarms(self) -> list[tuple[bool, str]]:
        """What was said of ways out for calls for help, oldest first."""
        found = self.cloud.happened(self.site.state_dir)
        return [
            (one.active, one.text)
            for one in found
            if isinstance(one, AlarmChanged) and one.alarm == "emergency_route_missing"
        ]


@pytest.fixture(params=["reached", "cut"])
def office(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, request.param)


@pytest.mark.parametrize("number", ["112", "0112", "110"], ids=["by the rule", "with the prefix", "without a rule"])
def test_who_may_call_nobody_outside_reaches_help_with_his_place_and_people_at_the_site_are_told(
    office: Office, number: str
) -> None:
    gateway, helpers, desk = office.gateway(), office.helpers(), office.security_desk()
    phone = office.phone("200")
    phone.dial(f"sip:{number}@{office.site.surroundings.domain}")
    phone.wait_for("CALL_ESTABLISHED")
    shown = f"EMERGENCY CALL to {number} by Desk 200 (200) at Floor 1, Main Street 1, floor 1"
    log = desk.folder / "log"
    eventually(lambda: shown in log.read_text("utf-8", "replace"), 10, "the security desk is told")
    phone.hang_up()
    helpers.finish(within=15)
    (invite,) = gateway.invites()
    assert f"INVITE sip:{number.removeprefix('0')}@" in invite
    assert re.search(rf"^P-Asserted-Identity: <sip:\{ELIN}@", invite, re.MULTILINE)
    assert "Geolocation: <cid:" in invite
    for element, value in (("country", "DE"), ("A3", "Berlin"), ("RD", "Main Street"), ("HNO", "1"), ("FLR", "1")):
        assert re.search(rf"<(?:\w+:)?{element}>{value}</", invite), element
    eventually(lambda: len(office.told()) == 1, 10, "the event")
    (told,) = office.told()
    assert (told.number, told.user_id, told.location_name, told.caller_id) == (number, "user-200", "Floor 1", ELIN)


def test_that_no_way_out_answers_is_an_alarm_until_one_does(office: Office) -> None:
    eventually(lambda: [active for active, _ in office.alarms()] == [True], 150, "the alarm")
    assert "PRI" in office.alarms()[0][1]
    office.gateway()
    eventually(lambda: [active for active, _ in office.alarms()] == [True, False], 60, "the alarm is over")
