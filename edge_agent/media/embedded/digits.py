"""Digits as telephone events (RFC 4733): many packets per key, one digit out of them."""

from edge_agent.media.embedded.rtp import DropReason, Packet

DIGITS = "0123456789*#ABCD"
_LONGEST = 0xFFFF
"""An event longer than its 16-bit duration goes on in a next segment that starts here (§2.5.1.3)."""


class DigitReader:
    """Turns the event packets of one RTP source into digits, each reported once, at its first packet to arrive."""

    def __init__(self) -> None:
        self._last: int | None = None

    def restart(self) -> None:
        """Another source begins: its timestamps have nothing to do with those before."""
        self._last = None

    def receive(self, packet: Packet) -> str | DropReason | None:
        """The digit that begins with this packet; None for a further packet of a known or earlier one, or no digit."""
        if len(packet.payload) < 4:
            return DropReason.BAD_EVENT
        event = packet.payload[0]
        if self._last is not None:
            step = packet.timestamp - self._last & 0xFFFFFFFF
            if step == 0 or step >= 1 << 31:
                return None
        continued = self._last is not None and packet.timestamp == self._last + _LONGEST & 0xFFFFFFFF
        self._last = packet.timestamp
        if continued and not packet.marker:
            return None
        return DIGITS[event] if event < len(DIGITS) else None
