"""RTP sockets: even ports out of the configured range, drained without blocking."""

import errno
import socket
from collections.abc import Iterator

from edge_agent.media.embedded.source import Address
from edge_agent.media.errors import NoRtpPort

EXPEDITED_FORWARDING = 0xB8
"""DSCP 46 in the octet of the header (RFC 4594 §4.1: telephony)."""
ANYWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737): which of our addresses would a packet to the outside carry?"""
_DRAIN = 64


class RtpPorts:
    """The even ports from `first` to `last`, in turn, so that a port rests as long as possible before its next call."""

    def __init__(self, address: str, first: int, last: int, start: float = 0.0) -> None:
        """`start` in [0, 1) is where in the range the first search begins."""
        self._address = address
        self._ports = range(first + first % 2, last + 1, 2)
        self._next = int(start * len(self._ports))

    def open(self) -> socket.socket:
        """A bound, non-blocking UDP socket; `NoRtpPort` when none of the range is free."""
        for port in self._in_turn():
            rtp = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET, socket.SOCK_DGRAM)
            try:
                rtp.bind((self._address, port))
            except OSError as error:
                rtp.close()
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    continue
                raise NoRtpPort(f"RTP address {self._address}: {error.strerror}") from error
            rtp.setblocking(False)
            if rtp.family == socket.AF_INET:
                rtp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_FORWARDING)
            return rtp
        raise NoRtpPort("every RTP port of the range is taken")

    def _in_turn(self) -> Iterator[int]:
        for _ in range(len(self._ports)):
            index, self._next = self._next, (self._next + 1) % len(self._ports)
            yield self._ports[index]


def address_towards(rtp: socket.socket, peer: str | None) -> str:
    """Our address as `peer` will see it: the socket's own, or for a wildcard the one that the way there begins with."""
    own = str(rtp.getsockname()[0])
    if own not in ("0.0.0.0", "::"):
        return own
    with socket.socket(rtp.family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer or ANYWHERE, 9))  # sets the way, sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1" if rtp.family == socket.AF_INET else "::1"


def drain(rtp: socket.socket) -> Iterator[tuple[bytes, Address]]:
    """What has arrived, a bounded number of datagrams at a time."""
    for _ in range(_DRAIN):
        try:
            data, source = rtp.recvfrom(2048)
        except OSError:  # nothing more; or an ICMP error of an earlier packet, which tells us nothing to act on
            return
        yield data, (source[0], source[1])


def send(rtp: socket.socket, data: bytes, to: Address) -> bool:
    """Send without waiting; False when the system would not take it (a full queue, no way there)."""
    try:
        rtp.sendto(data, to)
    except OSError:
        return False
    return True
