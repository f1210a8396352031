"""An office whose edge has trunks, with its cloud or without: the edge, providers (Kamailio), phones at both ends."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from cloud.local.baresip import Baresip, PhoneAccount, free_pair
from contract.snapshot import (
    CallPattern,
    DialPattern,
    DialPlan,
    Gateway,
    HuntGroup,
    IncomingNumbers,
    InternalRule,
    InwardNumber,
    Line,
    NumberFormat,
    OutsideRule,
    RecordingPolicy,
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
from tests.support.kamailio_gateway import KamailioGateway
from tests.support.kamailio_provider import REALM, KamailioProvider, ProviderTls
from tests.support.phones.phone import Seen, Surroundings
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.raw_sip import RawPhone
from tests.support.reachable_cloud import ReachableCloud
from tests.support.waiting import eventually

DOMAIN: Final = "demo.tandem.test"
NUMBERS: Final = ("200", "201", "202")
SECRETS: Final = {f"s-{number}:1": f"password-of-{number}" for number in NUMBERS} | {
    "t-first:1": "password-of-office",
    "t-second:1": "password-of-office",
}
MOBILE: Final = "0791112233"
SECOND_MOBILE: Final = "0792223344"
TONES: Final = {"200": 440, "201": 600, "202": 700, MOBILE: 1000, SECOND_MOBILE: 1300}
"""What each real phone speaks, Hz."""


def trunk(name: str, at: int, **more: object) -> Trunk:
    """A trunk with an account that registers; numbers are E.164 inside and national at the provider."""
    return Trunk.model_validate(
        {
            "gateway_id": name,
            "name": name,
            "host": "127.0.0.1",
            "port": at,
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


def snapshot(
    trunks: tuple[Trunk, ...],
    recording: RecordingPolicy | None = None,
    recorders: tuple[str, ...] = (),
    groups: tuple[HuntGroup, ...] = (),
    gateways: tuple[Gateway, ...] = (),
) -> Snapshot:
    """Three users, two of whom may call mobiles; 200 has a number of his own, and +41441112202 is 202's."""
    names = tuple(one.gateway_id for one in (*gateways, *trunks))
    return Snapshot(
        version=1,
        site=Site(
            site_id="site-1",
            tenant_id="tenant-1",
            name="Head office",
            domain=DOMAIN,
            realm="realm-1",
            recording=recording or RecordingPolicy(),
        ),
        users=tuple(
            User(
                user_id=f"user-{number}",
                username=number,
                display_name=f"Desk {number}",
                extension=number,
                permissions=(
                    *(("Mobile",) if number != "202" else ()),
                    *(("RecordCalls",) if number in recorders else ()),
                ),
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
            gateways=gateways,
            hunt_groups=groups,
            numbers=(InwardNumber(number="+41441112202", destination="202"),),
        ),
    )


class Office:
    """A running edge with two trunks, and providers that are started as a test wants them."""

    def __init__(self, folder: Path, stack: ExitStack, cloud: str = "") -> None:
        self.folder, self.stack, self._state = folder, stack, cloud
        self.cloud: ReachableCloud | None = None
        self.ports = {name: free_pair() for name in ("first", "second", "gateway")}
        self.state_dir = folder / "state"

    def begin(
        self,
        *,
        relay: str = "auto",
        environment: Mapping[str, str] | None = None,
        each: Mapping[str, Mapping[str, object]] | None = None,
        recording: RecordingPolicy | None = None,
        recorders: tuple[str, ...] = (),
        groups: tuple[HuntGroup, ...] = (),
        gateway: bool = False,
        **more: object,
    ) -> None:
        """Start the edge.

        Args:
            relay: the machine's setting `sip.trunks.relay`.
            environment: further settings of the machine.
            each: by trunk, what its settings are besides `more`.
            recording: what the site records.
            recorders: users who may have their calls recorded.
            groups: hunt groups.
            gateway: whether the gateway `pri` is there, by which calls leave first.
            more: settings of both trunks.
        """
        own = each or {}
        trunks = tuple(trunk(name, self.ports[name], **{**more, **own.get(name, {})}) for name in ("first", "second"))
        pri = Gateway(
            gateway_id="pri",
            name="PRI",
            host="127.0.0.1",
            port=self.ports["gateway"],
            numbers=NumberFormat(style="national", country_code="41"),
        )
        what = snapshot(trunks, recording, recorders, groups, (pri,) if gateway else ())
        if self._state:
            self.cloud = ReachableCloud(self.folder / "cloud", what, self._state)
            self.stack.callback(self.cloud.close)
        prepare_state(self.state_dir, what, SECRETS, self.cloud.identity if self.cloud is not None else None)
        ports = {f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")}
        ports |= {"TANDEM_EDGE_SIP_TRUNKS_RELAY": relay, **(environment or {})}
        self._run(ports)

    def _run(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.edge = EdgeProcess(self.state_dir, environment)
        self.stack.callback(self.edge.stop)
        self.edge_port = self.edge.ports()["sip_udp"]
        if self.cloud is not None:
            self.cloud.is_known_to(self.edge)

    def kill(self) -> None:
        """Kill the agent outright, and start it again where phones know it."""
        self.edge.kill()
        self._run({**self._environment, "TANDEM_EDGE_SIP_UDP_PORT": str(self.edge_port)})

    def talk(self, one: str, other: str) -> None:
        """Wait until each of two real phones hears the other's tone."""

        def hears(who: str, whom: str) -> bool:
            return any(heard_hz(self.folder / f"{kind}-{who}") == TONES[whom] for kind in ("baresip", "pjsua"))

        eventually(lambda: hears(one, other) and hears(other, one), 10, f"{one} and {other} hear each other")

    def provider(self, which: str, *, in_uri: bool = False, tls: ProviderTls | None = None) -> KamailioProvider:
        """Start one of the providers."""
        provider = KamailioProvider(self.folder / which, self.ports[which], in_uri=in_uri, tls=tls)
        return self.stack.enter_context(provider)

    def hold(self, which: str) -> None:
        """Take a provider's port without ever answering there."""
        held = self.stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        held.bind(("127.0.0.1", self.ports[which]))

    def registered(self, provider: KamailioProvider, times: int = 1) -> None:
        """Wait until the trunk has registered."""
        eventually(
            lambda: len([one for one in provider.requests("REGISTER") if 'username="office"' in one]) >= times,
            30,
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

    def pjsua(self, number: str) -> PjsuaPhone:
        """A real phone of the site that brings two others together, registered."""
        target = f"127.0.0.1:{self.edge_port}"
        account = PhoneAccount(number, f"auth{number}", f"password-of-{number}", DOMAIN, target)
        surroundings = Surroundings(self.folder, {"udp": target}, self.folder, DOMAIN)
        phone = self.stack.enter_context(PjsuaPhone(f"pjsua-{number}", account, surroundings))
        phone.wait_for(Seen.REGISTERED, 60)
        phone.forget()
        return phone

    def outside(self, provider: KamailioProvider, number: str = MOBILE) -> Baresip:
        """A real phone in the public network, registered at a provider."""
        account = PhoneAccount(number, number, f"password-of-{number}", REALM, f"127.0.0.1:{provider.port}")
        phone = self.stack.enter_context(
            Baresip(self.folder / f"baresip-{number}", account, TONES[number], recording=True)
        )
        phone.registered()
        return phone

    def behind_gateway(self, number: str = MOBILE) -> Baresip:
        """A real phone in the public network, and the site's gateway, which is started: it calls nobody else."""
        account = PhoneAccount(number, "", "", "127.0.0.1", f"127.0.0.1:{self.ports['gateway']}")
        phone = self.stack.enter_context(
            Baresip(self.folder / f"baresip-{number}", account, TONES[number], expires_seconds=0, recording=True)
        )
        network = int(phone.at.rpartition(":")[2])
        gateway = KamailioGateway(self.folder / "gateway", self.ports["gateway"], self.edge_port, network)
        self.stack.enter_context(gateway)
        return phone

    def call_out(self, provider: KamailioProvider, number: str = "200") -> tuple[Baresip, Baresip]:
        """A phone of the site calls one in the public network, and both hear each other; the two."""
        phone, mobile = self.phone(number), self.outside(provider)
        phone.dial(f"sip:{MOBILE}@{DOMAIN}")
        mobile.accept()
        phone.wait_for("CALL_ESTABLISHED")
        self.talk(number, MOBILE)
        return phone, mobile

    def pjsua_outside(self, provider: KamailioProvider, number: str) -> PjsuaPhone:
        """The same that records what it hears after it was held, too."""
        target = f"127.0.0.1:{provider.port}"
        account = PhoneAccount(number, number, f"password-of-{number}", REALM, target)
        phone = PjsuaPhone(f"pjsua-{number}", account, Surroundings(self.folder, {"udp": target}, self.folder, REALM))
        phone.tone_hz = TONES[number]
        self.stack.enter_context(phone)
        phone.wait_for(Seen.REGISTERED, 60)
        return phone

    def happened(self) -> list[Happening]:
        """What the edge has to tell the cloud."""
        if self.cloud is not None:
            return self.cloud.happened(self.state_dir)
        outbox = Outbox.open(self.state_dir / "outbox.db", SystemClock(), SystemTokens())
        try:
            return [event.body.what for event in outbox.read(0, 1000)]
        finally:
            outbox.close()

    def alarms(self) -> list[AlarmChanged]:
        """What the edge has said of its trunks, oldest first."""
        return [what for what in self.happened() if isinstance(what, AlarmChanged) and what.alarm == "trunk_down"]

    def records(self, count: int = 1) -> list[CallEnded]:
        """The records of calls, once there are so many."""
        found: list[CallEnded] = []

        def ended() -> bool:
            found[:] = [what for what in self.happened() if isinstance(what, CallEnded)]
            return len(found) >= count

        eventually(ended, 10, "the records of calls on the edge's disk")
        assert len(found) == count
        return found
