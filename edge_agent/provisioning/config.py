"""What provisioning needs to know of the site: its phones, their settings and their accounts; frozen and comparable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import SecretStr

from contract.devices import DeviceModel, Level, Value
from edge_agent.provisioning.access import Access
from edge_agent.provisioning.dhcp.config import DhcpConfig
from edge_agent.provisioning.firmware import Hours, Image, ToldFirmware

SipTransport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Registrar:
    """Where an account registers."""

    host: str
    """Name or address of the edge, as phones reach it."""
    domain: str
    """The SIP domain: the host of the account's address of record."""
    port: int = 5060
    transport: SipTransport = "udp"


@dataclass(frozen=True, slots=True)
class Account:
    """One line of a device."""

    position: int
    """The account's place on the device, from 1."""
    username: str
    """The user part of the address of record."""
    auth_username: str
    password: SecretStr
    display_name: str
    registrar: Registrar
    label: str = ""
    """What the phone shows beside the key; empty means the display name."""
    appearances: int = 0
    """Calls at one time of a line that other phones have, too; 0: it is not shared."""


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One phone or gateway."""

    device_id: str
    mac: str
    """Twelve lower-case hexadecimal digits."""
    model: str
    """`<vendor>/<model>` of a device plug-in."""
    name: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)
    """What differs from the model's defaults, by setting path; not changed after construction."""
    accounts: tuple[Account, ...] = ()
    admin_password: SecretStr | None = None
    levels: tuple[Level, ...] = ()
    """What is set for many devices at once, the weakest first."""
    fetch_password: SecretStr | None = None
    """By which it proves who it is when it fetches its files; its user name is its MAC address."""
    firmware: tuple[str, datetime] | None = None
    """The firmware that it is to have, by its id, and when it may be told of it."""
    told: ToldFirmware | None = None
    """The firmware that its files name; None: none, so that it keeps what it has."""


@dataclass(frozen=True, slots=True)
class PluginPackage:
    """A device plug-in of the tenant's own."""

    vendor: str
    digest: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """Somebody whom phones can look up."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class ProvisioningConfig:
    """The site's phones, as one snapshot version says."""

    version: int
    time_zone: str = "UTC"
    """An IANA time zone name."""
    devices: tuple[DeviceConfig, ...] = ()
    """MAC addresses and device ids are unique."""
    server_url: str = ""
    """Where phones fetch by HTTP, without a slash at its end; empty: files do not name it."""
    secure_url: str = ""
    """The same by HTTPS that phones can check, for models that can; empty: they fetch by HTTP as well."""
    directory: tuple[DirectoryEntry, ...] = ()
    """Whom the site's phone books list."""
    plugins: tuple[PluginPackage, ...] = ()
    """Device plug-ins besides those that the agent was installed with."""
    access: Access = field(default_factory=Access)
    """Who may fetch what."""
    firmware: Mapping[str, Image] = field(default_factory=dict)
    """Every firmware by its id; not changed after construction."""
    firmware_hours: tuple[Hours, ...] = ()
    """When phones may be told of it; empty: at any time."""
    dhcp: DhcpConfig | None = None
    """How DHCP is answered; None: it is not."""

    def url_for(self, model: DeviceModel | None) -> str:
        """Where phones of a model fetch: by HTTPS when there is a certificate that they can check, and they can."""
        return self.secure_url if self.secure_url and model is not None and model.https else self.server_url
