"""One relayed stream: which datagrams go on, and where to. No socket, no clock.

    first ──▶ port told to the first ──▶ sent from the port told to the second ──▶ second

Payloads are never looked at, so codecs, SRTP (RFC 3711) and DTLS pass as they are.
"""

from __future__ import annotations

import struct
from collections import Counter
from enum import StrEnum
from typing import Final

from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.source import Address, SourceLock
from edge_agent.media.relay.hearing import Hearing
from edge_agent.ports import RelayEnd

MAX_BYTES: Final = 1500
_HEADER: Final = struct.Struct("!BBHII")
_SHORTEST_RTCP: Final = 8
_REBOUND_PACKETS: Final = 500
"""So many packets, ten seconds of 20 ms, may be lost while a NAT changes its mind."""


class RelayDrop(StrEnum):
    """Why a datagram was not passed on; each is counted by its name."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_RTP = "not_rtp"
    FOREIGN_SOURCE = "foreign_source"
    NOWHERE = "nowhere"
    UNSENT = "unsent"


class Party:
    """One end of a stream: who it is, as far as it is known, and where its packets go.

    The first source that fits is kept (`SourceLock`): the described address, or one that shows three packets in
    sequence. Nobody else is heard until a new description names another address, but for who goes on with the very
    stream: a NAT gives a phone another address now and then, and nobody else knows its SSRC and where its numbers are.
    """

    __slots__ = ("_control", "_described", "_described_control", "_lock", "_sequence", "_ssrc")

    def __init__(self, end: RelayEnd) -> None:
        self._lock = SourceLock(end.media)
        self._described, self._described_control = end.media, end.control
        self._control: Address | None = None
        self._ssrc = -1
        self._sequence = 0

    def redescribe(self, end: RelayEnd) -> None:
        """A newer description of the same party."""
        if end.media != self._described:
            self._described, self._control = end.media, None
            self._lock.redescribe(end.media)
        if end.control != self._described_control:
            self._described_control, self._control = end.control, None

    @property
    def destination(self) -> Address | None:
        """Where RTP for this party goes."""
        return self._lock.destination

    @property
    def control_destination(self) -> Address | None:
        """Where RTCP for this party goes: next to its RTP where nothing else is known (RFC 3550 §11)."""
        if self._control is not None:
            return self._control
        to = self._lock.destination
        if to is None or to == self._described:
            return self._described_control
        return to[0], to[1] + 1

    def takes(self, data: bytes, source: Address) -> RelayDrop | None:
        """Why a datagram at the RTP port is not this party's; None: it is."""
        if len(data) > MAX_BYTES:
            return RelayDrop.TOO_LONG
        if self._lock.locked:
            if source == self._lock.destination:
                if len(data) >= _HEADER.size and not 192 <= data[1] <= 223:
                    _, _, self._sequence, _, self._ssrc = _HEADER.unpack_from(data)
                return None
            if not self._goes_on(data):
                return RelayDrop.FOREIGN_SOURCE
            self._control = None
            self._lock.follow(source)
            return None
        if len(data) < _HEADER.size:
            return RelayDrop.TOO_SHORT
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first >> 6 != 2:
            # DTLS begins before there is any RTP (RFC 5764 §5.1.2); whom it is from, only the description says.
            return None if 20 <= first <= 63 and source == self._described else RelayDrop.NOT_RTP
        if 192 <= second <= 223:  # RTCP on the same port (RFC 5761 §4) proves no sender of RTP
            return None if source == self._described else RelayDrop.FOREIGN_SOURCE
        admitted = self._lock.admit(Packet(second & 0x7F, sequence, timestamp, ssrc, b""), source)
        self._ssrc, self._sequence = ssrc, sequence
        return None if isinstance(admitted, bool) else RelayDrop.FOREIGN_SOURCE

    def _goes_on(self, data: bytes) -> bool:
        """Whether a packet from elsewhere is the next of this party's stream, or one soon after it."""
        if len(data) < _HEADER.size or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
            return False
        sequence: int
        ssrc: int
        _, _, sequence, _, ssrc = _HEADER.unpack_from(data)
        return ssrc == self._ssrc and 0 < (sequence - self._sequence & 0xFFFF) <= _REBOUND_PACKETS

    def takes_control(self, data: bytes, source: Address) -> RelayDrop | None:
        """Why a datagram at the RTCP port is not this party's; None: it is."""
        if len(data) > MAX_BYTES:
            return RelayDrop.TOO_LONG
        if len(data) < _SHORTEST_RTCP:
            return RelayDrop.TOO_SHORT
        if data[0] >> 6 != 2 or not 192 <= data[1] <= 223:
            return RelayDrop.NOT_RTP
        if self._control is None:
            learned = self._lock.destination if self._lock.locked else None
            if source != self._described_control and (learned is None or source[0] != learned[0]):
                return RelayDrop.FOREIGN_SOURCE
            self._control = source
        return None if source == self._control else RelayDrop.FOREIGN_SOURCE


class Forwarding:
    """Both parties of a stream.

    Args:
        first: one end, as the signalling describes it.
        second: the other.
    """

    __slots__ = ("dropped", "heard", "packets", "parties")

    def __init__(self, first: RelayEnd, second: RelayEnd) -> None:
        self.parties = (Party(first), Party(second))
        self.heard = (Hearing(), Hearing())
        """How well each party's media arrives here."""
        self.packets = [0, 0]
        """Passed on, by the party that sent them."""
        self.dropped: Counter[RelayDrop] = Counter()

    def pass_on(self, which: int, data: bytes, source: Address, *, control: bool, now: float) -> Address | None:
        """Where a datagram goes that came at the port told to a party; None: nowhere, and counted.

        Args:
            which: the party that this port was told to, 0 or 1.
            data: what came.
            source: from where.
            control: whether it came at the port for RTCP.
            now: seconds, monotonic.
        """
        party, other = self.parties[which], self.parties[1 - which]
        reason = party.takes_control(data, source) if control else party.takes(data, source)
        if reason is not None:
            self.dropped[reason] += 1
            return None
        if not control:
            self.heard[which].arrived(data, now)
        to = other.control_destination if control else other.destination
        if to is None:
            self.dropped[RelayDrop.NOWHERE] += 1
            return None
        self.packets[which] += 1
        return to
