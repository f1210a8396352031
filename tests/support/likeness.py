"""How much of recorded speech is still to be understood, as a number.

A short-time correlation of spectra in the manner of STOI (Taal et al., 2010): in segments of 384 ms in which somebody
speaks, the envelopes of 15 bands are compared with those of the original at the delay that fits best, because the
delay of a jitter buffer changes within a recording. 1 is the same sound.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples

_WINDOW: Final = 256
_HOP: Final = 64
_SEGMENT: Final = 48
"""Hops of 8 ms."""
_MOST_DELAY: Final = 50
"""Hops; 400 ms."""
_EDGES: Final = np.unique(np.geomspace(5, 122, 16).astype(int))
"""Bands of FFT bins from 150 Hz to 3800 Hz."""


def likeness(original: Samples, heard: Samples) -> float:
    """0 to 1; `heard` may be late by up to 400 ms."""
    wanted, got = _envelopes(original), _envelopes(heard)
    loud = wanted.sum(axis=1)
    scores = []
    for start in range(0, len(wanted) - _SEGMENT + 1, _SEGMENT // 2):
        part = wanted[start : start + _SEGMENT]
        if loud[start : start + _SEGMENT].mean() < loud.mean() / 4:
            continue
        others = [got[start + late : start + late + _SEGMENT] for late in range(_MOST_DELAY)]
        scores.append(max((_correlation(part, other) for other in others if len(other) == _SEGMENT), default=0.0))
    return float(np.mean(scores))


def _envelopes(samples: Samples) -> npt.NDArray[np.float64]:
    padded = np.pad(samples.astype(np.float64), (0, _WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    return np.sqrt(np.add.reduceat(power, _EDGES, axis=1)[:, :-1])


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    size = np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0)
    return float(np.mean((one * other).sum(axis=0) / np.maximum(size, 1e-9)))
