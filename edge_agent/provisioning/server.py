"""Provisioning as the process's composition builds it: prepare a configuration, commit it, serve it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contract.devices import Catalogue, Plugin
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.provisioning.config import DeviceConfig, ProvisioningConfig
from edge_agent.provisioning.dhcp.config import Interface
from edge_agent.provisioning.dhcp.core import Site
from edge_agent.provisioning.dhcp.packet import NOWHERE, Code, Message
from edge_agent.provisioning.dhcp.search import Pace
from edge_agent.provisioning.dhcp.server import Alarm, DhcpServer
from edge_agent.provisioning.errors import NothingPrepared
from edge_agent.provisioning.firmware import Shelf, ToldFirmware, folder_for
from edge_agent.provisioning.firmware.service import FirmwareService
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.neighbours import Neighbours
from edge_agent.provisioning.render import Library, Renderer
from edge_agent.provisioning.serve.desk import Desk
from edge_agent.provisioning.serve.ftp import FtpServer
from edge_agent.provisioning.serve.http import HttpLimits, HttpServer, Passwords, PhoneTls, Service
from edge_agent.provisioning.serve.plug_and_play import PlugAndPlayServer
from edge_agent.provisioning.serve.plug_and_play.core import PlugAndPlay
from edge_agent.provisioning.serve.plug_and_play.profile_url import ProfileUrls
from edge_agent.provisioning.serve.tftp import TftpServer
from edge_agent.provisioning.serve.tftp.listener import Listener
from edge_agent.provisioning.uploads import Uploads
from edge_agent.tokens import SystemTokens, Tokens


@dataclass(frozen=True, slots=True)
class ProvisioningAddresses:
    """Where phones ask. A port of None: that protocol is not served; 0: a free port."""

    host: str = "0.0.0.0"
    tftp_port: int | None = 69
    http_port: int | None = 8090
    https_port: int | None = None
    ftp_port: int | None = None
    plug_and_play_port: int | None = None
    plug_and_play_interfaces: Sequence[str] = ()
    """An address of each interface whose phones are answered by multicast."""


@dataclass(frozen=True)
class DhcpMeans:
    """What DHCP needs of this machine.

    Args:
        leases: the file that they are kept in.
        interfaces: the machine's, at this moment.
        alarm: told what is wrong, or None when it is not any more.
        pace: of the search for other servers.
    """

    leases: Path
    interfaces: Callable[[], Sequence[Interface]]
    alarm: Callable[[Alarm, str | None], None]
    pace: Pace | None = None


@dataclass(frozen=True)
class Keeping:
    """What the server keeps on this machine.

    Args:
        uploads: folder of what phones send; None: nothing is taken.
        key: the edge's own secret, from which phones' passwords are made; None: there are none.
        tls: certificates for HTTPS.
        dhcp: None: DHCP is never answered, whatever the site's rules say.
        blobs: folder of firmware files; None: there is no firmware.
        told_firmware: the file in which is kept who was told of firmware; None: nobody ever is.
    """

    uploads: Path | None = None
    key: bytes | None = None
    tls: PhoneTls | None = None
    dhcp: DhcpMeans | None = None
    blobs: Path | None = None
    told_firmware: Path | None = None


class ProvisioningServer:
    """Serves phones their files.

    Args:
        addresses: where to listen.
        catalogue: the device plug-ins.
        reporter: hears of phones, their files and refusals.
        clock: for deadlines, limits and dates.
        http_limits: what an HTTP client may ask.
        keeping: what is kept on this machine.
        tokens: for branches and tags.

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
        keeping: Keeping | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        keeping = keeping or Keeping()
        self._addresses = addresses
        self._renderer = Renderer(catalogue)
        self._prepared: tuple[ProvisioningConfig, Library, Catalogue, dict[str, str]] | None = None
        self._preparing = asyncio.Lock()
        self._urls = ProfileUrls(catalogue)
        self._identifier = identifier = Identifier(catalogue)
        self.desk = Desk(identifier, reporter, clock)
        self.desk.neighbour = Neighbours(clock).mac
        self.desk.shelf = shelf = Shelf(keeping.blobs)
        told = keeping.told_firmware
        self.firmware = FirmwareService(shelf, reporter, clock, told) if told is not None else None
        if self.firmware is not None:
            self.desk.on_firmware = self.firmware.fetched
        self.listener = Listener(self.desk)
        self.tftp = TftpServer(self.listener, clock)
        uploads = Uploads(keeping.uploads, reporter) if keeping.uploads is not None else None
        if uploads is not None:
            self.desk.own_file = uploads.find
        service = Service(self.desk, Passwords(keeping.key) if keeping.key else None, uploads)
        self.http = HttpServer(service, clock, http_limits)
        self.https = HttpServer(service, clock, http_limits, keeping.tls) if keeping.tls is not None else None
        self.ftp = FtpServer(self.desk)
        self.pnp_core = PlugAndPlay(
            self.desk.plug_and_play, identifier.subscribed, self._urls.url_for, tokens or SystemTokens()
        )
        self.pnp = PlugAndPlayServer(self.pnp_core, clock)
        self.dhcp = self._dhcp_server(keeping.dhcp, clock, tokens or SystemTokens()) if keeping.dhcp else None
        self._config = ProvisioningConfig(0)
        self.catalogue = catalogue
        """The device plug-ins, with those of the configuration that is served."""
        self.models: dict[str, str] = {}
        """The model of each device."""
        self.version: int | None = None
        """The snapshot version that is served."""
        self.ports: dict[str, int] = {}
        """The ports bound, once started: `tftp`, `http`, `https`, `ftp`, `plug_and_play`."""

    @property
    def tftp_port(self) -> int | None:
        """The port bound, once started."""
        return self.ports.get("tftp")

    @property
    def http_port(self) -> int | None:
        """The port bound, once started."""
        return self.ports.get("http")

    async def prepare(self, config: ProvisioningConfig) -> None:
        """Render everything, beside what is being served.

        Raises:
            ConfigRefused: naming every device that cannot be rendered; what is served stays.
        """
        async with self._preparing:
            # In a thread: a site of thousands takes seconds, and phones ask meanwhile.
            told, rendered = self._with_told(config)
            library = await asyncio.to_thread(self._renderer.render, rendered)
            self._prepared = (config, library, self._renderer.catalogue, told)

    def commit(self) -> int:
        """Serve what was prepared last; returns its version.

        Raises:
            NothingPrepared: `prepare` did not come first.
        """
        if self._prepared is None:
            raise NothingPrepared("no configuration is prepared")
        config, library, catalogue, told = self._prepared
        self._prepared = None
        self.version = config.version
        self.models = {device.device_id: device.model for device in config.devices}
        self.desk.serve(library, config.access, config.version)
        self._config, self.catalogue = config, catalogue
        self._identifier.learn(catalogue)
        self._urls.serve(config, catalogue)
        if self.firmware is not None:
            self.firmware.serve(config, catalogue, told)
        return self.version

    def phone_showed(self, device_id: str, user_agent: str) -> None:
        """A phone of the site said elsewhere what it is."""
        version = self._identifier.identify("", user_agent).firmware.value
        if self.firmware is not None and version and device_id in self.models:
            self.firmware.shows(device_id, version)

    async def tell_firmware(self) -> None:
        """Serve the files anew, since other phones are told of firmware.

        Raises:
            ConfigRefused: a device cannot be rendered; what is served stays.
        """
        config = self._config
        async with self._preparing:
            told, rendered = self._with_told(config)
            library = await asyncio.to_thread(self._renderer.render, rendered)
        if config is self._config and self.firmware is not None:  # else another one came meanwhile, and is told itself
            self.desk.serve(library, config.access, config.version)
            self.firmware.served(told)

    def _with_told(self, config: ProvisioningConfig) -> tuple[dict[str, str], ProvisioningConfig]:
        """Which phones of a configuration are told of firmware now, and the configuration with that."""
        told = self.firmware.told if self.firmware is not None else {}
        mine = {
            one.device_id: one.firmware[0]
            for one in config.devices
            if one.firmware is not None and told.get(one.device_id) == one.firmware[0]
        }

        def device(one: DeviceConfig) -> DeviceConfig:
            firmware_id = mine.get(one.device_id)
            if firmware_id is None:
                return one
            image = config.firmware[firmware_id]
            return replace(one, told=ToldFirmware(folder_for(one.mac, firmware_id), image.files[0][0], image.version))

        return mine, replace(config, devices=tuple(map(device, config.devices))) if mine else config

    async def serve_dhcp(self) -> None:
        """Answer DHCP as the configuration that is served says; what stands against it is an alarm."""
        if self.dhcp is not None:
            await self.dhcp.serve(self._config.dhcp)

    def _dhcp_server(self, means: DhcpMeans, clock: Clock, tokens: Tokens) -> DhcpServer:
        def site(may_lease: Callable[[Interface], bool]) -> Site:
            return Site(
                plugin=self._plugin_of,
                knows=lambda mac: self.desk.library.device_id(mac) is not None,
                url=self._url_of,
                serves=self._serves,
                may_lease=may_lease,
            )

        made = DhcpServer(site, means.leases, clock, tokens, means.interfaces, means.alarm, means.pace)
        made.heard = self._heard
        self.desk.switch_port = made.switch_port
        return made

    def _serves(self, address: str) -> bool:
        return self.desk.access.serves(address)

    def _plugin_of(self, mac: str, vendor_class: str) -> Plugin | None:
        """The plug-in of a phone: of its model where the site knows it, else of what it seems to be."""
        model = self.models.get(self.desk.library.device_id(mac) or "")
        vendor = model.partition("/")[0] if model else self._identifier.by_dhcp(mac, vendor_class).vendor.value
        return self.catalogue.plugins.get(vendor)

    def _url_of(self, plugin: Plugin | None) -> str:
        secure = self._config.secure_url if plugin is not None and plugin.https else ""
        server = secure or self._config.server_url
        return f"{server}/" if server else ""

    def _heard(self, message: Message) -> None:
        vendor_class = message.text(Code.VENDOR_CLASS)
        facts = self._identifier.by_dhcp(message.mac, vendor_class)
        wanted = message.address(Code.REQUESTED_ADDRESS)
        address = wanted if wanted is not None and message.client == NOWHERE else message.client
        self.desk.seen_by_dhcp(facts, str(address), vendor_class)

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            OSError: a port cannot be bound; none is left open.
        """
        host, where = self._addresses.host, self._addresses
        try:
            if where.tftp_port is not None:
                self.ports["tftp"] = await self.tftp.start(host, where.tftp_port)
            if where.http_port is not None:
                self.ports["http"] = await self.http.start(host, where.http_port)
            if where.https_port is not None and self.https is not None:
                self.ports["https"] = await self.https.start(host, where.https_port)
            if where.ftp_port is not None:
                self.ports["ftp"] = await self.ftp.start(host, where.ftp_port)
            if where.plug_and_play_port is not None:
                interfaces = where.plug_and_play_interfaces
                self.ports["plug_and_play"] = self.pnp.start(where.plug_and_play_port, interfaces)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every port and end what is under way. May be called twice."""
        if self.firmware is not None:
            await self.firmware.stop()
        if self.dhcp is not None:
            await self.dhcp.stop()
        await self.pnp.stop()
        await self.ftp.stop()
        await self.tftp.stop()
        await self.http.stop()
        if self.https is not None:
            await self.https.stop()
        self.ports.clear()
