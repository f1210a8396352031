"""What recordings of calls sound like: the tone in each of the two channels."""

import struct
from collections.abc import Iterable

import numpy as np

from edge_agent.media.embedded import g711
from edge_agent.media.embedded.g711 import Samples

RATE = 8000


def channels_of(wav: Iterable[bytes]) -> tuple[Samples, Samples]:
    """The two channels of a µ-law WAV file, whose header is checked."""
    whole = b"".join(wav)
    riff, size, wave, fmt, _, kind, count, rate = struct.unpack_from("<4sI4s4sIHHI", whole)
    assert (riff, wave, fmt) == (b"RIFF", b"WAVE", b"fmt ")
    assert (kind, count, rate, size) == (7, 2, RATE, len(whole) - 8)
    at = whole.index(b"data") + 8
    assert struct.unpack_from("<I", whole, at - 4) == (len(whole) - at,)
    both = g711.decode(0, whole[at:])
    return both[0::2], both[1::2]


def first_hz(samples: Samples) -> int:
    """The loudest frequency of the first half second in which there is any; 0: in none."""
    return next(iter(_sounding(samples)), 0)


def last_hz(samples: Samples) -> int:
    """The same of the last one."""
    return next(reversed(_sounding(samples)), 0)


def _sounding(samples: Samples) -> list[int]:
    pieces = (samples[at : at + RATE // 2] for at in range(0, len(samples), RATE // 2))
    return [hz for hz in map(loudest_hz, pieces) if hz]


def loudest_hz(samples: Samples) -> int:
    """The loudest frequency, to 20 Hz; 0: silence."""
    if len(samples) < RATE // 4 or np.abs(samples.astype(np.int32)).max() < 500:
        return 0
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64) * np.hanning(len(samples))))
    return round(float(spectrum.argmax()) * RATE / len(samples) / 20) * 20
