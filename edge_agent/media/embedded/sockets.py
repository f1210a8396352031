"""RTP and RTCP sockets: pairs of ports out of the configured range, drained without blocking."""

import errno
import socket
from collections.abc import Iterator

from edge_agent.media.embedded.source import Address
from edge_agent.media.errors import NoRtpPort
from edge_agent.network.marks import Dscp, mark

ANYWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737): which of our addresses would a packet to the outside carry?"""
_DRAIN = 64


class RtpPorts:
    """Pairs of an even port and the next from `first` to `last`, in turn: a port rests as long as possible."""

    def __init__(self, address: str, first: int, last: int, start: float = 0.0) -> None:
        """`start` in [0, 1) is where in the range the first search begins."""
        self._address = address
        self._ports = range(first + first % 2, last, 2)
        self._next = int(start * len(self._ports))

    def open(self) -> tuple[socket.socket, socket.socket]:
        """Bound, non-blocking UDP sockets for RTP and, one port further, RTCP; `NoRtpPort` when no two are free."""
        for port in self._in_turn():
            if (rtp := self._bound(port)) is None:
                continue
            if (rtcp := self._bound(port + 1)) is None:
                rtp.close()
                continue
            return rtp, rtcp
        raise NoRtpPort("every RTP port of the range is taken")

    def _bound(self, port: int) -> socket.socket | None:
        made = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.bind((self._address, port))
        except OSError as error:
            made.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return None
            raise NoRtpPort(f"RTP address {self._address}: {error.strerror}") from error
        made.setblocking(False)
        mark(made, Dscp.VOICE)
        return made

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
