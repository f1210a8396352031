"""Which addresses are this machine's, and which of them phones reach it at."""

import fcntl
import socket
import struct
from dataclasses import dataclass
from typing import Final

_SIOCGIFADDR: Final = 0x8915  # netdevice(7)
_SIOCGIFHWADDR: Final = 0x8927
_OUTSIDE: Final = ("192.0.2.1", 9)
"""Any address beyond the local network will do (RFC 5737); nothing is sent to it."""
_OUTSIDE_SIX: Final = ("2001:db8::1", 9)


def address_outwards() -> str:
    """The IPv4 address that this machine sends from on its way out; 127.0.0.1 without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_OUTSIDE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def address_outwards_six() -> str:
    """The IPv6 address that this machine sends from on its way out; empty without such a network."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_OUTSIDE_SIX)
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def reachable_host_six(bound: str, advertised: str) -> str:
    """The address that IPv6 peers are told.

    Args:
        bound: the address that is listened at.
        advertised: what the settings say; empty leaves it to the machine.

    Returns:
        Empty: nothing of its own; either one family is listened for, or there is no IPv6 network.
    """
    return (advertised or address_outwards_six()) if bound == "::" else ""


def reachable_host(bound: str, advertised: str) -> str:
    """The name or address that phones are told.

    Args:
        bound: the address that is listened at; 0.0.0.0 is every IPv4 address, :: every address of both families.
        advertised: what the settings say; empty leaves it to the machine.
    """
    if advertised:
        return advertised
    return bound if bound not in ("0.0.0.0", "::") else address_outwards()


def own_addresses() -> tuple[str, ...]:
    """The first IPv4 address of every interface that has one, sorted."""
    return tuple(sorted({"127.0.0.1", *(each.address for each in own_interfaces())}))


@dataclass(frozen=True, slots=True)
class OwnInterface:
    """An interface of this machine that has an IPv4 address."""

    index: int
    name: str
    address: str
    """The first one."""
    mac: str
    """Twelve lower-case hexadecimal digits; all 0 where there is none."""


def own_interfaces() -> tuple[OwnInterface, ...]:
    """Every interface that has an IPv4 address, by index."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for index, name in socket.if_nameindex():
            named = struct.pack("256s", name.encode()[:15])
            try:
                address = fcntl.ioctl(asking, _SIOCGIFADDR, named)
                hardware = fcntl.ioctl(asking, _SIOCGIFHWADDR, named)
            except OSError:
                continue  # it has none, or has gone
            found.append(OwnInterface(index, name, socket.inet_ntoa(address[20:24]), hardware[18:24].hex()))
    return tuple(sorted(found, key=lambda each: each.index))
