"""The dial plan carried out by a whole edge whose cloud is away: real phones, Kamailio as gateway, sipp beyond it."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from cloud.local.baresip import Baresip, PhoneAccount, free_pair
from contract.snapshot import (
    CallPattern,
    DialPattern,
    DialPlan,
    During,
    EmergencyLocation,
    EmergencyRule,
    FeatureRule,
    Forwarding,
    Gateway,
    HuntGroup,
    InternalRule,
    InwardNumber,
    Line,
    OutsideRule,
    Period,
    Schedule,
    Site,
    Snapshot,
    User,
    WorkingHours,
)
from contract.sync.events import CallEnded, EmergencyCalled
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.kamailio_gateway import ALL_LINES_BUSY, KamailioGateway
from tests.support.raw_callee import RawCallee
from tests.support.raw_sip import RawPhone
from tests.support.sipp import Sipp, free_udp_port
from tests.support.waiting import eventually

DOMAIN = "demo.tandem.test"
NUMBERS = ("200", "201", "202")
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
SECRETS = {f"s-{number}:1": f"password-of-{number}" for number in NUMBERS}

PERIODS: tuple[Period, Period] = ("working_time", "after_hours")
"""What goes by the first gateway, and by the second."""

Reported = TypeVar("Reported", CallEnded, EmergencyCalled)

pytestmark = [pytest.mark.peer("kamailio", "sipp", "baresip"), pytest.mark.timeout(120)]


def snapshot(gateways: tuple[Gateway, ...]) -> Snapshot:
    """Three users; 201 goes on to the public network after two seconds, 300 is both of 201 and 202."""
    names = tuple(gateway.gateway_id for gateway in gateways)
    today = SystemClock().now().isoweekday()
    near = {(today + days - 1) % 7 + 1 for days in (-1, 0, 1)}
    onward = Forwarding(no_answer="0791112233", unregistered="202", ring_seconds=2)
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(
                user_id=f"user-{number}",
                username=number,
                display_name=f"Desk {number}",
                extension=number,
                permissions=("Mobile",),
                caller_id="+41441112200" if number == "200" else None,
                forwarding=onward if number == "201" else Forwarding(),
            )
            for number in NUMBERS
        ),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in NUMBERS
        ),
        dial_plan=DialPlan(
            rules=(
                EmergencyRule(rule_id="help", numbers=("112",), prefix="0", gateways=names),
                FeatureRule(rule_id="always", name="Forward", code="*72", feature="forward_always"),
                InternalRule(rule_id="internal"),
                *(
                    OutsideRule(
                        rule_id=f"{period}-{schedule}",
                        name=f"Numbers of {prefix}, {period}",
                        patterns=(DialPattern(prefix=prefix),),
                        call=CallPattern(),
                        gateways=(gateway,),
                        during=During(schedule_id=schedule, periods=(period,)),
                    )
                    for prefix, schedule in (("09", "near"), ("08", "far"))
                    for period, gateway in zip(PERIODS, names, strict=True)
                ),
                OutsideRule(
                    rule_id="out",
                    name="Out",
                    patterns=(DialPattern(prefix="0"),),
                    call=CallPattern(),
                    gateways=names,
                    permissions=("Mobile",),
                ),
            ),
            gateways=gateways,
            hunt_groups=(
                HuntGroup(
                    group_id="desk",
                    name="Desk",
                    extension="300",
                    strategy="serial",
                    members=("user-201", "user-202"),
                    ring_seconds=2,
                ),
            ),
            locations=(EmergencyLocation(location_id="floor", name="Floor", caller_id="+41441112201"),),
            default_location_id="floor",
            schedules=tuple(
                Schedule(schedule_id=name, name=name, hours=(WorkingHours(days=tuple(days)),))
                for name, days in (("near", near), ("far", set(range(1, 8)) - near))
            ),
            numbers=(InwardNumber(number="0441112300", destination="202"),),
        ),
    )


class Office:
    """A running edge, two gateways, of which the first may be away, and the public network."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.first_port, self.second_port, self.network_port = free_pair(), free_pair(), free_udp_port()
        gateways = tuple(
            Gateway(gateway_id=name, name=name, host="127.0.0.1", port=port)
            for name, port in (("first", self.first_port), ("second", self.second_port))
        )
        self.state_dir = folder / "state"
        prepare_state(self.state_dir, snapshot(gateways), SECRETS)
        self.edge = EdgeProcess(self.state_dir)
        stack.callback(self.edge.stop)
        self.edge_port = self.edge.ports()["sip_udp"]

    def gateway(self, which: str) -> KamailioGateway:
        """Start one of the gateways."""
        port = self.first_port if which == "first" else self.second_port
        made = KamailioGateway(self.folder / which, port, self.edge_port, self.network_port)
        return self._stack.enter_context(made)

    def restart_edge(self) -> None:
        """Kill the edge, and start it again on the same port."""
        self.edge.kill()
        self.edge = EdgeProcess(self.state_dir, {"TANDEM_EDGE_SIP_UDP_PORT": str(self.edge_port)})
        self._stack.callback(self.edge.stop)
        self.edge.ready()

    def hold(self, port: int) -> None:
        """Take a port without ever answering there."""
        held = self._stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        held.bind(("127.0.0.1", port))

    def network(self, calls: int = 1) -> Sipp:
        """Somebody in the public network who answers so many calls."""
        return self._stack.enter_context(Sipp(self.folder, "answer", calls=calls, port=self.network_port))

    def phone(self, number: str, timeout: float = 5.0) -> RawPhone:
        """A plain phone."""
        target = ("127.0.0.1", self.edge_port)
        phone = RawPhone(target, number, f"auth{number}", f"password-of-{number}", timeout=timeout)
        return self._stack.enter_context(phone)

    def baresip(self, number: str) -> Baresip:
        """A real phone, registered."""
        account = PhoneAccount(number, f"auth{number}", f"password-of-{number}", DOMAIN, f"127.0.0.1:{self.edge_port}")
        phone = self._stack.enter_context(Baresip(self.folder / f"baresip-{number}", account))
        phone.registered()
        return phone

    def record(self) -> CallEnded:
        """The record of the only call, once it has ended."""
        found: list[CallEnded] = []

        def ended() -> bool:
            outbox = Outbox.open(self.state_dir / "outbox.db", SystemClock(), SystemTokens())
            try:
                found[:] = [event.body.what for event in outbox.read(0, 100) if isinstance(event.body.what, CallEnded)]
            finally:
                outbox.close()
            return len(found) == 1

        eventually(ended, 10, "the call's record on the edge's disk")
        return found[0]

    def reported(self, kind: type[Reported]) -> list[Reported]:
        """What lies in the outbox of one kind."""
        outbox = Outbox.open(self.state_dir / "outbox.db", SystemClock(), SystemTokens())
        try:
            return [event.body.what for event in outbox.read(0, 100) if isinstance(event.body.what, kind)]
        finally:
            outbox.close()

    def story(self) -> list[str]:
        """The codes of the reasons in it."""
        return [reason.partition(":")[0] for reason in self.record().reasons]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def test_a_real_phone_calls_the_public_network_through_a_real_gateway(office: Office) -> None:
    office.gateway("first")
    network = office.network()
    phone = office.baresip("200")
    phone.dial(f"sip:0791112233@{DOMAIN}")
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    network.finish(within=15)
    record = office.record()
    assert (record.callee, record.disposition) == ("0791112233", "answered")
    assert office.story() == ["custom", "gateway"]


@pytest.mark.parametrize("away", ["silent", "not there"])
def test_a_gateway_that_is_away_is_left_for_the_next_in_under_three_seconds(office: Office, away: str) -> None:
    if away == "silent":
        office.hold(office.first_port)
    office.gateway("second")
    network = office.network()
    phone = office.phone("200")
    began = SystemClock().monotonic()
    answer = phone.invite("0791112233")
    assert (answer.status, SystemClock().monotonic() - began < 3.0) == (200, True)
    assert phone.hang_up(answer).status == 200
    network.finish(within=15)
    assert office.story() == ["custom", "gateway", "ended", "gateway"]


def test_a_gateway_without_a_free_line_is_followed_by_the_next(office: Office) -> None:
    office.gateway("first")
    office.gateway("second")
    assert office.phone("200").invite(ALL_LINES_BUSY).status == 500
    assert office.story() == ["custom", "gateway", "ended", "gateway", "ended", "no_gateway"]


def test_a_call_from_the_public_network_rings_whose_number_it_is(office: Office) -> None:
    gateway = office.gateway("first")
    callee = office.baresip("202")
    with (
        RawPhone(("127.0.0.1", gateway.port), "0791112233", "", "", timeout=10) as outside,
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(outside.invite, "0441112300", SDP)
        callee.accept()
        answered = answer.result(timeout=10)
        assert answered.status == 200
        assert outside.hang_up(answered).status == 200
        callee.wait_for("CALL_CLOSED")
    record = office.record()
    assert (record.caller, record.callee_user_id, record.disposition) == ("0791112233", "user-202", "answered")
    assert office.story() == ["inward", "inward_number", "internal", "ring"]


def test_who_does_not_answer_is_sought_in_the_public_network(office: Office) -> None:
    gateway = office.gateway("first")
    network = office.network()
    phone = office.phone("200")
    with RawCallee(office.phone("201", timeout=0.2), (180,)) as callee:
        answer = phone.invite("201")
        assert answer.status == 200
        assert callee.cancelled.wait(10)
        assert phone.hang_up(answer).status == 200
    network.finish(within=15)
    assert office.story() == ["internal", "ring", "ended", "forward_no_answer", "custom", "gateway"]
    (invite,) = gateway.invites()
    assert f"Diversion: <sip:201@{DOMAIN}>;reason=no-answer" in invite
    assert "History-Info: " in invite


def test_a_rule_counts_while_its_schedule_says_so(office: Office) -> None:
    """By one pair of rules: a schedule of yesterday, today and tomorrow, and one of the other days."""
    first, second = office.gateway("first"), office.gateway("second")
    network = office.network(calls=2)
    for user, number in (("200", "0911112233"), ("202", "0811112233")):
        phone = office.phone(user)
        answer = phone.invite(number)
        assert answer.status == 200
        assert phone.hang_up(answer).status == 200
    network.finish(within=15)
    assert [len(re.findall("^INVITE sip:0911112233@", one, re.MULTILINE)) for one in first.invites()] == [1]
    assert [len(re.findall("^INVITE sip:0811112233@", one, re.MULTILINE)) for one in second.invites()] == [1]


def test_who_is_not_registered_is_forwarded_at_once_to_a_real_phone(office: Office) -> None:
    callee, caller = office.baresip("202"), office.baresip("200")
    caller.dial(f"sip:201@{DOMAIN}")
    callee.accept()
    caller.wait_for("CALL_ESTABLISHED")
    caller.hang_up()
    callee.wait_for("CALL_CLOSED")
    assert office.story() == ["internal", "ring", "forward_unregistered", "internal", "ring"]
    assert office.record().callee_user_id == "user-202"


def test_a_hunt_group_goes_on_to_the_member_who_answers(office: Office) -> None:
    caller = office.phone("200")
    with (
        RawCallee(office.phone("201", timeout=0.2), (180,)) as first,
        RawCallee(office.phone("202", timeout=0.2), (180, 200)),
    ):
        answer = caller.invite("300")
        assert answer.status == 200
        assert first.cancelled.wait(10)
        assert caller.hang_up(answer).status == 200
    assert office.record().callee_user_id == "user-202"


def test_anybody_reaches_help_by_the_gateway_that_works(office: Office) -> None:
    office.hold(office.first_port)
    office.gateway("second")
    network = office.network()
    with RawPhone(("127.0.0.1", office.edge_port), "nobody", "", "", timeout=5) as stranger:
        answer = stranger.invite("0112")
        assert answer.status == 200
        assert stranger.hang_up(answer).status == 200
    network.finish(within=15)
    record = office.record()
    assert (record.callee, record.caller_user_id) == ("0112", None)
    assert office.story() == ["emergency", "gateway", "ended", "gateway"]


def test_a_call_back_to_the_place_reaches_the_phone_that_called_for_help_after_the_edge_was_killed(
    office: Office,
) -> None:
    """The phone of 201, whose calls go elsewhere when he does not answer, called for help; 202 owns no part of it."""
    gateway = office.gateway("first")
    network = office.network()
    phone = office.baresip("201")
    phone.dial(f"sip:112@{DOMAIN}")
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    network.finish(within=15)
    (told,) = office.reported(EmergencyCalled)
    assert (told.number, told.user_id, told.location_name, told.caller_id) == (
        "112",
        "user-201",
        "Floor",
        "+41441112201",
    )
    office.restart_edge()
    with (
        RawPhone(("127.0.0.1", gateway.port), "anonymous", "", "", timeout=10) as help_line,
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(help_line.invite, "+41441112201", SDP)
        phone.accept()
        answered = answer.result(timeout=10)
        assert answered.status == 200
        assert help_line.hang_up(answered).status == 200
        phone.wait_for("CALL_CLOSED")


def test_a_forward_set_by_a_code_counts_at_once_and_after_the_edge_was_killed(office: Office) -> None:
    """With the cloud away all the while; the tone that confirms it is heard by a real phone."""
    phone = office.baresip("202")
    phone.dial(f"sip:*72200@{DOMAIN}")
    phone.wait_for("CALL_ESTABLISHED")
    phone.wait_for("CALL_CLOSED")
    _, heard = phone.packets()
    assert heard > 20
    caller = office.phone("201")
    with RawCallee(office.phone("200", timeout=0.2), (486,)):
        assert caller.invite("202").status == 486
    office.restart_edge()
    with RawCallee(office.phone("200", timeout=0.2), (486,)) as callee:
        assert office.phone("201").invite("202").status == 486
        assert callee.ringing.is_set()
