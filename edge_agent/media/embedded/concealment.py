"""What is said in place of audio that did not come: the last pitch period again and again, fading into silence.

The idea is that of ITU-T G.711 appendix I: voiced speech is nearly periodic for some hundredths of a second, so a short
loss that is filled so is hardly heard, while a hole clicks. Where real audio comes back it is faded in.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.codecs import NARROW
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.playout import Known

_SHORTEST_PERIOD: Final = 0.005
_LONGEST_PERIOD: Final = 0.015
"""Seconds: the pitch of a voice, from 200 Hz down to 66 Hz."""
_MATCHED: Final = 0.02
"""Seconds at the end of what was heard whose like is looked for one period before."""
_FULL: Final = 0.01
"""Seconds at full loudness; after them it falls."""
_FADE: Final = 0.05
"""Seconds from full loudness to silence: by then nobody would believe it."""
_BLEND: Final = 0.004
"""Seconds in which real audio takes over again."""


class Concealer:
    """Fills one source's holes; give it every frame in turn.

    Args:
        rate: samples in a second.
    """

    def __init__(self, rate: int = NARROW) -> None:
        self._shortest, self._longest = int(_SHORTEST_PERIOD * rate), int(_LONGEST_PERIOD * rate)
        self._matched, self._blend = int(_MATCHED * rate), int(_BLEND * rate)
        self._full, self._fade = int(_FULL * rate), int(_FADE * rate)
        self._ramp = (np.arange(self._blend) + 1.0) / (self._blend + 1)
        self._silence = np.zeros(self._matched + self._longest, dtype=np.int16)
        self._recent: list[Samples] = []
        """What was heard last, as it came: put together only where there is a hole."""
        self._recent_samples = 0
        self._period: npt.NDArray[np.float64] = np.zeros(1)
        self._filled = 0

    def restart(self) -> None:
        """Another source begins."""
        self._recent.clear()
        self._recent_samples = 0
        self._filled = 0

    def fill(self, samples: Samples, known: Known) -> Samples:
        """The frame with its holes filled."""
        if known.all():
            return self.went_on(samples)
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

    def went_on(self, samples: Samples) -> Samples:
        """As `fill`, of a frame without holes."""
        if self._filled:
            return self._welcome(samples)
        self._remember(samples)
        return samples

    def _make(self, count: int) -> Samples:
        if not self._recent or self._filled >= self._full + self._fade:
            return np.zeros(count, dtype=np.int16)
        if not self._filled:
            self._period = self._last_period()
        at = self._filled + np.arange(count)
        self._filled += count
        loudness = np.clip(1.0 - (at - self._full) / self._fade, 0.0, 1.0)
        made: Samples = (self._period[at % len(self._period)] * loudness).astype(np.int16)
        return made

    def _welcome(self, samples: Samples) -> Samples:
        """Real audio after a hole; it is what the next hole is filled with."""
        if self._filled:
            blended = samples.astype(np.float64)
            count = min(self._blend, len(samples))
            went_on = self._make(count)
            blended[:count] += (went_on - blended[:count]) * (1.0 - self._ramp[:count])
            samples = blended.astype(np.int16)
            self._filled = 0
        self._remember(samples)
        return samples

    def _remember(self, samples: Samples) -> None:
        recent = self._recent
        recent.append(samples)
        self._recent_samples += len(samples)
        while self._recent_samples - len(recent[0]) >= len(self._silence):
            self._recent_samples -= len(recent.pop(0))

    def _last_period(self) -> npt.NDArray[np.float64]:
        """The last pitch period of what was heard: the lag at which its end is most like itself."""
        heard = np.concatenate((self._silence, *self._recent))[-len(self._silence) :]
        values, matched = heard.astype(np.float64), self._matched
        end = values[-matched:]
        lags = range(self._shortest, self._longest + 1)
        windows = np.lib.stride_tricks.sliding_window_view(values, matched)
        before = windows[[len(values) - matched - lag for lag in lags]]
        likeness = before @ end / np.sqrt(np.einsum("ij,ij->i", before, before) + 1.0)
        return values[-(self._shortest + int(np.argmax(likeness))) :]
