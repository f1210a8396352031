"""The jitter buffer: packets in as they come, 20 ms of audio out at each tick.

It is a ring of samples addressed by RTP timestamp, so any packet length, reordering, duplicates and silence suppression
need no case of their own: what has not arrived when its time comes is silence, and is marked as not known.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.rtp import DropReason

RING = 8192
"""Samples; a power of two, so that positions stay right when the 32-bit timestamp wraps."""
_WRAP = 1 << 32
_Value = TypeVar("_Value", bound=np.generic)

Known = npt.NDArray[np.bool_]
"""Of each sample, whether it has arrived."""


class PlayoutBuffer:
    """Audio of one source, delayed by `delay` samples to even out the network.

    A sender whose clock is faster fills it: past `most_ahead` it begins again at `delay`, and so it does when a
    sender's timestamps jump. A slower one comes late: after `late_run` late packets in a row it begins again too.
    """

    def __init__(self, delay: int = 320, most_ahead: int = 1600, late_run: int = 5) -> None:
        if not 0 <= delay < most_ahead <= RING // 2:
            raise ValueError("the delay must lie under most_ahead, and that within half the ring")
        self._delay, self._most_ahead, self._late_run = delay, most_ahead, late_run
        self._ring = np.zeros(RING, dtype=np.int16)
        self._known = np.zeros(RING, dtype=np.bool_)
        self._position: int | None = None
        self._late = 0
        self.restarts = 0
        self.slack = 0
        """How many samples before its time the newest packet came; negative when it was late."""

    def push(self, timestamp: int, samples: Samples) -> DropReason | None:
        """Put a packet's samples in their place; `LATE` when all of their time has passed."""
        if self._position is None:
            self._restart(timestamp)
        ahead = self.slack = self._ahead(timestamp)
        if ahead + len(samples) <= 0:
            self._late += 1
            if self._late < self._late_run and ahead > -RING:
                return DropReason.LATE
            ahead = self._restart(timestamp)
        elif ahead + len(samples) > self._most_ahead:
            ahead = self._restart(timestamp)
        self._late = 0
        if ahead < 0:
            timestamp, samples = timestamp - ahead, samples[-ahead:]
        self._write(timestamp % RING, samples[: RING - self._delay])
        return None

    def pull(self, count: int) -> tuple[Samples, Known]:
        """The next `count` samples, silence where nothing has arrived, and which have; the time moves on by as much."""
        if self._position is None:
            return np.zeros(count, dtype=np.int16), np.zeros(count, dtype=np.bool_)
        start = self._position % RING
        self._position = (self._position + count) % _WRAP
        return _taken(self._ring, start, count), _taken(self._known, start, count)

    def restart(self) -> None:
        """Forget everything; the next packet begins a new time line (another source)."""
        self._known[:] = False
        self._ring[:] = 0
        self._position, self._late = None, 0

    def _restart(self, timestamp: int) -> int:
        self._known[:] = False
        self._ring[:] = 0
        self._position, self._late = (timestamp - self._delay) % _WRAP, 0
        self.restarts += 1
        return self._delay

    def _ahead(self, timestamp: int) -> int:
        """How far ahead of the playing position a timestamp lies, in samples; negative when it has passed."""
        position = self._position or 0
        return (timestamp - position + _WRAP // 2) % _WRAP - _WRAP // 2

    def _write(self, start: int, samples: Samples) -> None:
        fits = RING - start
        self._ring[start : start + len(samples)] = samples[:fits]
        self._ring[: max(0, len(samples) - fits)] = samples[fits:]
        self._known[start : start + len(samples)] = True
        self._known[: max(0, len(samples) - fits)] = True


def _taken(ring: npt.NDArray[_Value], start: int, count: int) -> npt.NDArray[_Value]:
    """`count` values from `start` on, round the end; zero is left in their place."""
    first = ring[start : start + count]
    rest = ring[: count - len(first)]
    values = np.concatenate((first, rest)) if len(rest) else first.copy()
    first[:] = 0
    rest[:] = 0
    return values
