"""The provisioning process: phones fetch their configuration from it by TFTP and HTTP."""

from contract.devices import load_catalogue
from contract.sync.state import StateRecord
from edge_agent.clock import SystemClock
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder, main
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.reporting import Reporting
from edge_agent.provisioning.errors import ConfigRefused
from edge_agent.provisioning.server import ProvisioningAddresses, ProvisioningServer
from edge_agent.tokens import SystemTokens
from edge_agent.views import provisioning_config


class ProvisioningSubsystem:
    """Its ports are bound at the first commit: before that every phone would be an unknown one."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._clock = SystemClock()
        self._server: ProvisioningServer | None = None
        self._reporting: Reporting | None = None
        self._devices = 0
        self._http_port = 0

    async def start(self, message: Start) -> Ports:
        """Load the device plug-ins; nothing is bound yet."""
        settings = message.settings.provisioning
        self._reporting = Reporting(message.settings.state_dir, self._bell, self._clock, SystemTokens())
        addresses = ProvisioningAddresses(
            host=settings.address,
            tftp_port=settings.tftp_port or message.ports.get("tftp", 0),
            http_port=settings.http_port or message.ports.get("http", 0),
        )
        self._http_port = addresses.http_port or 0
        self._server = ProvisioningServer(addresses, load_catalogue(), self._reporting, self._clock)
        return {}

    async def prepare(self, message: Prepare) -> None:
        """Render every device's files, beside what is being served."""
        config = provisioning_config(message, self._http_port)
        try:
            await self._running().prepare(config)
        except ConfigRefused as error:
            raise ConfigurationRefused(*error.problems) from None
        self._devices = len(config.devices)

    async def commit(self) -> Ports:
        """Serve what was rendered; the first time, listen."""
        server = self._running()
        server.commit()
        if server.http_port is None:
            await server.start()
        return {name: port for name, port in (("tftp", server.tftp_port), ("http", server.http_port)) if port}

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

    def _running(self) -> ProvisioningServer:
        if self._server is None:
            raise ConfigurationRefused("provisioning was not started")
        return self._server


if __name__ == "__main__":
    main(ProvisioningSubsystem)
