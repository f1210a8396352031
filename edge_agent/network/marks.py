"""Marks that tell networks what to carry first: the DSCP of packets (RFC 2474), by what they carry (RFC 4594)."""

import contextlib
import socket
from asyncio.trsock import TransportSocket
from enum import IntEnum


class Dscp(IntEnum):
    """Code points of telephony, six bits."""

    VOICE = 46
    """Expedited forwarding (RFC 4594 §4.1)."""
    SIGNALLING = 40
    """CS5 (RFC 4594 §4.2)."""

    @property
    def octet(self) -> int:
        """As the header of a packet has it."""
        return self << 2


def mark(opened: socket.socket | TransportSocket, as_what: Dscp) -> None:
    """Have what a socket sends marked; a system that does not let it be marked sends it all the same.

    Args:
        opened: UDP or TCP; connections that a marked listener accepts are marked too.
        as_what: what it carries.
    """
    with contextlib.suppress(OSError):
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, as_what.octet)
        # A socket for both families sends IPv4 by this one.
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, as_what.octet)
