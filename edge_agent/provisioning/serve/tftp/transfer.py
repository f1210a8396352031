"""One file on its way to one client (RFC 1350 §6, window of RFC 7440). No sockets, no clock.

Every `now` is seconds on one monotonic clock. The caller sends what is returned to the client, hands in what the
client sends, and calls `advance` when `deadline` is reached.
"""

from dataclasses import dataclass
from enum import StrEnum
from mmap import mmap
from typing import Final

from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.options import Terms
from edge_agent.provisioning.serve.tftp.packet import ErrorCode

MAX_RETRIES: Final = 5
MAX_WAIT_SECONDS: Final = 8.0

Peer = tuple[str, int]


class End(StrEnum):
    """How a transfer ended."""

    COMPLETE = "complete"
    TIMED_OUT = "timed_out"
    PEER_ERROR = "peer_error"
    BAD_PACKET = "bad_packet"


@dataclass(frozen=True, slots=True)
class Send:
    """Send this to the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The transfer is over; its port can be closed."""

    how: End


Action = Send | Ended


class Transfer:
    """Sends one file.

    Args:
        body: the file's bytes as they go over the wire, in memory or on the disk.
        terms: what was agreed.
    """

    def __init__(self, body: bytes | mmap, terms: Terms) -> None:
        self._body = body
        self._terms = terms
        self._last = len(body) // terms.block_bytes + 1
        """Number of the last block: the one that is not full, perhaps empty."""
        self._acknowledged = -1 if terms.granted else 0
        """The highest block acknowledged; block 0 stands for the OACK."""
        self._retries = 0
        self._deadline: float | None = None

    @property
    def deadline(self) -> float | None:
        """When `advance` is to be called; None once the transfer is over."""
        return self._deadline

    def start(self, now: float) -> list[Action]:
        """What to send first."""
        return self._window(now)

    def receive(self, data: bytes, now: float) -> list[Action]:
        """What comes of the client's datagram."""
        if self._deadline is None:
            return []
        if len(data) == 4 and data.startswith(packet.ACKNOWLEDGEMENT):
            return self._acknowledge(int.from_bytes(data[2:]), now)
        try:
            received = packet.parse(data)
        except packet.PacketRefused as error:
            return [Send(packet.error_packet(error.code, str(error))), *self._end(End.BAD_PACKET)]
        if isinstance(received, packet.ErrorPacket):
            return self._end(End.PEER_ERROR)
        if not isinstance(received, packet.Acknowledgement):
            answer = packet.error_packet(ErrorCode.ILLEGAL_OPERATION, "an acknowledgement was expected")
            return [Send(answer), *self._end(End.BAD_PACKET)]
        return self._acknowledge(received.block, now)

    def advance(self, now: float) -> list[Action]:
        """Send again what was not acknowledged, or give up."""
        if self._deadline is None or now < self._deadline:
            return []
        self._retries += 1
        if self._retries > MAX_RETRIES:
            return self._end(End.TIMED_OUT)
        return self._window(now)

    def _acknowledge(self, block: int, now: float) -> list[Action]:
        # The number on the wire is of 16 bits and begins again at 0; it means the block of the window that has it.
        # An old acknowledgement is not answered, or every packet would go twice from there on (RFC 1123 §4.2.3.1).
        ahead = (block - self._acknowledged) & 0xFFFF
        if not 1 <= ahead <= self._sent_up_to() - self._acknowledged:
            return []
        self._acknowledged += ahead
        self._retries = 0
        if self._acknowledged == self._last:
            return self._end(End.COMPLETE)
        return self._window(now)

    def _sent_up_to(self) -> int:
        if self._acknowledged < 0:
            return 0
        return min(self._acknowledged + self._terms.window, self._last)

    def _window(self, now: float) -> list[Action]:
        # Longer after each attempt, so that a phone that is busy is not flooded; never beyond the limit.
        wait = self._terms.timeout_seconds
        self._deadline = now + max(wait, min(wait * 2**self._retries, MAX_WAIT_SECONDS))
        if self._acknowledged < 0:
            return [Send(packet.option_acknowledgement(self._terms.granted))]
        size = self._terms.block_bytes
        return [
            Send(packet.data_packet(block, self._body[(block - 1) * size : block * size]))
            for block in range(self._acknowledged + 1, self._sent_up_to() + 1)
        ]

    def _end(self, how: End) -> list[Action]:
        self._deadline = None
        return [Ended(how)]


def to_netascii(body: bytes) -> bytes:
    """A text as netascii (RFC 764): line ends are CR LF, a bare CR is CR NUL."""
    unix = body.replace(b"\r\n", b"\n")
    return unix.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
