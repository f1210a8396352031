"""The provisioning process: phones fetch their configuration from it, by every way in which they ask."""

import asyncio
import contextlib
import logging
import os
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from contract.devices import load_catalogue
from contract.sync.dhcp import DhcpStatus
from contract.sync.state import StateRecord
from edge_agent.blob_cache import FOLDER as BLOBS_FOLDER
from edge_agent.clock import SystemClock
from edge_agent.durable_file import write_durably
from edge_agent.health.alarms import Alarms
from edge_agent.network.own_addresses import own_addresses, own_interfaces, reachable_host
from edge_agent.ports import NoticeOutcome
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder, main
from edge_agent.processes.keys import edge_key
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.reporting import Reporting
from edge_agent.provisioning.dhcp.config import Interface
from edge_agent.provisioning.dhcp.server import Alarm
from edge_agent.provisioning.errors import ConfigRefused
from edge_agent.provisioning.handed import Handed
from edge_agent.provisioning.resync import Resync
from edge_agent.provisioning.serve.http import PhoneTls
from edge_agent.provisioning.serve.http.tls import CertificateUnusable
from edge_agent.provisioning.server import DhcpMeans, Keeping, ProvisioningAddresses, ProvisioningServer
from edge_agent.settings import ProvisioningSettings, Settings
from edge_agent.sip.transport.own_certificate import OWN_CERTIFICATE, OWN_KEY, keep_own_certificate
from edge_agent.tokens import SystemTokens
from edge_agent.views import provisioning_config

log = logging.getLogger(__name__)

NICENESS: Final = 10
FOLDER: Final = "provisioning"
KEY_FILE: Final = "provisioning.key"
TOLD_FIRMWARE_FILE: Final = "told-firmware.json"
HANDED_FILE: Final = "handed-files.json"
KEEP_SECONDS: Final = 2.0
"""How long phones that have their files gather before that is written."""
LEASES_FILE: Final = "dhcp-leases.db"
AUTHORITIES: Final = "vendor-authorities"
OWN_PLUGINS: Final = "device-plugins"
"""A folder beside the agent's state with an operator's own device plug-ins."""


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
        self._resync: Resync | None = None
        self._alarms: Alarms | None = None
        self._handed = Handed()
        self._handed_file: Path | None = None
        self._keeping: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._key = b""
        self._devices = 0
        self._http_port = self._https_port = 0

    async def start(self, message: Start) -> Ports:
        """Load the device plug-ins; nothing is bound yet."""
        settings, folder = message.settings.provisioning, message.settings.state_dir
        self._settings = settings
        self._reporting = Reporting(folder, "provisioning", self._bell, self._clock, self._tokens)

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
        self._alarms = Alarms(self._reporting)
        dhcp = DhcpMeans(folder / FOLDER / LEASES_FILE, _interfaces, self._dhcp_alarm)
        told = folder / FOLDER / TOLD_FIRMWARE_FILE
        keeping = Keeping(folder / FOLDER / "uploads", self._key, self._tls, dhcp, folder / BLOBS_FOLDER, told)
        catalogue = load_catalogue(also=folder / OWN_PLUGINS)
        self._server = ProvisioningServer(
            addresses, catalogue, self._reporting, self._clock, keeping=keeping, tokens=self._tokens
        )
        self._resync = Resync(catalogue, self._bell.wants, self._reporting)
        self._handed_file = folder / FOLDER / HANDED_FILE
        with contextlib.suppress(OSError):
            self._handed = Handed(self._handed_file.read_bytes())
        self._resync.over = self._settled
        self._server.desk.on_fetched = self._fetched
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
        keep_own_certificate(folder, hosts, self._clock.now())
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
        if self._resync is not None:
            self._resync.serve(server.models, server.catalogue)
            self._resync.changed(self._handed.serve(server.desk.library.digests()), self._clock.monotonic())
            self._keep_handed()
            self._schedule()
        if not server.ports:
            await server.start()
        if server.firmware is not None:
            server.firmware.start(self._firmware_changed)
        await server.serve_dhcp()
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
        """`resync_phones`: have devices fetch again. `notice_told`: what became of a notice that was wanted.
        `dhcp_status`: how DHCP stands, as JSON. `blobs_came`: a file of firmware may be on the disk now.
        `phone_showed`: what a phone said that it is, when it registered."""
        now = self._clock.monotonic()
        resync = self._resync
        if resync is None:
            raise UnknownOrder("provisioning was not started")
        match name:
            case "resync_phones":
                ids = [
                    each
                    for key, value in sorted(arguments.items())
                    if key.startswith("devices")
                    for each in value.split(",")
                ]
                told = resync.ordered(arguments["job_id"], ids, now, reboot=arguments.get("reboot") == "true")
                self._schedule()
                return f"{told} of {len(ids)} phones are being told"
            case "notice_told":
                known = {key: value for key, value in arguments.items() if key != "status"}
                resync.told(_outcome(known, arguments.get("status", "0")), now)
                self._schedule()
                return ""
            case "phone_showed":
                self._running().phone_showed(arguments.get("device_id", ""), arguments.get("user_agent", ""))
                return ""
            case "blobs_came":
                if (firmware := self._running().firmware) is not None:
                    firmware.wake()
                return ""
            case "dhcp_status":
                dhcp = self._running().dhcp
                return (dhcp.status() if dhcp is not None else DhcpStatus(state="off")).model_dump_json()
            case _:
                raise UnknownOrder(f"provisioning knows no order {name}")

    def _dhcp_alarm(self, name: Alarm, text: str | None) -> None:
        if self._alarms is None:
            return
        if text is None:
            self._alarms.end(name)
        else:
            self._alarms.begin(name, "warning" if name == "dhcp_range_full" else "critical", text)

    def _schedule(self) -> None:
        """Call `advance` when the next phone is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._resync.deadline if self._resync is not None else None
        if deadline is not None and deadline != float("inf"):
            wait = max(0.0, deadline - self._clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._resync is not None:
            self._resync.advance(self._clock.monotonic())
        self._schedule()

    def _settled(self, device_id: str) -> None:
        self._handed.settled(device_id)
        if self._handed.dirty and self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(KEEP_SECONDS, self._keep_handed)

    def _keep_handed(self) -> None:
        """Write which device has which files; what is not written is told to a phone once more."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        if self._handed_file is None or not self._handed.dirty:
            return
        try:
            write_durably(self._handed_file, self._handed.content)
        except OSError as error:
            log.warning("handed_files_not_kept", extra={"reason": error.strerror})
        else:
            self._handed.dirty = False

    async def _firmware_changed(self, quiet: frozenset[str]) -> None:
        """Serve files that name firmware to other phones, and have those fetch them that are not in `quiet`.

        Raises:
            ConfigRefused: they cannot be made.
        """
        server = self._running()
        await server.tell_firmware()
        changed = self._handed.serve(server.desk.library.digests())
        for device_id in quiet.intersection(changed):
            self._settled(device_id)
        if self._resync is not None:
            self._resync.changed([each for each in changed if each not in quiet], self._clock.monotonic())
            self._schedule()

    def _fetched(self, device_id: str, firmware: str) -> None:
        self._settled(device_id)
        if (service := self._running().firmware) is not None:
            service.shows(device_id, firmware)
        if self._resync is not None:
            self._resync.fetched(device_id)
            self._schedule()

    def figures(self) -> dict[str, int]:
        """How many devices are served, and how many of them are being told to fetch again."""
        return {"devices": self._devices, "resyncing": len(self._resync) if self._resync is not None else 0}

    async def stop(self) -> None:
        """Close every port and let go of the outbox."""
        if self._timer is not None:
            self._timer.cancel()
        self._keep_handed()
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


def give_way() -> None:
    """Where the processor is too little for all, calls go first: a phone that boots can wait.

    As a batch the process has its turns, and takes nobody's in the middle when a packet wakes it (sched(7)). Not idle
    priority: on a busy machine that would be no turn at all, and it would seem to hang.
    """
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _interfaces() -> tuple[Interface, ...]:
    """This machine's interfaces, as DHCP wants to know them."""
    return tuple(Interface(each.index, each.name, IPv4Address(each.address), each.mac) for each in own_interfaces())


def _outcome(told: dict[str, str], status: str) -> NoticeOutcome:
    """What became of a notice, from the words of an order."""
    try:
        return TypeAdapter(NoticeOutcome).validate_python({**told, "status": int(status)})
    except (ValidationError, ValueError):
        raise UnknownOrder("no outcome of a notice") from None


if __name__ == "__main__":
    give_way()
    main(ProvisioningSubsystem)
