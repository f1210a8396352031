"""Sounds like a voice, and how much like one another two sounds are."""

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples

RATE = 8000


def vowel(count: int, pitch: float = 125.0) -> Samples:
    """`count` samples of a voiced sound: a pitch in Hz and its harmonics under two formants."""
    harmonics = np.arange(1, int(3400 / pitch) + 1) * pitch
    loud = 1 / (1 + ((harmonics - 600) / 200) ** 2) + 0.5 / (1 + ((harmonics - 1700) / 250) ** 2)
    sound = (loud[:, None] * np.sin(2 * np.pi * harmonics[:, None] * np.arange(count) / RATE)).sum(axis=0)
    made: Samples = (8000 * sound / np.abs(sound).max()).astype(np.int16)
    return made


def speech(seconds: float) -> Samples:
    """Syllables of 250 ms with pauses of 50 ms between them, on changing pitches."""
    pause, parts = np.zeros(400, dtype=np.int16), list[Samples]()
    for number in range(int(seconds / 0.3)):
        parts += [vowel(2000, (90.0, 110.0, 140.0, 170.0, 120.0)[number % 5]), pause]
    return np.concatenate(parts)


def distance_db(one: Samples, other: Samples) -> float:
    """How far apart two sounds of equal length are to an ear: the mean difference of their spectra in decibels.

    22 bands of 155 Hz in windows of 32 ms; 0 for the same sound; a word that is missing counts for its time.
    """

    def spectra(samples: Samples) -> npt.NDArray[np.float64]:
        windows = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 256)[::128] * np.hanning(256)
        bands = np.abs(np.fft.rfft(windows, axis=1))[:, 2:112].reshape(len(windows), 22, 5).mean(axis=2)
        return np.asarray(20 * np.log10(bands + 300.0))

    return float(np.abs(spectra(one) - spectra(other)).mean())
