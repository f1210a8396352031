"""Legs that talk: packets of speech each 20 ms, the same for whatever is measured."""

import socket
import time
from collections.abc import Sequence
from typing import Final

from edge_agent.media.codecs import ALL, NARROW
from edge_agent.media.embedded.coding import coder
from edge_agent.media.embedded.resampling import Upsampler
from tests.support.voice_sounds import speech

TICK: Final = 0.02
_CODECS: Final = {codec.payload_type: codec for codec in ALL}


class Load:
    """Legs that talk, 20 ms of speech a packet, and leave unread what they are sent.

    Args:
        legs: a socket of each.
        payload_types: of the legs, in turn.
    """

    def __init__(self, legs: Sequence[socket.socket], payload_types: tuple[int, ...]) -> None:
        self._payload_types, self._sockets = payload_types, legs
        self._frames = {number: _coded(number) for number in payload_types}
        self.sent = 0

    @property
    def ports(self) -> list[int]:
        """Where each leg listens."""
        return [int(each.getsockname()[1]) for each in self._sockets]

    def talk(self, to: Sequence[int], seconds: float) -> None:
        """Send to these ports for so long, each leg's packet at its own moment of the 20 ms."""
        begun, step = time.monotonic(), TICK / len(to)
        for number in range(int(seconds / TICK)):
            for leg, port in enumerate(to):
                count = self.sent + number
                payload_type = self._payload_types[leg % len(self._payload_types)]
                ticks = _CODECS[payload_type].clock // 50 * count & 0xFFFFFFFF
                header = bytes((0x80, payload_type)) + (count & 0xFFFF).to_bytes(2) + ticks.to_bytes(4)
                frames = self._frames[payload_type]
                frame = frames[(count + 17 * leg) % len(frames)]
                self._sockets[leg].sendto(header + leg.to_bytes(4) + frame, ("127.0.0.1", port))
                time.sleep(max(0.0, begun + number * TICK + (leg + 1) * step - time.monotonic()))
        self.sent += int(seconds / TICK)


def _coded(payload_type: int) -> list[bytes]:
    """Six seconds of speech, a frame of 20 ms each."""
    codec, said = _CODECS[payload_type], speech(6.0)
    made, sound = coder(codec, codec.rate), said if codec.rate == NARROW else Upsampler().take(said)
    size = codec.rate // 50
    return [made.encode(sound[at : at + size]) for at in range(0, len(sound) - size, size)]
