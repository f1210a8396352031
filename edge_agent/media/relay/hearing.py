"""How well one side of a relayed stream arrives: read from the headers of RTP, which secure RTP leaves plain too."""

from __future__ import annotations

import struct
from typing import Final, Literal

from contract.sync.quality import CallQuality
from edge_agent.media.embedded.reception import Reception
from edge_agent.media.quality import opinion

_HEADER: Final = struct.Struct("!BBHII")
_CLOCK: Final = 8000
"""Of every voice codec with a static payload type, G.722 too (RFC 3551 §4.5.2)."""
_CODECS: Final = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 15: "G728", 18: "G729"}
_PACKET_MS: Final = 20.0


class Hearing:
    """What came from one party. Constant in size; no clock."""

    __slots__ = ("_reception", "_ssrc", "_type")

    def __init__(self) -> None:
        self._reception = Reception(_CLOCK)
        self._ssrc = self._type = -1

    @property
    def packets(self) -> int:
        """Of RTP, that came."""
        return self._reception.received

    def arrived(self, data: bytes, now: float) -> None:
        """A datagram that this party sent, at its port for RTP; what is no RTP says nothing.

        Args:
            data: it.
            now: seconds, monotonic.
        """
        if len(data) < _HEADER.size:
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first >> 6 != 2 or 192 <= second <= 223:
            return
        if ssrc != self._ssrc:
            self._ssrc = ssrc
            self._reception.restart()
        kind = second & 0x7F
        if kind < 96 or self._type < 0:  # telephone events (RFC 4733) and the like do not stand for the codec
            self._type = kind
        self._reception.took(sequence, timestamp, now, timed=kind in _CODECS)

    def told(self, call_id: str, heard: Literal["caller", "callee"] | None) -> CallQuality:
        """As the call's record gets it; delay is what the jitter asks of a receiver, since the relay knows no other.

        Args:
            call_id: which call.
            heard: which party it is.
        """
        got = self._reception
        lost, expected = max(0, got.lost), max(got.expected, got.received)
        lost_percent = 100 * lost / expected if expected else None
        jitter_ms = 1000 * got.jitter_seconds if self._type in _CODECS else None
        mos = None
        if lost_percent is not None:
            mos = round(opinion(lost_percent, _PACKET_MS + 2 * (jitter_ms or 0.0)), 2)
        return CallQuality(
            sip_call_id=call_id[:1024],
            source="relay",
            heard=heard,
            codec=_CODECS.get(self._type, ""),
            packets=got.received,
            lost=lost if expected else None,
            lost_percent=None if lost_percent is None else round(lost_percent, 2),
            jitter_ms=None if jitter_ms is None else round(jitter_ms, 1),
            longest_jitter_ms=None if jitter_ms is None else round(1000 * got.longest_jitter_seconds, 1),
            mos=mos,
        )
