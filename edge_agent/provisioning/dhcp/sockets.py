"""The system's side of DHCP: sockets that tell the interface of each datagram, and the ARP table."""

import socket
import struct
from pathlib import Path
from typing import Final

from edge_agent.provisioning.dhcp.config import Interface
from edge_agent.provisioning.dhcp.packet import EVERYBODY

ARP_TABLE: Final = Path("/proc/net/arp")
ANCILLARY_BYTES: Final = socket.CMSG_SPACE(12)
_COMPLETE: Final = 0x2  # ATF_COM, arp(7)
_IP_PKTINFO: Final = 8  # ip(7); the socket module has no name for it


def bound_socket(port: int, *, shared: bool) -> socket.socket:
    """A socket that tells the interface of each datagram.

    Args:
        shared: others on this machine may listen there too, as its own DHCP client does.

    Raises:
        OSError: the port cannot be had.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        made.bind(("0.0.0.0", port))  # broadcasts come to no other address
    except OSError:
        made.close()
        raise
    return made


def arp_table(path: Path = ARP_TABLE) -> dict[tuple[str, str], str]:
    """Who answers at an address on an interface, as the system knows: MAC addresses in twelve digits."""
    found = {}
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return {}
    for line in lines:
        fields = line.split()
        if len(fields) == 6 and int(fields[2], 16) & _COMPLETE:
            found[fields[0], fields[5]] = fields[3].replace(":", "").lower()
    return found


def interface_index(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """By which interface a datagram came."""
    for level, kind, value in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(value) >= 12:
            index: int = struct.unpack("=I", value[:4])[0]
            return index
    return None


def send_by(by: socket.socket, data: bytes, to: tuple[str, int], interface: Interface) -> None:
    """Send from an interface's address.

    Raises:
        OSError: it cannot be sent.
    """
    # The interface is named for a broadcast only; elsewhere the system knows the way.
    index = interface.index if to[0] == str(EVERYBODY) else 0
    place = struct.pack("=I4s4s", index, interface.address.packed, bytes(4))
    by.sendmsg([data], [(socket.IPPROTO_IP, _IP_PKTINFO, place)], 0, to)
