"""The waveform of a recording as it is drawn: how loud each stretch of a WAV file is.

Only so many samples of each stretch are looked at, so that two hours cost what two minutes do; of an odd stride, which
meets both channels.
"""

import struct
from typing import Final

BARS: Final = 96
"""Stretches of equal length that a recording is drawn as."""
_SAMPLES_OF_BAR: Final = 4096
"""At least as many are looked at, where there are."""
_HEAD_BYTES: Final = 4096
"""Within which the samples begin."""
_LINEAR: Final = 1
_MU_LAW: Final = 7


def _mu_law_loudness(byte: int) -> int:
    """Of one sample (ITU-T G.711), from 0 to 250."""
    plain = ~byte & 0xFF
    return (((((plain & 0x0F) << 3) + 0x84) << ((plain & 0x70) >> 4)) - 0x84) >> 7


_OF_MU_LAW: Final = bytes(map(_mu_law_loudness, range(256)))
_OF_HIGH_BYTE: Final = bytes(min(255, 2 * (byte if byte < 128 else 255 - byte)) for byte in range(256))
"""Of the upper byte of a sample of 16 bits."""


class Waveform:
    """Listens to a WAV file that passes by, of 16 bits or of µ-law.

    Args:
        size_bytes: of the file.
    """

    def __init__(self, size_bytes: int) -> None:
        self._size = size_bytes
        self._head: bytes | None = b""
        """What has come while the samples have not begun; None: they have, or this is no sound."""
        self._bars = bytearray(BARS)
        self._place = 0
        self._from = self._bytes = 0
        self._linear = False

    def take(self, data: bytes) -> None:
        """The next bytes of the file."""
        if self._head is not None:
            self._head += data
            if len(self._head) < min(_HEAD_BYTES, self._size):
                return
            data, self._head = self._head, None
            self._begin(data)
        if self._bytes:
            self._look(data)
        self._place += len(data)

    @property
    def peaks(self) -> bytes | None:
        """How loud each of the `BARS` stretches is, 0 to 255; None: it was no sound that can be drawn."""
        return bytes(self._bars) if self._bytes else None

    def _begin(self, head: bytes) -> None:
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return
        at, coding = 12, 0
        while at + 8 <= len(head):
            name, size = struct.unpack_from("<4sI", head, at)
            if name == b"fmt " and at + 10 <= len(head):
                (coding,) = struct.unpack_from("<H", head, at + 8)
            if name == b"data":
                if coding in (_LINEAR, _MU_LAW):
                    self._linear, self._from = coding == _LINEAR, at + 8
                    self._bytes = min(size, self._size - self._from) & ~1
                return
            at += 8 + size + size % 2

    def _look(self, data: bytes) -> None:
        """At samples of `data`, which lie from `_place` on in the file."""
        width = 2 if self._linear else 1
        samples = self._bytes // width
        stride = width * (max(1, samples // (BARS * _SAMPLES_OF_BAR)) | 1)
        loudness = _OF_HIGH_BYTE if self._linear else _OF_MU_LAW
        first = max(0, self._place - self._from)
        end = min(self._bytes, self._place + len(data) - self._from)
        if end <= first:
            return
        for bar in range(first * BARS // self._bytes, (end - 1) * BARS // self._bytes + 1):
            begins = max(first, -(-bar * self._bytes // BARS))
            ends = min(end, -(-(bar + 1) * self._bytes // BARS))
            begins += (width - 1 - begins) % width  # the upper byte is the second one
            to = ends + self._from - self._place
            looked_at = data[begins + self._from - self._place : to : stride].translate(loudness)
            self._bars[bar] = max(self._bars[bar], max(looked_at, default=0))
