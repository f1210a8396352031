"""One UDP socket, read in bounded batches: asyncio's own datagram transport costs 30 µs more for each packet."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final

from edge_agent.network.marks import Dscp, mark

DRAIN_LIMIT: Final = 64
"""Datagrams read for each wake-up, so that timers and streams get their turn."""

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024

BOTH_FAMILIES: Final = "::"
"""The address to bind where IPv6 and IPv4 are both listened for."""
_MAPPED: Final = "::ffff:"

_IP_MULTICAST_ALL: Final = 49
"""ip(7): with 0, datagrams to groups that this socket has not joined are none of its business."""

Peer = tuple[str, int]
"""Address and port, as sockets write them; of IPv6 with what sockets put behind."""


class UdpSocket:
    """A bound socket whose datagrams go to `handle`, with `ended` after each batch."""

    def __init__(
        self, address: tuple[str, int], handle: Callable[[bytes, Peer], None], ended: Callable[[], None]
    ) -> None:
        self._handle = handle
        self._ended = ended
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            if address[0] == BOTH_FAMILIES:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            mark(self._socket, Dscp.SIGNALLING)
            _bind(self._socket, address)
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]

    def start(self) -> None:
        """Read whenever something is there."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        receive, handle = self._socket.recvfrom, self._handle
        for _ in range(DRAIN_LIMIT):
            try:
                data, peer = receive(65_535)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                # An earlier datagram was refused by its receiver (ICMP); nothing is wrong with this socket.
                continue
            handle(data, peer)
        self._ended()

    def send(self, data: bytes, host: str, port: int) -> bool:
        """Send one datagram; False when the network refuses it. A full buffer counts as lost on the way."""
        try:
            self._socket.sendto(data, (host, port))
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Stop reading and give the port back."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


class DualUdpSocket(UdpSocket):
    """A socket bound to `::` that IPv4 peers reach, too; their addresses are written as everywhere else."""

    def _readable(self) -> None:
        receive, handle = self._socket.recvfrom, self._handle
        for _ in range(DRAIN_LIMIT):
            try:
                data, peer = receive(65_535)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                continue
            handle(data, (without_mapping(peer[0]), peer[1]))
        self._ended()

    def send(self, data: bytes, host: str, port: int) -> bool:
        """See `UdpSocket`."""
        return super().send(data, host if ":" in host else _MAPPED + host, port)


def without_mapping(host: str) -> str:
    """An IPv4 address as such where it came as one within IPv6 (RFC 4291 §2.5.5.2)."""
    return host[len(_MAPPED) :] if host.startswith(_MAPPED) and "." in host else host


def _bind(bound: socket.socket, address: tuple[str, int]) -> None:
    """Bind, sharing the port with the multicast plug and play of another process, and with nobody else.

    Raises:
        OSError: somebody has the port.
    """
    try:
        bound.bind(address)
    except OSError:
        # Whoever holds the group's address alone holds no address of the machine.
        probe_at = "127.0.0.1" if address[0] == "0.0.0.0" else address[0]
        with socket.socket(bound.family, socket.SOCK_DGRAM) as probe:
            probe.bind((probe_at, address[1]))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    # After the bind, so that a port that is taken was noticed; from here on the group's socket may come to it.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if bound.family == socket.AF_INET:
        bound.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
