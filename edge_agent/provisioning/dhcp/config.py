"""What DHCP needs to know of the site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network


@dataclass(frozen=True, slots=True)
class Range:
    """The addresses that phones of one network get."""

    network: IPv4Network
    first: IPv4Address
    last: IPv4Address
    router: IPv4Address | None = None
    name_servers: tuple[IPv4Address, ...] = ()
    ntp_servers: tuple[IPv4Address, ...] = ()
    lease_seconds: int = 43_200
    reservations: Mapping[str, IPv4Address] = field(default_factory=dict)
    """By MAC address; not changed after construction."""


@dataclass(frozen=True, slots=True)
class DhcpConfig:
    """How the edge answers DHCP."""

    ranges: tuple[Range, ...] = ()
    """None: another server gives the addresses."""
    voice_vlan: int | None = None
    known_only: bool = False
    """Only the site's own devices get an address."""
    proxy_offers: bool = False
    """Beside another server, phones get an offer without an address."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of this machine, by its first IPv4 address."""

    index: int
    name: str
    address: IPv4Address
    mac: str
    """Twelve lower-case hexadecimal digits."""
