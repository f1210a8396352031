"""SIP servers of others that have numbers of the plan, trusted or not by the site: Kamailio, with the cloud or not."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.snapshot import DialPattern, DialPlan, Gateway, InternalRule, Line, OutsideRule, Site, Snapshot, User
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.kamailio_gateway import KamailioGateway
from tests.support.raw_callee import RawCallee
from tests.support.raw_sip import RawPhone
from tests.support.reachable_cloud import ReachableCloud
from tests.support.sipp import free_udp_port

DOMAIN = "demo.tandem.test"
NUMBERS = ("200", "202")
SECRETS = {f"s-{number}:1": f"password-of-{number}" for number in NUMBERS}
FIRST_DIGIT = {"trusted": "7", "stranger": "8"}

pytestmark = [pytest.mark.peer("kamailio"), pytest.mark.timeout(180)]


def snapshot(ports: dict[str, int]) -> Snapshot:
    """Each server has the number 90 after its digit, and the range 4xxx; 200 shows a number of his own."""
    rules = [
        OutsideRule(
            rule_id=f"to-{name}",
            name=name,
            patterns=(DialPattern(prefix=f"{digit}90", digits=0), DialPattern(prefix=f"{digit}4", digits=3)),
            gateways=(name,),
        )
        for name, digit in FIRST_DIGIT.items()
    ]
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(
                user_id=f"user-{number}",
                username=number,
                display_name=f"Desk {number}",
                extension=number,
                caller_id="+41441112200" if number == "200" else None,
            )
            for number in NUMBERS
        ),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in NUMBERS
        ),
        dial_plan=DialPlan(
            rules=(*rules, InternalRule(rule_id="internal")),
            gateways=tuple(
                Gateway(gateway_id=name, name=name, host="127.0.0.1", port=port, trusted=name == "trusted")
                for name, port in ports.items()
            ),
        ),
    )


class Office:
    """A running edge, with its cloud or without, and one server that somebody answers at."""

    def __init__(self, folder: Path, stack: ExitStack, which: str, state: str) -> None:
        self._stack = stack
        ports = {name: free_udp_port() for name in FIRST_DIGIT}
        cloud = ReachableCloud(folder / "cloud", snapshot(ports), state)
        stack.callback(cloud.close)
        prepare_state(folder / "state", snapshot(ports), SECRETS, cloud.identity)
        edge = EdgeProcess(folder / "state")
        stack.callback(edge.stop)
        cloud.is_known_to(edge)
        self.edge_port = edge.ports()["sip_udp"]
        self.behind = stack.enter_context(RawPhone(("127.0.0.1", ports[which]), "0791112233", "", "", timeout=1))
        self.server = stack.enter_context(
            KamailioGateway(folder / "server", ports[which], self.edge_port, self.behind.port)
        )
        self.digit = FIRST_DIGIT[which]

    def phone(self, number: str, timeout: float = 15.0) -> RawPhone:
        """A phone of the site."""
        target = ("127.0.0.1", self.edge_port)
        return self._stack.enter_context(
            RawPhone(target, number, f"auth{number}", f"password-of-{number}", timeout=timeout)
        )

    def stranger(self, port: int) -> RawPhone:
        """Somebody with no account who calls at this port."""
        return self._stack.enter_context(RawPhone(("127.0.0.1", port), "0791112234", "", "", timeout=15))


@pytest.fixture(params=["reached", "cut"])
def office(tmp_path: Path, which: str, request: pytest.FixtureRequest) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack, which, request.param)


@pytest.mark.parametrize("which", list(FIRST_DIGIT))
def test_a_server_has_its_number_and_its_range_and_is_told_who_calls_only_where_it_is_trusted(office: Office) -> None:
    with RawCallee(office.behind, (180, 200), registers=False):
        for dialled in ("90", "4000", "4999"):
            assert office.phone("200").invite(office.digit + dialled).status == 200
        assert office.phone("202").invite(f"{office.digit}90").status == 200
    for beside in ("91", "5000", "400", "40000"):
        assert office.phone("200").invite(office.digit + beside).status == 404
    asked = office.server.invites()
    assert [one.split()[1].partition("@")[0] for one in asked] == [
        f"sip:{office.digit}{number}" for number in ("90", "4000", "4999", "90")
    ]
    told = ["P-Asserted-Identity:" in one for one in asked]
    assert told == [office.digit == FIRST_DIGIT["trusted"]] * 4
    assert "From: <sip:+41441112200@" in asked[0]
    for one in asked:
        assert "Proxy-Authorization" not in one
        assert "P-Preferred-Identity" not in one


@pytest.mark.parametrize("which", ["trusted"])
def test_a_trusted_server_sends_calls_in(office: Office) -> None:
    with RawCallee(office.phone("202", timeout=5), (180, 200)):
        assert office.stranger(office.server.port).invite("202").status == 200


@pytest.mark.parametrize("which", ["stranger"])
def test_a_server_that_is_not_trusted_is_refused_what_a_stranger_is_refused(office: Office) -> None:
    with RawCallee(office.phone("202", timeout=5), (180, 200)) as phone:
        by_server = office.stranger(office.server.port).invite("202")
        by_nobody = office.stranger(office.edge_port).invite("202")
        assert by_server.status == by_nobody.status
        assert by_server.status in (403, 407)
        assert not phone.ringing.is_set()
