"""The provisioning process: phones fetch their configuration from it, by every way in which they ask."""

import logging
from pathlib import Path
from typing import Final, Literal

from contract.devices import load_catalogue
from contract.sync.state import StateRecord
from edge_agent.clock import SystemClock
from edge_agent.network.own_addresses import own_addresses, reachable_host
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder, main
from edge_agent.processes.keys import edge_key
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.reporting import Reporting
from edge_agent.provisioning.errors import ConfigRefused
from edge_agent.provisioning.serve.http import PhoneTls
from edge_agent.provisioning.serve.http.tls import CertificateUnusable
from edge_agent.provisioning.server import Keeping, ProvisioningAddresses, ProvisioningServer
from edge_agent.settings import ProvisioningSettings, Settings
from edge_agent.sip.transport.own_certificate import OWN_CERTIFICATE, OWN_KEY, own_certificate
from edge_agent.sync.durable_file import write_durably
from edge_agent.tokens import SystemTokens
from edge_agent.views import provisioning_config

log = logging.getLogger(__name__)

FOLDER: Final = "provisioning"
KEY_FILE: Final = "provisioning.key"
AUTHORITIES: Final = "vendor-authorities"


class ProvisioningSubsystem:
    """Its ports are bound at the first commit: before that every phone would be an unknown one."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._clock = SystemClock()
        self._tokens = SystemTokens()
        self._server: ProvisioningServer | None = None
        self._reporting: Reporting | None = None
        self._tls: PhoneTls | None = None
        self._settings = ProvisioningSettings()
        self._key = b""
        self._devices = 0
        self._http_port = self._https_port = 0

    async def start(self, message: Start) -> Ports:
        """Load the device plug-ins; nothing is bound yet."""
        settings, folder = message.settings.provisioning, message.settings.state_dir
        self._settings = settings
        self._reporting = Reporting(folder, self._bell, self._clock, self._tokens)

        def port(name: str, wanted: int | Literal["off"]) -> int | None:
            return None if wanted == "off" else wanted or message.ports.get(name, 0)

        addresses = ProvisioningAddresses(
            host=settings.address,
            tftp_port=port("tftp", settings.tftp_port),
            http_port=port("http", settings.http_port),
            https_port=port("https", settings.https_port),
            ftp_port=port("ftp", settings.ftp_port),
            plug_and_play_port=port("plug_and_play", settings.plug_and_play_port),
            plug_and_play_interfaces=self._interfaces(),
        )
        if addresses.https_port is not None:
            self._tls = self._phone_tls(message.settings)
            # With a certificate of the agent's own making, phones that check it would fetch nothing.
            self._https_port = addresses.https_port if settings.tls_certificate else 0
        self._http_port = addresses.http_port or 0
        self._key = edge_key(folder / KEY_FILE, self._tokens)
        keeping = Keeping(folder / FOLDER / "uploads", self._key, self._tls)
        self._server = ProvisioningServer(
            addresses, load_catalogue(), self._reporting, self._clock, keeping=keeping, tokens=self._tokens
        )
        return {}

    def _phone_tls(self, settings: Settings) -> PhoneTls:
        """The certificate that the settings name, or one of our own, made where there is none.

        Raises:
            CertificateUnusable: the settings name one that cannot be used.
            OSError: our own cannot be written.
        """
        mine, folder = settings.provisioning, settings.state_dir / FOLDER
        authorities = Path(mine.vendor_authorities) if mine.vendor_authorities else settings.state_dir / AUTHORITIES
        if mine.tls_certificate:
            return PhoneTls(Path(mine.tls_certificate), Path(mine.tls_key), authorities)
        folder.mkdir(mode=0o700, exist_ok=True)
        hosts = (reachable_host(settings.sip.address, settings.sip.advertised_host), *settings.sip.hosts)
        made = own_certificate(folder, hosts, self._clock.now())
        if made is not None:
            for name, content in zip((OWN_KEY, OWN_CERTIFICATE), reversed(made), strict=True):
                write_durably(folder / name, content)
        return PhoneTls(folder / OWN_CERTIFICATE, folder / OWN_KEY, authorities)

    async def prepare(self, message: Prepare) -> None:
        """Render every device's files, beside what is being served."""
        config = provisioning_config(message, self._http_port, self._https_port, self._key)
        try:
            await self._running().prepare(config)
        except ConfigRefused as error:
            raise ConfigurationRefused(*error.problems) from None
        self._devices = len(config.devices)

    async def commit(self) -> Ports:
        """Serve what was rendered; the first time, listen."""
        server = self._running()
        server.commit()
        if not server.ports:
            await server.start()
        server.pnp.join(self._interfaces())
        if self._tls is not None:
            try:
                self._tls.load()
            except CertificateUnusable as error:
                # What is there goes on: a certificate that is half copied must not stop the phones.
                log.warning("phone_certificate_unusable", extra={"problem": str(error)})
        return dict(server.ports)

    async def set_state(self, records: tuple[StateRecord, ...]) -> None:
        """No file of a phone depends on site state."""

    async def order(self, name: str, arguments: dict[str, str]) -> str:
        """There is no order for provisioning yet."""
        raise UnknownOrder(f"provisioning knows no order {name}")

    def figures(self) -> dict[str, int]:
        """How many devices are served."""
        return {"devices": self._devices}

    async def stop(self) -> None:
        """Close every port and let go of the outbox."""
        if self._server is not None:
            await self._server.stop()
        if self._reporting is not None:
            self._reporting.close()

    def _interfaces(self) -> tuple[str, ...]:
        """Where phones are answered by multicast: what the settings say, or the address that is listened at, or all."""
        if self._settings.plug_and_play_interfaces:
            return self._settings.plug_and_play_interfaces
        return own_addresses() if self._settings.address == "0.0.0.0" else (self._settings.address,)

    def _running(self) -> ProvisioningServer:
        if self._server is None:
            raise ConfigurationRefused("provisioning was not started")
        return self._server


if __name__ == "__main__":
    main(ProvisioningSubsystem)
