"""SIP trunks of a whole edge whose cloud is away: Kamailio as provider, real phones at the site and beyond."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloud.local.baresip import Baresip, PhoneAccount, free_pair
from contract.snapshot import (
    CallPattern,
    DialPattern,
    DialPlan,
    IncomingNumbers,
    InternalRule,
    InwardNumber,
    Line,
    NumberFormat,
    OutsideRule,
    Site,
    Snapshot,
    Trunk,
    User,
)
from contract.sync.events import AlarmChanged, CallEnded, Happening
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.heard_tone import heard_hz
from tests.support.kamailio_provider import ALL_LINES_BUSY, REALM, KamailioProvider
from tests.support.raw_sip import RawPhone
from tests.support.sipp import Sipp
from tests.support.waiting import eventually

DOMAIN = "demo.tandem.test"
NUMBERS = ("200", "201", "202")
SECRETS = {f"s-{number}:1": f"password-of-{number}" for number in NUMBERS} | {
    "t-first:1": "password-of-office",
    "t-second:1": "password-of-office",
}
MOBILE = "0791112233"
TONES = {"200": 440, "201": 600, "202": 700, MOBILE: 1000}
"""What each real phone speaks, Hz."""

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)

pytestmark = [pytest.mark.peer("kamailio", "baresip", "sipp"), pytest.mark.timeout(180)]


def trunk(name: str, port: int, **more: object) -> Trunk:
    """A trunk with an account that registers; numbers are E.164 inside and national at the provider."""
    return Trunk.model_validate(
        {
            "gateway_id": name,
            "name": name,
            "host": "127.0.0.1",
            "port": port,
            "username": "office",
            "password_ref": f"t-{name}:1",
            "register_seconds": 60,
            "options_seconds": 2,
            "caller_id": "+41441112200",
            "numbers": NumberFormat(style="national", country_code="41"),
            "incoming": IncomingNumbers(style="national", country_code="41"),
            "called_number_in": "to",
            **more,
        }
    )


def snapshot(trunks: tuple[Trunk, ...]) -> Snapshot:
    """Three users who may call mobiles; 200 has a number of his own, and +41441112202 is 202's."""
    names = tuple(one.gateway_id for one in trunks)
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(
                user_id=f"user-{number}",
                username=number,
                display_name=f"Desk {number}",
                extension=number,
                permissions=("Mobile",) if number != "202" else (),
                caller_id="+41441112233" if number == "200" else None,
            )
            for number in NUMBERS
        ),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in NUMBERS
        ),
        dial_plan=DialPlan(
            rules=(
                InternalRule(rule_id="internal"),
                OutsideRule(
                    rule_id="out",
                    name="Out",
                    patterns=(DialPattern(prefix="0"),),
                    call=CallPattern(prefix="+41", keep="variable"),
                    gateways=names,
                    permissions=("Mobile",),
                ),
            ),
            trunks=trunks,
            numbers=(InwardNumber(number="+41441112202", destination="202"),),
        ),
    )


class Office:
    """A running edge with two trunks, and providers that are started as a test wants them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.ports = {"first": free_pair(), "second": free_pair()}
        self.state_dir = folder / "state"

    def begin(self, *, relay: str = "auto", **more: object) -> None:
        """Start the edge."""
        trunks = tuple(trunk(name, port, **more) for name, port in self.ports.items())
        prepare_state(self.state_dir, snapshot(trunks), SECRETS)
        ports = {f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")}
        self.edge = EdgeProcess(self.state_dir, ports | {"TANDEM_EDGE_SIP_TRUNKS_RELAY": relay})
        self.stack.callback(self.edge.stop)
        self.edge_port = self.edge.ports()["sip_udp"]

    def talk(self, one: str, other: str) -> None:
        """Wait until each of two real phones hears the other's tone."""

        def hears(who: str, whom: str) -> bool:
            return heard_hz(self.folder / f"baresip-{who}") == TONES[whom]

        eventually(lambda: hears(one, other) and hears(other, one), 10, f"{one} and {other} hear each other")

    def provider(self, which: str, *, in_uri: bool = False) -> KamailioProvider:
        """Start one of the providers."""
        return self.stack.enter_context(KamailioProvider(self.folder / which, self.ports[which], in_uri=in_uri))

    def hold(self, which: str) -> None:
        """Take a provider's port without ever answering there."""
        held = self.stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        held.bind(("127.0.0.1", self.ports[which]))

    def registered(self, provider: KamailioProvider, times: int = 1) -> None:
        """Wait until the trunk has registered."""
        eventually(
            lambda: len([one for one in provider.requests("REGISTER") if 'username="office"' in one]) >= times,
            15,
            "the trunk registers",
        )

    def raw(self, number: str, timeout: float = 8.0) -> RawPhone:
        """A plain phone of the site."""
        target = ("127.0.0.1", self.edge_port)
        return self.stack.enter_context(
            RawPhone(target, number, f"auth{number}", f"password-of-{number}", timeout=timeout)
        )

    def phone(self, number: str) -> Baresip:
        """A real phone of the site, registered."""
        account = PhoneAccount(number, f"auth{number}", f"password-of-{number}", DOMAIN, f"127.0.0.1:{self.edge_port}")
        phone = self.stack.enter_context(
            Baresip(self.folder / f"baresip-{number}", account, TONES[number], recording=True)
        )
        phone.registered()
        return phone

    def outside(self, provider: KamailioProvider, number: str = MOBILE) -> Baresip:
        """A real phone in the public network, registered at a provider."""
        account = PhoneAccount(number, number, f"password-of-{number}", REALM, f"127.0.0.1:{provider.port}")
        phone = self.stack.enter_context(
            Baresip(self.folder / f"baresip-{number}", account, TONES[number], recording=True)
        )
        phone.registered()
        return phone

    def happened(self) -> list[Happening]:
        """What the edge has to tell the cloud."""
        outbox = Outbox.open(self.state_dir / "outbox.db", SystemClock(), SystemTokens())
        try:
            return [event.body.what for event in outbox.read(0, 1000)]
        finally:
            outbox.close()

    def records(self, count: int = 1) -> list[CallEnded]:
        """The records of calls, once there are so many."""
        found: list[CallEnded] = []

        def ended() -> bool:
            found[:] = [what for what in self.happened() if isinstance(what, CallEnded)]
            return len(found) >= count

        eventually(ended, 10, "the records of calls on the edge's disk")
        assert len(found) == count
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def _header(request: str, name: str) -> str:
    (value,) = (line.partition(":")[2].strip() for line in request.splitlines() if line.startswith(name + ":"))
    return value


def test_a_real_phone_calls_out_by_a_trunk_that_registered(office: Office) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    phone, mobile = office.phone("200"), office.outside(provider)
    phone.dial(f"sip:{MOBILE}@{DOMAIN}")
    mobile.accept()
    phone.wait_for("CALL_ESTABLISHED")
    office.talk("200", MOBILE)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert (record.callee, record.disposition, record.caller_user_id) == (MOBILE, "answered", "user-200")
    first, again = provider.requests("INVITE")
    assert "Proxy-Authorization" not in first
    assert 'username="office"' in again
    for request in (first, again):
        assert _header(request, "From").startswith("<sip:0441112233@127.0.0.1>;tag=")
        assert _header(request, "P-Asserted-Identity") == "<sip:0441112233@127.0.0.1>"
        head = request.partition("\n\n")[0].partition("\r\n\r\n")[0]
        for hidden in ("Record-Route", "User-Agent", DOMAIN, f":{office.edge_port}", "auth200", "Desk"):
            assert hidden not in head, (hidden, head)
        assert head.count("Via:") == 1


def test_media_of_a_trunks_call_goes_by_the_relay_and_comes_back_when_the_media_process_dies(office: Office) -> None:
    provider = office.provider("first")
    office.begin(relay="always")
    office.registered(provider)
    phone, mobile = office.phone("200"), office.outside(provider)
    phone.dial(f"sip:{MOBILE}@{DOMAIN}")
    mobile.accept()
    phone.wait_for("CALL_ESTABLISHED")
    office.talk("200", MOBILE)

    def media() -> dict[str, Any]:
        (found,) = (one for one in office.edge.status()["processes"] if one["name"] == "media")
        return dict(found)

    def relayed() -> bool:
        figures = media()["figures"]
        return bool(figures.get("relay.streams") == 1 and figures["relay.packets"] > 50)

    eventually(relayed, 60, "the relay carries the call")
    before = media()["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: media()["pid"] not in (None, before) and relayed(), 60, "the next media process carries it on")
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    eventually(lambda: media()["figures"].get("relay.streams") == 0, 60, "its ports are free")


def test_a_trunk_over_tcp_registers_and_carries_calls_both_ways(office: Office) -> None:
    provider = office.provider("first")
    office.begin(transport="tcp")
    office.registered(provider)
    phone, mobile = office.phone("202"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    caller = office.raw("200")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(caller.invite, MOBILE, SDP)
        mobile.accept()
        answered = answer.result(timeout=10)
    assert answered.status == 200
    assert caller.hang_up(answered).status == 200
    mobile.wait_for("CALL_CLOSED")
    for method in ("REGISTER", "INVITE"):
        assert "Via: SIP/2.0/TCP 127.0.0.1" in provider.requests(method, "office")[-1]


@pytest.mark.parametrize("in_uri", [False, True])
def test_a_call_to_a_number_of_the_trunk_rings_whose_number_it_is(office: Office, in_uri: bool) -> None:
    provider = office.provider("first", in_uri=in_uri)
    office.begin(called_number_in="request_uri" if in_uri else "to")
    office.registered(provider)
    phone, mobile = office.phone("202"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)
    mobile.hang_up()
    phone.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert (record.caller, record.callee_user_id, record.disposition) == ("+41791112233", "user-202", "answered")
    assert [reason.partition(":")[0] for reason in record.reasons] == ["inward", "inward_number", "internal", "ring"]


@pytest.mark.parametrize("away", ["silent", "not there"])
def test_a_provider_that_is_away_is_left_for_the_next_in_under_three_seconds(office: Office, away: str) -> None:
    if away == "silent":
        office.hold("first")
    second = office.provider("second")
    office.begin(options_seconds=0, register_seconds=0)
    mobile = office.outside(second)
    phone = office.phone("200")
    began = SystemClock().monotonic()
    phone.dial(f"sip:{MOBILE}@{DOMAIN}")
    mobile.wait_for("CALL_INCOMING")
    assert SystemClock().monotonic() - began < 3.0
    mobile.command("accept")
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    codes = [reason.partition(":")[0] for reason in record.reasons]
    assert codes == ["custom", "gateway", "ended", "gateway"]


def test_trunks_without_a_free_line_are_left_and_the_caller_is_told(office: Office) -> None:
    office.provider("first")
    office.provider("second")
    office.begin()
    assert office.raw("200").invite(ALL_LINES_BUSY).status == 500
    codes = [reason.partition(":")[0] for reason in office.records()[0].reasons]
    assert codes == ["custom", "gateway", "ended", "gateway", "ended", "no_gateway"]


def test_a_call_of_the_trunk_is_transferred_to_a_phone(office: Office) -> None:
    provider = office.provider("first")
    office.begin()
    office.registered(provider)
    phone, other, mobile = office.phone("202"), office.phone("201"), office.outside(provider)
    mobile.dial(f"sip:0441112202@{REALM}")
    phone.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    phone.command("transfer", f"sip:201@{DOMAIN}")
    other.accept()
    other.wait_for("CALL_ESTABLISHED")
    phone.wait_for("CALL_CLOSED")
    office.talk("201", MOBILE)
    assert not provider.requests("REFER")
    other.hang_up()
    mobile.wait_for("CALL_CLOSED")


def test_a_trunk_that_is_refused_or_silent_is_told_of_and_comes_back(office: Office) -> None:
    office.hold("second")
    first = office.provider("first")
    office.begin(register_seconds=0)
    text = "second: it does not answer"

    def told() -> bool:
        alarms = [what for what in office.happened() if isinstance(what, AlarmChanged) and what.alarm == "trunk_down"]
        return bool(alarms) and alarms[-1].active and alarms[-1].text == text

    eventually(told, 90, "the silent trunk is told of")
    assert first.requests("OPTIONS")


def test_a_long_call_is_refreshed_at_the_provider_and_goes_on(office: Office) -> None:
    """RFC 4028: sipp as a static trunk, whose session timer of 90 seconds is refreshed at half time."""
    provider = office.stack.enter_context(Sipp(office.folder, "refreshed", port=office.ports["first"]))
    office.begin(register_seconds=0, options_seconds=0, session_expires=90)
    phone = office.raw("200")
    answer = phone.invite(MOBILE, SDP)
    assert answer.status == 200
    phone.acknowledge(answer)
    provider.finish(within=70)
    (record,) = office.records()
    assert record.answered_at is not None
    assert (record.ended_at - record.answered_at).total_seconds() > 40
