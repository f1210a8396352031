"""What a datagram on a path for STUN, DTLS and audio is, by its first byte (RFC 7983 §7)."""

from enum import Enum, auto


class Arrival(Enum):
    """What shares the port of secure audio."""

    STUN = auto()
    DTLS = auto()
    MEDIA = auto()
    """RTP or RTCP."""
    OTHER = auto()
    """ZRTP, TURN channels, and what is nothing."""


def arrival(data: bytes) -> Arrival:
    """Which of them a datagram claims to be; for any bytes at all."""
    first = data[0] if data else 255
    if first <= 3:
        return Arrival.STUN
    if 20 <= first <= 63:
        return Arrival.DTLS
    if 128 <= first <= 191:
        return Arrival.MEDIA
    return Arrival.OTHER
