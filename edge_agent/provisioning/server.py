"""Provisioning as the process's composition builds it: prepare a configuration, commit it, serve it."""

import asyncio
from dataclasses import dataclass

from contract.devices import Catalogue
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.provisioning.config import ProvisioningConfig
from edge_agent.provisioning.errors import NothingPrepared
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.render import Library, Renderer
from edge_agent.provisioning.serve.desk import Desk
from edge_agent.provisioning.serve.http import HttpLimits, HttpServer
from edge_agent.provisioning.serve.tftp import TftpServer
from edge_agent.provisioning.serve.tftp.listener import Listener


@dataclass(frozen=True, slots=True)
class ProvisioningAddresses:
    """Where phones ask. A port of None: that protocol is not served; 0: a free port."""

    host: str = "0.0.0.0"
    tftp_port: int | None = 69
    http_port: int | None = 8090


class ProvisioningServer:
    """Serves phones their files.

    Args:
        addresses: where to listen.
        catalogue: the device plug-ins.
        reporter: hears of unknown phones.
        clock: for deadlines, limits and dates.
        http_limits: what an HTTP client may ask.

    Raises:
        RenderError: a plug-in's template is not valid.
    """

    def __init__(
        self,
        addresses: ProvisioningAddresses,
        catalogue: Catalogue,
        reporter: Reporter,
        clock: Clock,
        http_limits: HttpLimits | None = None,
    ) -> None:
        self._addresses = addresses
        self._renderer = Renderer(catalogue)
        self._prepared: tuple[int, Library] | None = None
        self._preparing = asyncio.Lock()
        self.desk = Desk(Identifier(catalogue), reporter, clock)
        self.listener = Listener(self.desk)
        self.tftp = TftpServer(self.listener, clock)
        self.http = HttpServer(self.desk, clock, http_limits)
        self.version: int | None = None
        """The snapshot version that is served."""
        self.tftp_port: int | None = None
        """The port bound, once started."""
        self.http_port: int | None = None

    async def prepare(self, config: ProvisioningConfig) -> None:
        """Render everything, beside what is being served.

        Raises:
            ConfigRefused: naming every device that cannot be rendered; what is served stays.
        """
        async with self._preparing:
            # In a thread: a site of thousands takes seconds, and phones ask meanwhile.
            library = await asyncio.to_thread(self._renderer.render, config)
            self._prepared = (config.version, library)

    def commit(self) -> int:
        """Serve what was prepared last; returns its version.

        Raises:
            NothingPrepared: `prepare` did not come first.
        """
        if self._prepared is None:
            raise NothingPrepared("no configuration is prepared")
        self.version, library = self._prepared
        self._prepared = None
        self.desk.serve(library)
        return self.version

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            OSError: a port cannot be bound; none is left open.
        """
        host = self._addresses.host
        try:
            if self._addresses.tftp_port is not None:
                self.tftp_port = await self.tftp.start(host, self._addresses.tftp_port)
            if self._addresses.http_port is not None:
                self.http_port = await self.http.start(host, self._addresses.http_port)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every port and end what is under way. May be called twice."""
        await self.tftp.stop()
        await self.http.stop()
        self.tftp_port = self.http_port = None
