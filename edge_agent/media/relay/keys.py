"""Keys that one end of a relayed stream presses (RFC 4733)."""

from __future__ import annotations

from edge_agent.media.embedded.digits import DIGITS, DigitReader
from edge_agent.media.embedded.rtp import Packet, parse
from edge_agent.ports import WatchedKeys


class KeyWatch:
    """Reads the keys of one end. Constant in size; no clock.

    Args:
        watched: whose keys, and by which payload types they come.
    """

    __slots__ = ("_reader", "_ssrc", "watched")

    def __init__(self, watched: WatchedKeys) -> None:
        self.watched = watched
        self._reader = DigitReader()
        self._ssrc = -1

    def heard(self, which: int, data: bytes) -> str:
        """The key that begins with a datagram that was passed on; empty: none does.

        Args:
            which: who sent it.
            data: it.
        """
        if which != self.watched.end or len(data) < 2 or data[1] & 0x7F not in self.watched.types:
            return ""
        packet = parse(data)
        if not isinstance(packet, Packet):
            return ""
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._reader.restart()
        key = self._reader.receive(packet)
        return key if isinstance(key, str) and key in DIGITS else ""
