"""One real edge with a user for each phone, listening on every transport; its cloud is away, or as a test says."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from cloud.local.baresip import PhoneAccount
from contract.snapshot import DialPlan, InternalRule, Line, Site, Snapshot, User
from tests.support.certificates import Authority
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.phones.phone import Surroundings
from tests.support.reachable_cloud import ReachableCloud

DOMAIN: Final = "demo.tandem.test"
HOST: Final = "127.0.0.1"
TRANSPORTS: Final = ("udp", "tcp", "tls", "wss")


class PeerSite:
    """The edge and what phones need to know of it.

    Args:
        folder: for the edge's state and the phones' files.
        numbers: one user with one line for each.
        snapshot: of the site, with those users; None: one that knows extensions only.
        cloud: of the edge; None: one that never answers.
        environment: further settings of the edge.
    """

    def __init__(
        self,
        folder: Path,
        numbers: Iterable[str],
        snapshot: Snapshot | None = None,
        cloud: ReachableCloud | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.state_dir = folder / "state"
        numbers = tuple(numbers)
        secrets = {f"s-{number}:1": _password(number) for number in numbers}
        identity = cloud.identity if cloud is not None else None
        prepare_state(self.state_dir, snapshot or _snapshot(numbers), secrets, identity)
        authority = self.authority = Authority(folder)
        certificate, key = authority.issue(HOST, "edge")
        self._environment = {
            "TANDEM_EDGE_SIP_WSS_PORT": "0",
            "TANDEM_EDGE_SIP_TLS_CERTIFICATE": str(certificate),
            "TANDEM_EDGE_SIP_TLS_KEY": str(key),
            # Whom the machine believes: the edge opens no TLS connection to a proxy whose certificate is nobody's.
            "SSL_CERT_FILE": str(authority.file),
            **(environment or {}),
        }
        self.edge = EdgeProcess(self.state_dir, self._environment)
        try:
            self.ports = self.edge.ports()
        except AssertionError:
            self.stop()
            raise
        target = {transport: f"{HOST}:{self.ports[f'sip_{transport}']}" for transport in TRANSPORTS}
        self.surroundings = Surroundings(folder, target, authority.file, DOMAIN)

    def restart(self) -> None:
        """Kill the agent outright, and start it again at the same ports."""
        self.edge.kill()
        fixed = {f"TANDEM_EDGE_SIP_{name.upper()}_PORT": str(self.ports[f"sip_{name}"]) for name in TRANSPORTS}
        self.edge = EdgeProcess(self.state_dir, {**self._environment, **fixed})
        again = self.edge.ports()
        assert [again[f"sip_{name}"] for name in TRANSPORTS] == [self.ports[f"sip_{name}"] for name in TRANSPORTS]

    def account(self, number: str, transport: str, registrar: str = "") -> PhoneAccount:
        """What a phone registers with.

        Args:
            number: of its user.
            transport: `udp`, `tcp`, `tls` or `wss`.
            registrar: `host:port` of a proxy in front of the edge; the edge itself when empty.
        """
        return PhoneAccount(
            username=number,
            auth_username=f"auth{number}",
            password=_password(number),
            domain=DOMAIN,
            registrar=registrar or self.surroundings.target[transport],
            transport=transport,
        )

    def stop(self) -> None:
        """End the edge."""
        self.edge.stop()


def _password(number: str) -> str:
    return f"password-of-{number}"


def _snapshot(numbers: tuple[str, ...]) -> Snapshot:
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Phones", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(user_id=f"user-{number}", username=number, display_name=f"Desk {number}", extension=number)
            for number in numbers
        ),
        lines=tuple(
            Line(
                line_id=f"line-{number}",
                user_id=f"user-{number}",
                device_id=None,
                auth_username=f"auth{number}",
                password=f"s-{number}:1",
            )
            for number in numbers
        ),
        devices=(),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="rule-1"),)),
    )
