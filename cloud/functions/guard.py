"""Which addresses a webhook may be sent to: the public internet, and nothing that only we can reach (SSRF)."""

import ipaddress
import socket
from collections.abc import Callable

from cloud.errors import CloudError

Resolve = Callable[[str, int], list[str]]
"""Host and port → IP addresses as text."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("::/96"))
"""6to4, Teredo and IPv4-compatible addresses: they lead to IPv4 addresses by ways of their own."""

_RESERVED = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "100::/64", "3fff::/20", "5f00::/16"),
    )
)
"""Of the IANA special-purpose registries, what some versions of `ipaddress` call global."""


class AddressRefused(CloudError):
    """The endpoint's name leads to an address that webhooks are not sent to."""


class NameUnknown(CloudError):
    """The endpoint's name does not resolve."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver says.

    Raises:
        NameUnknown: there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise NameUnknown(NameUnknown.__doc__) from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_address(host: str, port: int, resolver: Resolve = resolve, *, private_allowed: bool = False) -> str:
    """The address to connect to. Connect to this one, never to the name again: it may lead elsewhere by then.

    Args:
        private_allowed: every address will do (tests and labs).

    Raises:
        AddressRefused: one of the host's addresses is not public, so none is used.
        NameUnknown: the host has none.
    """
    addresses = resolver(host, port)
    if not addresses:
        raise NameUnknown(NameUnknown.__doc__)
    if not private_allowed and not all(is_public(address) for address in addresses):
        raise AddressRefused(AddressRefused.__doc__)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet: not private, loopback, link-local (where clouds keep their
    metadata), shared, reserved, documentation or multicast, in IPv4, IPv6 or IPv4 inside IPv6.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False  # with a zone, or no address at all
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None or ip.is_site_local:
            return False
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif any(ip in tunnel for tunnel in _TUNNELS):
            return False
    if any(ip.version == network.version and ip in network for network in _RESERVED):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
