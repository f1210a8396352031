"""RTP packets (RFC 3550 §5.1): bytes to `Packet` or a named reason to drop, and back."""

import struct
from enum import StrEnum
from typing import NamedTuple

HEADER = struct.Struct("!BBHII")
MAX_BYTES = 1500
MAX_PAYLOAD = 1200
"""150 ms of G.711, more than any phone packs; keeps one packet from filling the playout buffer."""


class DropReason(StrEnum):
    """Why a datagram on an RTP socket was not used; each is counted by its name."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    BAD_VERSION = "bad_version"
    RTCP = "rtcp"
    BAD_RTCP = "bad_rtcp"
    RTCP_SOURCE = "rtcp_source"
    BAD_HEADER = "bad_header"
    BAD_PADDING = "bad_padding"
    EMPTY = "empty"
    FOREIGN_SOURCE = "foreign_source"
    PAYLOAD_TYPE = "payload_type"
    PROBATION = "probation"
    NOT_RECEIVING = "not_receiving"
    LATE = "late"
    BAD_EVENT = "bad_event"
    NOT_GENUINE = "not_genuine"
    REPLAYED = "replayed"
    BAD_STUN = "bad_stun"
    UNCHECKED = "unchecked"
    NOT_EXPECTED = "not_expected"
    TOO_MANY_HANDSHAKES = "too_many_handshakes"


class Packet(NamedTuple):
    """One RTP packet: what its header says, and its payload without padding or extension.

    A tuple, since one is made of each datagram: a frozen dataclass takes three times as long.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def to_bytes(self) -> bytes:
        """As it goes on the wire, without CSRCs, extension or padding."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return HEADER.pack(0x80, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse(data: bytes) -> Packet | DropReason:
    """Read a datagram that came in on an RTP socket; any bytes give a packet or one named reason."""
    if len(data) < HEADER.size:
        return DropReason.TOO_SHORT
    if len(data) > MAX_BYTES:
        return DropReason.TOO_LONG
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first >> 6 != 2:
        return DropReason.BAD_VERSION
    if 192 <= second <= 223:  # RFC 5761 §4: what RTCP's packet types look like in this place
        return DropReason.RTCP
    start, end = HEADER.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if end < start + 4:
            return DropReason.BAD_HEADER
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if start > end:
        return DropReason.BAD_HEADER
    if first & 0x20:
        padding = data[-1]
        if padding == 0 or padding > end - start:
            return DropReason.BAD_PADDING
        end -= padding
    if start == end:
        return DropReason.EMPTY
    if end - start > MAX_PAYLOAD:
        return DropReason.TOO_LONG
    return Packet(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))
