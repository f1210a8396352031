"""Audio of 8,000 samples a second to 16,000 and back, piece by piece without a seam.

A half-band filter (windowed sinc, Kaiser) in its two phases: one of them is a single tap, so a frame of 20 ms costs one
convolution with the 32 taps of the other. What is above 4.6 kHz is 65 dB down, what is below 3.4 kHz is as it was.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples

Floats = npt.NDArray[np.float32]

_CENTRE: Final = 31
_SIDE: Final = _CENTRE + 1
"""Taps of the phase that has more than one."""
_LATER: Final = _CENTRE // 2 + 1
"""Samples by which the phase of one tap stays behind, so that both are in step."""


def _taps() -> Floats:
    at = np.arange(0, 2 * _CENTRE + 1, 2) - _CENTRE
    taps = np.sinc(at / 2) / 2 * np.kaiser(2 * _CENTRE + 1, 5.65)[::2]
    half: Floats = (taps / taps.sum() / 2).astype(np.float32)
    return half


_TAPS: Final = _taps()
"""Of a low pass of gain one at 16,000 samples a second; its centre tap, in the other phase, is one half."""


class Upsampler:
    """From 8,000 samples a second to 16,000; any number of samples at a time."""

    def __init__(self) -> None:
        self._before: Floats = np.zeros(_SIDE - 1, dtype=np.float32)

    def take(self, samples: Samples) -> Samples:
        """Twice as many samples."""
        if not len(samples):
            return samples
        line: Floats = np.concatenate((self._before, samples), dtype=np.float32)
        self._before = line[len(samples) :]
        out: Floats = np.empty(2 * len(samples), dtype=np.float32)
        out[0::2] = np.convolve(line, 2 * _TAPS, "valid")
        out[1::2] = line[_LATER : _LATER + len(samples)]
        return _rounded(out)


class Downsampler:
    """From 16,000 samples a second to 8,000; an even number of samples at a time."""

    def __init__(self) -> None:
        self._even: Floats = np.zeros(_SIDE - 1, dtype=np.float32)
        self._odd: Floats = np.zeros(_LATER, dtype=np.float32)

    def take(self, samples: Samples) -> Samples:
        """Half as many samples; what the narrower band cannot hold is gone."""
        if not len(samples):
            return samples
        even: Floats = np.concatenate((self._even, samples[0::2]), dtype=np.float32)
        odd: Floats = np.concatenate((self._odd, samples[1::2]), dtype=np.float32)
        count = len(samples) // 2
        self._even, self._odd = even[count:], odd[count:]
        out: Floats = np.convolve(even, _TAPS, "valid").astype(np.float32, copy=False)
        out += odd[:count] / 2
        return _rounded(out)


class Fitter:
    """Frames of 20 ms of either rate in, frames of one rate out."""

    def __init__(self) -> None:
        self._up: Upsampler | None = None
        self._down: Downsampler | None = None

    def fit(self, frame: Samples, count: int) -> Samples:
        """The frame, in `count` samples: as many as it has, twice or half as many."""
        if len(frame) == count:
            self._up = self._down = None
            return frame
        if len(frame) < count:
            self._up = self._up or Upsampler()
            return self._up.take(frame)
        self._down = self._down or Downsampler()
        return self._down.take(frame)


def _rounded(values: Floats) -> Samples:
    np.rint(values, out=values)
    return np.clip(values, -32768, 32767, out=values).astype(np.int16)
