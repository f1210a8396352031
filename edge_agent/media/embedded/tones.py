"""Keys as tones in the audio (ITU-T Q.23, Q.24), for callers whose side knows no telephone events.

A key is two tones that carry nearly all of the energy, one of each group, in two windows of 20 ms that begin 10 ms
apart: 40 ms of a key have two such windows wherever they begin, and a voice that sounds like a key does so briefly.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.codecs import NARROW
from edge_agent.media.embedded.g711 import Samples

_LOW: Final = (697, 770, 852, 941)
_HIGH: Final = (1209, 1336, 1477, 1633)
_KEYS: Final = ("123A", "456B", "789C", "*0#D")
_LEAST_POWER: Final = 100.0**2
"""Mean square of a window, -50 dB under full scale: softer keys than that come over no line."""
_SHARE: Final = 0.55
"""Of the energy of a window that the two tones must have. 1.5 % beside its frequency the highest one has lost half."""
_APART: Final = 4.0
"""How much stronger (in energy) a tone must be than any other of its group."""
_TWIST: Final = 10.0
"""How much stronger (in energy) one of the two may be than the other."""
_WINDOWS: Final = 2
"""Windows in a row that begin a key, and that end it."""


class ToneReader:
    """Finds keys in what one caller says, each once, when it has begun; give it every frame in turn.

    Args:
        rate: samples in a second.
    """

    def __init__(self, rate: int = NARROW) -> None:
        self._window, self._hop = rate // 50, rate // 100
        times = np.arange(self._window) / rate
        self._waves = np.exp(-2j * np.pi * np.outer((*_LOW, *_HIGH), times)) * (2 / self._window)
        self._before: Samples = np.zeros(self._window - self._hop, dtype=np.int16)
        self._key = ""
        self._candidate, self._times = "", 0

    def hear(self, frame: Samples) -> str:
        """The keys that begin in a frame of 20 ms; nearly always none, an empty text."""
        samples = np.concatenate((self._before, frame)).astype(np.float64)
        self._before = frame[-(self._window - self._hop) :]
        begun = ""
        for at in range(0, len(samples) - self._window + 1, self._hop):
            begun += self._heard(self._key_in(samples[at : at + self._window]))
        return begun

    def _heard(self, key: str) -> str:
        self._times = self._times + 1 if key == self._candidate else 1
        self._candidate = key
        if self._times != _WINDOWS or key == self._key:
            return ""
        self._key = key
        return key

    def _key_in(self, window: npt.NDArray[np.float64]) -> str:
        """The key that sounds in a window; empty for none."""
        power = float(window @ window) / self._window
        if power < _LEAST_POWER:
            return ""
        energy = np.abs(self._waves @ window) ** 2 / 2
        low, high = energy[:4], energy[4:]
        row, column = int(np.argmax(low)), int(np.argmax(high))
        first, second = float(low[row]), float(high[column])
        if first + second < _SHARE * power or not first / _TWIST < second < first * _TWIST:
            return ""
        if np.partition(low, 2)[2] * _APART > first or np.partition(high, 2)[2] * _APART > second:
            return ""
        return _KEYS[row][column]
