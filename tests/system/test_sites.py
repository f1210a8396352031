"""Two sites of one tenant, each a whole edge whose cloud is away: real phones call each other edge to edge by TLS."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest

from cloud.local.baresip import Baresip, PhoneAccount, free_pair
from contract.snapshot import (
    Colleague,
    DialPlan,
    EdgeAddress,
    InternalRule,
    Line,
    NumberFormat,
    OtherSite,
    SipCertificate,
    Site,
    SiteToSiteRule,
    Snapshot,
    Trunk,
    User,
)
from contract.sync.events import CallEnded
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.certificates import Authority
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.heard_tone import heard_hz
from tests.support.kamailio_provider import REALM, KamailioProvider
from tests.support.raw_sip import RawPhone
from tests.support.waiting import eventually

DOMAIN: Final = "demo.tandem.test"
TENANT: Final = "tenant-1"
PEOPLE: Final = {"north": ("200", "201"), "south": ("300", "301")}
NAMES: Final = {site: f"{site}.{TENANT}.tandem-sites.invalid" for site in PEOPLE}
PUBLIC: Final = "+41791112233"
"""The public number of 300."""
MOBILE: Final = "0791112233"
TONES: Final = {"200": 440, "201": 520, "300": 700, "301": 800, MOBILE: 1000}

pytestmark = [pytest.mark.peer("baresip", "kamailio"), pytest.mark.timeout(180)]


class Sites:
    """Two edges that know each other, and their phones."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.authority = Authority(folder, "authority of the tenant")
        self.ports = {site: free_pair() for site in PEOPLE}
        """Where each listens for the other."""
        self.edges: dict[str, EdgeProcess] = {}

    def begin(self, site: str, authority: Authority | None = None, trunk_port: int = 0) -> EdgeProcess:
        """Start the edge of a site.

        Args:
            authority: who signs its certificate; None: the tenant's.
            trunk_port: of the provider by which the public numbers of colleagues are called; 0: there is none.
        """
        certificate, key = (authority or self.authority).issue(NAMES[site], site, names=[DOMAIN, NAMES[site]])
        other = next(one for one in PEOPLE if one != site)
        trunks = (_trunk(trunk_port),) if trunk_port else ()
        snapshot = Snapshot(
            version=1,
            site=Site(
                site_id=site,
                tenant_id=TENANT,
                name=site.capitalize(),
                domain=DOMAIN,
                realm=f"realm-{site}",
                authority=self.authority.file.read_text(),
                sip_certificate=SipCertificate(chain=certificate.read_text(), key="s-key:1"),
            ),
            users=tuple(
                User(user_id=f"user-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in PEOPLE[site]
            ),
            lines=tuple(
                Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
                for n in PEOPLE[site]
            ),
            other_sites=(
                OtherSite(
                    site_id=other,
                    name=other.capitalize(),
                    certificate_name=NAMES[other],
                    edges=(EdgeAddress(edge_id=f"edge-{other}", host="127.0.0.1", port=self.ports[other]),),
                    colleagues=tuple(
                        Colleague(name=f"Desk {n}", dialled=(n,), number=PUBLIC if n == "300" else None)
                        for n in PEOPLE[other]
                    ),
                ),
            ),
            dial_plan=DialPlan(
                rules=(
                    InternalRule(rule_id="internal"),
                    SiteToSiteRule(rule_id="sites", gateways=tuple(one.gateway_id for one in trunks)),
                ),
                trunks=trunks,
            ),
        )
        secrets = {f"s-{n}:1": f"password-of-{n}" for n in PEOPLE[site]}
        secrets |= {"s-key:1": key.read_text(), "t-first:1": "password-of-office"}
        prepare_state(self.folder / site, snapshot, secrets)
        edge = EdgeProcess(
            self.folder / site,
            {
                "TANDEM_EDGE_SIP_SITES_PORT": str(self.ports[site]),
                **{f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")},
            },
        )
        self._stack.callback(edge.stop)
        self.edges[site] = edge
        assert edge.ports()["sip_sites"] == self.ports[site]
        return edge

    def phone(self, number: str) -> Baresip:
        """A real phone, registered at its own site."""
        site = next(one for one, numbers in PEOPLE.items() if number in numbers)
        registrar = f"127.0.0.1:{self.edges[site].ports()['sip_udp']}"
        account = PhoneAccount(number, f"auth{number}", f"password-of-{number}", DOMAIN, registrar)
        phone = Baresip(self.folder / f"baresip-{number}", account, TONES[number], recording=True)
        self._stack.enter_context(phone).registered()
        return phone

    def outside(self, provider: KamailioProvider) -> Baresip:
        """A real phone in the public network."""
        account = PhoneAccount(MOBILE, MOBILE, f"password-of-{MOBILE}", REALM, f"127.0.0.1:{provider.port}")
        phone = Baresip(self.folder / f"baresip-{MOBILE}", account, TONES[MOBILE], recording=True)
        self._stack.enter_context(phone).registered()
        return phone

    def provider(self) -> KamailioProvider:
        """A provider in the public network."""
        return self._stack.enter_context(KamailioProvider(self.folder / "provider", free_pair()))

    def raw(self, number: str) -> RawPhone:
        """A plain phone at the north."""
        target = ("127.0.0.1", self.edges["north"].ports()["sip_udp"])
        return self._stack.enter_context(
            RawPhone(target, number, f"auth{number}", f"password-of-{number}", timeout=10.0)
        )

    def talk(self, one: str, other: str) -> None:
        """Wait until each of two phones hears the other's tone."""

        def hears(who: str, whom: str) -> bool:
            return heard_hz(self.folder / f"baresip-{who}") == TONES[whom]

        eventually(lambda: hears(one, other) and hears(other, one), 15, f"{one} and {other} hear each other")

    def records(self, site: str, count: int) -> list[CallEnded]:
        """So many records of calls on a site's disk."""
        found: list[CallEnded] = []

        def ended() -> bool:
            outbox = Outbox.open(self.folder / site / "outbox.db", SystemClock(), SystemTokens())
            try:
                found[:] = [event.body.what for event in outbox.read(0, 1000) if isinstance(event.body.what, CallEnded)]
            finally:
                outbox.close()
            return len(found) >= count

        eventually(ended, 15, "the records of calls on the edge's disk")
        return found


def _trunk(port: int) -> Trunk:
    return Trunk(
        gateway_id="first",
        name="Provider",
        host="127.0.0.1",
        port=port,
        username="office",
        password_ref="t-first:1",
        options_seconds=2,
        numbers=NumberFormat(style="national", country_code="41"),
    )


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    with ExitStack() as stack:
        yield Sites(tmp_path, stack)


def test_phones_of_two_sites_call_each_other_edge_to_edge_and_hear_each_other(sites: Sites) -> None:
    sites.begin("north")
    sites.begin("south")
    north, south = sites.phone("200"), sites.phone("300")
    north.dial(f"sip:300@{DOMAIN}")
    ringing = south.wait_for("CALL_INCOMING", within=20)
    assert f"sip:200@{DOMAIN}" in str(ringing["peeruri"])
    south.command("accept")
    north.wait_for("CALL_ESTABLISHED")
    sites.talk("200", "300")
    south.hang_up()
    north.wait_for("CALL_CLOSED")
    (out,) = sites.records("north", 1)
    (came,) = sites.records("south", 1)
    assert (out.callee, out.disposition, out.caller_user_id) == ("300", "answered", "user-200")
    assert (came.caller, came.callee_user_id, came.disposition) == ("200", "user-300", "answered")
    assert any("edge to edge by TLS" in reason for reason in out.reasons)
    # The other way, and who called hangs up.
    south.take_events(), north.take_events()
    south.dial(f"sip:200@{DOMAIN}")
    north.accept(within=20)
    south.wait_for("CALL_ESTABLISHED")
    south.hang_up()
    north.wait_for("CALL_CLOSED")
    assert sites.records("south", 2)[1].disposition == "answered"
    # The provisional answers, the refusal and what nobody has there come back as at one site.
    north.take_events()
    north.dial(f"sip:301@{DOMAIN}")
    assert "480" in str(north.wait_for("CALL_CLOSED")["param"])


def test_whoever_the_tenants_authority_did_not_sign_for_a_site_gets_no_further_than_the_handshake(
    sites: Sites, tmp_path: Path
) -> None:
    sites.begin("south")
    (tmp_path / "foreign").mkdir()
    foreign = Authority(tmp_path / "foreign", "authority of another tenant")
    port = sites.ports["south"]
    shown = {
        "of another tenant": foreign.issue(NAMES["north"], "forged", names=[NAMES["north"]]),
        "for no site": sites.authority.issue(DOMAIN, "phone", names=[DOMAIN]),
        "for two sites": sites.authority.issue(DOMAIN, "both", names=list(NAMES.values())),
        "nothing": None,
    }
    for what, files in shown.items():
        assert not _is_answered(port, files), what
    good = sites.authority.issue(NAMES["north"], "good", names=[NAMES["north"]])
    assert _is_answered(port, good), "the certificate of a site"
    stranger = RawPhone(("127.0.0.1", sites.edges["south"].ports()["sip_udp"]), "200", "auth200", "guessed", timeout=5)
    with stranger:
        assert stranger.invite("300").status in (403, 407), "a header is no proof"


def test_nobody_is_called_at_an_edge_that_shows_the_certificate_of_another_tenant(sites: Sites, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    sites.begin("south", Authority(tmp_path / "foreign", "authority of another tenant"))
    sites.begin("north")
    assert sites.raw("200").invite("301").status == 503
    (record,) = sites.records("north", 1)
    assert any("South is not reached, and no public number is known" in reason for reason in record.reasons)


def test_a_site_whose_edge_is_dead_is_reached_by_the_public_number_in_under_three_seconds(sites: Sites) -> None:
    provider = sites.provider()
    # It takes connections and never says anything: the worst that an edge can do.
    held = sites._stack.enter_context(closing(socket.create_server(("127.0.0.1", sites.ports["south"]))))
    sites.begin("north", trunk_port=provider.port)
    mobile, north = sites.outside(provider), sites.phone("200")
    began = time.monotonic()
    north.dial(f"sip:300@{DOMAIN}")
    mobile.wait_for("CALL_INCOMING")
    assert time.monotonic() - began < 3.0
    mobile.command("accept")
    north.wait_for("CALL_ESTABLISHED")
    sites.talk("200", MOBILE)
    north.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = sites.records("north", 1)
    assert any(f"called by the public number {PUBLIC}" in reason for reason in record.reasons)
    held.close()


def _is_answered(port: int, files: tuple[Path, Path] | None) -> bool:
    """Whether a plain TLS client that shows this certificate gets an answer to OPTIONS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if files is not None:
        context.load_cert_chain(*files)
    request = (
        f"OPTIONS sip:127.0.0.1:{port};transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\n"
        f"Max-Forwards: 5\r\nFrom: <sip:200@{DOMAIN}>;tag=1\r\nTo: <sip:127.0.0.1:{port}>\r\nCall-ID: 1\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain, server_hostname=DOMAIN) as stream,
        ):
            stream.sendall(request.encode())
            return stream.recv(4096).startswith(b"SIP/2.0 200")
    except (ssl.SSLError, ConnectionError):
        return False
