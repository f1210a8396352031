"""Which addresses mean something within one network only."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_LOCAL: Final = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""RFC 1918, 6598, 3927, 4193, 4291."""


def is_local(address: Address) -> bool:
    """Whether an address means nothing outside of its own network."""
    return any(address in network for network in _LOCAL if network.version == address.version)


def numeric(host: str) -> Address | None:
    """A numeric address, in brackets or not; None: it is a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
