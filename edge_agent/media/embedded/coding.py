"""From samples to the payloads of a codec and back, one object for each call and direction pair.

Codecs whose library is not on the machine are not offered: `usable` leaves them out.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from edge_agent.media.codecs import NARROW, WIDE, Codec, CodecName, OpusTerms
from edge_agent.media.embedded import g711, opus
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.resampling import Downsampler, Upsampler

try:
    from G722 import G722
except ImportError:  # no wheel for this machine, and no compiler
    G722 = None


class Coder(Protocol):
    """Codes one stream and decodes another; what it makes depends on all that went through before."""

    def encode(self, samples: Samples) -> bytes:
        """The payload of a frame of 20 ms."""
        ...

    def decode(self, payload: bytes) -> Samples:
        """The samples in a payload, whatever its bytes are."""
        ...

    def length(self, payload: bytes) -> int:
        """How many samples `decode` will give."""
        ...

    def conceal(self, count: int, following: bytes) -> Samples | None:
        """What stands for `count` samples that did not come, before a packet that did (empty: none yet).

        None: the codec has nothing of its own for that.
        """
        ...


class G711Coder:
    """PCMU or PCMA."""

    def __init__(self, payload_type: int) -> None:
        self._payload_type = payload_type
        self._before: Samples | None = None
        self._payload = b""

    def encode(self, samples: Samples) -> bytes:
        """One byte for each sample; the frame of silence, which is the same one each time, is coded once."""
        if samples is not self._before:
            self._before, self._payload = samples, g711.encode(self._payload_type, samples)
        return self._payload

    def decode(self, payload: bytes) -> Samples:
        """One sample for each byte."""
        return g711.decode(self._payload_type, payload)

    def length(self, payload: bytes) -> int:
        """As many as bytes."""
        return len(payload)

    def conceal(self, count: int, following: bytes) -> None:
        """Nothing of its own."""


class G722Coder:
    """G.722 at 64 kbit/s (ITU-T G.722 mode 1): a byte for two samples of 16,000 in a second."""

    def __init__(self) -> None:
        self._coder = G722(WIDE, 64_000)

    def encode(self, samples: Samples) -> bytes:
        """One byte for two samples."""
        return bytes(self._coder.encode(samples))

    def decode(self, payload: bytes) -> Samples:
        """Two samples for each byte."""
        return np.frombuffer(self._coder.decode(payload), dtype=np.int16)

    def length(self, payload: bytes) -> int:
        """Twice as many as bytes."""
        return 2 * len(payload)

    def conceal(self, count: int, following: bytes) -> None:
        """Nothing of its own."""


class WidenedCoder:
    """A codec of 8,000 samples a second where the call has 16,000: its peer may change between both kinds."""

    def __init__(self, narrow: Coder) -> None:
        self._narrow, self._up, self._down = narrow, Upsampler(), Downsampler()

    def encode(self, samples: Samples) -> bytes:
        """The payload of the narrower audio."""
        return self._narrow.encode(self._down.take(samples))

    def decode(self, payload: bytes) -> Samples:
        """The samples, twice as many as the codec has."""
        return self._up.take(self._narrow.decode(payload))

    def length(self, payload: bytes) -> int:
        """Twice as many as the codec has."""
        return 2 * self._narrow.length(payload)

    def conceal(self, count: int, following: bytes) -> None:
        """Nothing of its own: none of the narrower codecs has."""


def usable(codecs: Iterable[Codec]) -> tuple[Codec, ...]:
    """Those that this machine can do."""
    missing = {CodecName.G722: G722 is None, CodecName.OPUS: opus.LIBOPUS is None}
    return tuple(codec for codec in codecs if not missing.get(codec.name))


def coder(codec: Codec, rate: int, terms: OpusTerms | None = None) -> Coder:
    """A coder for audio of `rate` samples a second, which is the codec's own or twice as many.

    `terms` are those of Opus; its library, as that of every codec, has to be there (`usable`).
    """
    made: Coder
    match codec.name:
        case CodecName.PCMU | CodecName.PCMA:
            made = G711Coder(codec.payload_type)
        case CodecName.G722:
            made = G722Coder()
        case CodecName.OPUS:
            made = opus.OpusCoder(terms or OpusTerms(codec.payload_type))
    return WidenedCoder(made) if codec.rate == NARROW and rate == WIDE else made
