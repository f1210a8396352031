"""What is said in place of audio that did not come: the last pitch period again and again, fading into silence.

The idea is that of ITU-T G.711 appendix I: voiced speech is nearly periodic for some hundredths of a second, so a short
loss that is filled so is hardly heard, while a hole clicks. Where real audio comes back it is faded in.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.playout import Known

_SHORTEST_PERIOD: Final = 40
_LONGEST_PERIOD: Final = 120
"""Samples: the pitch of a voice, from 200 Hz down to 66 Hz."""
_MATCHED: Final = 160
"""Samples at the end of what was heard whose like is looked for one period before."""
_FULL: Final = 80
"""Samples, 10 ms, at full loudness; after them it falls."""
_FADE: Final = 400
"""Samples, 50 ms, from full loudness to silence: by then nobody would believe it."""
_BLEND: Final = 32
"""Samples, 4 ms, in which real audio takes over again."""
_RAMP: Final = (np.arange(_BLEND) + 1.0) / (_BLEND + 1)


class Concealer:
    """Fills one source's holes; give it every frame in turn."""

    def __init__(self) -> None:
        self._heard = np.zeros(_MATCHED + _LONGEST_PERIOD, dtype=np.int16)
        self._period: npt.NDArray[np.float64] = np.zeros(1)
        self._filled = 0
        self._began = False

    def restart(self) -> None:
        """Another source begins."""
        self._heard[:] = 0
        self._filled = 0
        self._began = False

    def fill(self, samples: Samples, known: Known) -> Samples:
        """The frame with its holes filled."""
        if not self._filled and known.all():
            self._remember(samples)
            return samples
        if not known.any():
            return self._make(len(samples))
        out = samples.copy()
        edges = np.flatnonzero(np.diff(known)) + 1
        for start, end in zip((0, *edges), (*edges, len(samples)), strict=True):
            if known[start]:
                out[start:end] = self._welcome(samples[start:end])
            else:
                out[start:end] = self._make(end - start)
        return out

    def _make(self, count: int) -> Samples:
        if not self._began or self._filled >= _FULL + _FADE:
            return np.zeros(count, dtype=np.int16)
        if not self._filled:
            self._period = _last_period(self._heard)
        at = self._filled + np.arange(count)
        self._filled += count
        loudness = np.clip(1.0 - (at - _FULL) / _FADE, 0.0, 1.0)
        made: Samples = (self._period[at % len(self._period)] * loudness).astype(np.int16)
        return made

    def _welcome(self, samples: Samples) -> Samples:
        """Real audio after a hole; it is what the next hole is filled with."""
        if self._filled:
            blended = samples.astype(np.float64)
            count = min(_BLEND, len(samples))
            went_on = self._make(count)
            blended[:count] += (went_on - blended[:count]) * (1.0 - _RAMP[:count])
            samples = blended.astype(np.int16)
            self._filled = 0
        self._remember(samples)
        return samples

    def _remember(self, samples: Samples) -> None:
        self._began = True
        self._heard = np.concatenate((self._heard[len(samples) :], samples[-len(self._heard) :]))


def _last_period(heard: Samples) -> npt.NDArray[np.float64]:
    """The last pitch period of what was heard: the lag at which its end is most like itself."""
    values = heard.astype(np.float64)
    end = values[-_MATCHED:]
    lags = range(_SHORTEST_PERIOD, _LONGEST_PERIOD + 1)
    before = np.lib.stride_tricks.sliding_window_view(values, _MATCHED)[[len(values) - _MATCHED - lag for lag in lags]]
    likeness = before @ end / np.sqrt(np.einsum("ij,ij->i", before, before) + 1.0)
    return values[-(_SHORTEST_PERIOD + int(np.argmax(likeness))) :]
