"""Which phones a site's edge hands their files to, and on which networks."""

import ipaddress
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contract.snapshot.schedule import WorkingHours
from contract.values import Frozen, HostName, MacAddress


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError(f"no network such as 192.168.10.0/24: {error}") from None


def _address(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError("no IPv4 address such as 192.168.10.1") from None


Network = Annotated[str, StringConstraints(max_length=64), AfterValidator(_network)]
"""An IPv4 or IPv6 network, `address/bits`, with no bit of the host set."""
Ipv4Address = Annotated[str, StringConstraints(max_length=15), AfterValidator(_address)]
Networks = Annotated[tuple[Network, ...], Field(max_length=64)]

PRIVATE_NETWORKS: Final = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""Networks that no router of the internet forwards (RFC 1918, 3927, 4193, 4291)."""


class DhcpReservation(Frozen):
    """An address that is always the same phone's."""

    mac: MacAddress
    address: Ipv4Address


class DhcpRange(Frozen):
    """The addresses that the edge gives to phones of one network."""

    network: Network
    first: Ipv4Address
    last: Ipv4Address
    router: Ipv4Address | None = None
    name_servers: Annotated[tuple[Ipv4Address, ...], Field(max_length=4)] = ()
    ntp_servers: Annotated[tuple[Ipv4Address, ...], Field(max_length=4)] = ()
    lease_seconds: Annotated[int, Field(ge=120, le=604_800)] = 43_200
    reservations: Annotated[tuple[DhcpReservation, ...], Field(max_length=1024)] = ()
    """Addresses of the network, in the range or beside it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        network = ipaddress.ip_network(self.network)
        first, last = ipaddress.ip_address(self.first), ipaddress.ip_address(self.last)
        if network.version != 4:
            raise ValueError("network: addresses are given in IPv4 networks only")
        for name, address in (("first", first), ("last", last)):
            if address not in network:
                raise ValueError(f"{name}: {address} is not in {network}")
        if self.router is not None and ipaddress.ip_address(self.router) not in network:
            raise ValueError(f"router: {self.router} is not in {network}")
        if int(last) < int(first):
            raise ValueError("last: comes before first")
        if int(last) - int(first) >= 4096:
            raise ValueError("last: more than 4096 addresses")
        self._reserves_each_once(network)
        return self

    def _reserves_each_once(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
        macs, addresses = set(), set()
        for one in self.reservations:
            if ipaddress.ip_address(one.address) not in network:
                raise ValueError(f"reservations: {one.address} is not in {network}")
            if one.mac in macs or one.address in addresses:
                raise ValueError(f"reservations: {one.mac} or {one.address} stands there twice")
            macs.add(one.mac)
            addresses.add(one.address)


class DhcpService(Frozen):
    """How the edge answers DHCP; absent, it does not."""

    ranges: Annotated[tuple[DhcpRange, ...], Field(max_length=8)] = ()
    """Networks whose phones get their addresses from the edge; none: the network's own server gives them, and the
    edge only adds where phones find their files."""
    voice_vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    """Told to phones as option 132."""
    known_only: bool = False
    """True: only phones that the site knows get an address; the others are still seen, and appear in the portal."""
    proxy_offers: bool = False
    """True: without ranges, phones that say what they are (option 60) get an offer without an address beside the other
    server's, as PXE's proxies send it. Only for phones that are known to wait for one with an address."""

    @model_validator(mode="after")
    def _ranges_are_apart(self) -> Self:
        networks = [ipaddress.ip_network(each.network) for each in self.ranges]
        for place, network in enumerate(networks):
            if any(network.overlaps(other) for other in networks[:place]):
                raise ValueError(f"ranges: {network} overlaps with another")
        return self


class ProvisioningPolicy(Frozen):
    """Who may fetch what, and how."""

    served_networks: Networks = ()
    """Phones elsewhere get nothing; empty: every network is served."""
    clear_text_networks: Networks = PRIVATE_NETWORKS
    """Where files with passwords go out by TFTP, FTP and plain HTTP, and by HTTPS to a phone without proof."""
    proof_required: bool = False
    """True: files with passwords go only to phones that show their factory certificate or their password, anywhere."""
    answer_unknown: bool = False
    """True: plug and play tells also phones that the site does not know where to ask; they appear in the portal
    either way, and get nothing secret either way."""
    approved_only: bool = False
    """True: a phone that is no device of the site gets nothing at all, not even what holds no secret, nor an address by
    DHCP; it appears in the portal with that reason."""
    requests_per_minute_per_address: Annotated[int, Field(ge=10, le=100_000)] = 1200
    requests_per_minute_per_phone: Annotated[int, Field(ge=10, le=10_000)] = 120
    dhcp: DhcpService | None = None
    server_name: HostName | None = None
    """The name that phones are told to fetch from by HTTPS; absent: the address that they register with."""
    firmware_hours: Annotated[tuple[WorkingHours, ...], Field(max_length=50)] = ()
    """When phones may be told of new firmware, by the site's clocks; empty: at any time."""
