"""What both sides of a relayed stream are sent, on one time line: two channels of µ-law, second by second.

Packets stand where their timestamps say; the moment of arrival decides where a stream begins, and where it goes on
after a jump. What did not come is silence. No socket, no disk, no clock.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_agent.media.codecs import G722, PCMA, PCMU
from edge_agent.media.embedded import g711
from edge_agent.media.embedded.coding import G722Coder, usable
from edge_agent.media.embedded.resampling import Downsampler
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.recording.sealed import RATE, SECOND_BYTES

_ROOM_SECONDS: Final = 4
"""What can wait for packets that come late, or were packed together."""
_LATE_SECONDS: Final = 1.0
_JUMP: Final = RATE // 2
"""So far from its arrival a timestamp begins another reckoning."""
_HALF: Final = 1 << 31
"""Of the numbers that a timestamp can have."""
_SILENCE: Final = 0xFF
_FROM_A_LAW: Final = g711.encode(0, g711.decode(8, bytes(range(256))))
_PCMU: Final = PCMU.payload_type
_PCMA: Final = PCMA.payload_type
_VOICE: Final = frozenset(codec.payload_type for codec in usable((PCMU, PCMA, G722)))
_COMFORT_NOISE: Final = 13
FIRST_DYNAMIC: Final = 96


class _Channel:
    """One side's sound, the seconds that are not yet written."""

    __slots__ = ("_base", "_decoder", "_down", "_ssrc", "sound")

    def __init__(self) -> None:
        self.sound = bytearray([_SILENCE]) * (_ROOM_SECONDS * RATE)
        self._ssrc = -1
        self._base = 0
        """Place of timestamp 0."""
        self._decoder: G722Coder | None = None
        self._down = Downsampler()

    def hear(self, packet: Packet, here: int, written: int) -> None:
        """Put a packet's sound in its place.

        Args:
            packet: of voice.
            here: the place of this moment, in samples.
            written: the place of what `sound` begins with.
        """
        sound = self._mu_law(packet)
        off = (self._base + packet.timestamp - here + _HALF & 2 * _HALF - 1) - _HALF
        if packet.ssrc != self._ssrc or abs(off) > _JUMP:
            self._ssrc, self._base, off = packet.ssrc, here - packet.timestamp, 0
        at = here + off - written
        if at < 0:
            sound, at = sound[-at:], 0
        room = len(self.sound) - at
        if room > 0 and sound:
            sound = sound[:room]
            self.sound[at : at + len(sound)] = sound

    def _mu_law(self, packet: Packet) -> bytes:
        if packet.payload_type == _PCMU:
            return packet.payload
        if packet.payload_type == _PCMA:
            return packet.payload.translate(_FROM_A_LAW)
        if self._decoder is None:
            self._decoder = G722Coder()
        return g711.encode(_PCMU, self._down.take(np.array(self._decoder.decode(packet.payload))))

    def take_second(self) -> bytes:
        """The oldest second, which makes room for another."""
        taken = bytes(self.sound[:RATE])
        del self.sound[:RATE]
        self.sound += bytes([_SILENCE]) * RATE
        return taken


class Tap:
    """Both channels of one recording.

    Args:
        began: the moment of its first sample, seconds, monotonic.
        written: seconds that were written before.
        longest_seconds: where it ends.
    """

    __slots__ = ("_began", "_channels", "_longest", "_written", "unknown", "voice")

    def __init__(self, began: float, written: int, longest_seconds: int) -> None:
        self._began, self._written, self._longest = began, written, longest_seconds
        self._channels = (_Channel(), _Channel())
        self.voice = 0
        """Packets that could be recorded."""
        self.unknown = 0
        """Packets of a codec that is not known here."""

    @property
    def over(self) -> bool:
        """Whether it is as long as it may be."""
        return self._written >= self._longest

    def hear(self, which: int, packet: Packet, now: float) -> None:
        """A packet that a side is sent.

        Args:
            which: who sent it, 0 or 1: the channel.
            packet: it.
            now: seconds, monotonic.
        """
        if packet.payload_type in _VOICE:
            self.voice += 1
            here = int((now - self._began) * RATE)
            self._channels[which].hear(packet, here, self._written * RATE)
        elif packet.payload_type != _COMFORT_NOISE:
            # Keys and the like come now and then; a voice that is not known comes all the time.
            self.unknown += 1

    def seconds(self, now: float) -> list[bytes]:
        """Seconds to be written by now: those that nothing is still to come of."""
        due = min(int(now - self._began - _LATE_SECONDS), self._longest)
        return [self._second() for _ in range(due - self._written)]

    def rest(self, now: float) -> list[bytes]:
        """What is left when it ends."""
        found = self.seconds(now)
        if (left := now - self._began - self._written) > 0 and not self.over:
            samples = min(int(left * RATE), _ROOM_SECONDS * RATE, (self._longest - self._written) * RATE)
            while samples > 0:
                found.append(self._second()[: 2 * samples])
                samples -= RATE
        return found

    def _second(self) -> bytes:
        both = bytearray(SECOND_BYTES)
        both[0::2], both[1::2] = (channel.take_second() for channel in self._channels)
        self._written += 1
        return bytes(both)
