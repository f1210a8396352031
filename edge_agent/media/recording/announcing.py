"""An announcement in a relayed call: it is said in the place of what each side says meanwhile.

Each packet goes on as it came, in its codec and with its numbers, and carries a piece of the announcement in place of
its voice. So no stream begins or ends, and whoever listens notices no change of who sends.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_agent.media.codecs import G722, WIDE
from edge_agent.media.embedded import g711
from edge_agent.media.embedded.coding import G722Coder, usable
from edge_agent.media.embedded.resampling import Upsampler
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.sound import Sound

_SILENCE: Final = {0: b"\xff", 8: b"\xd5", 9: b"\xfa"}
_FRAME: Final = WIDE // 50


class Announcement:
    """What is said, in each codec that it can be said in: all of them have 8,000 bytes in a second.

    Args:
        sound: of 8,000 samples a second.
    """

    def __init__(self, sound: Sound) -> None:
        samples = sound.samples
        self._coded = {kind: g711.encode(kind, samples) for kind in (0, 8)}
        if usable((G722,)):
            whole = np.append(samples, np.zeros(-len(samples) % (_FRAME // 2), dtype=np.int16))
            wide, coder = Upsampler().take(whole), G722Coder()
            self._coded[9] = b"".join(coder.encode(wide[at : at + _FRAME]) for at in range(0, len(wide), _FRAME))
        self.length = len(self._coded[0])

    def piece(self, payload_type: int, at: int, length: int) -> bytes | None:
        """So many bytes of it; None: it cannot be said in this codec."""
        coded = self._coded.get(payload_type)
        return None if coded is None else coded[at : at + length].ljust(length, _SILENCE[payload_type])


class Saying:
    """One announcement on its way to both sides."""

    __slots__ = ("_at", "_what")

    def __init__(self, what: Announcement) -> None:
        self._what, self._at = what, [0, 0]

    @property
    def over(self) -> bool:
        """Whether both sides heard all of it."""
        return min(self._at) >= self._what.length

    def into(self, which: int, packet: Packet) -> Packet:
        """A packet as the other side is to get it; `which` sent it."""
        at = self._at[which]
        if at >= self._what.length:
            return packet
        piece = self._what.piece(packet.payload_type, at, len(packet.payload))
        if piece is None:
            return packet
        self._at[which] = at + len(piece)
        return packet._replace(payload=piece)
