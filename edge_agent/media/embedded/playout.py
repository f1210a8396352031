"""The jitter buffer: a place for each packet as it comes, 20 ms of audio out at each tick.

It is a ring of samples addressed by RTP timestamp, so any packet length, reordering, duplicates and silence suppression
need no case of their own: what has not arrived when its time comes is silence, and is marked as not known.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.rtp import DropReason

RING = 16_384
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
        self._written: int | None = None
        """Where the last sample that was written ends; None: none was since the buffer was emptied."""
        self._late = 0
        self.restarts = 0
        self.slack = 0
        """How many samples before its time the newest packet came; negative when it was late."""

    def place(self, timestamp: int, length: int) -> DropReason | None:
        """A packet of so many samples came; `LATE` when all of their time has passed, else `write` takes them."""
        if self._position is None:
            self._restart(timestamp)
        ahead = self.slack = self.ahead(timestamp)
        if ahead + length <= 0:
            self._late += 1
            if self._late < self._late_run and ahead > -RING:
                return DropReason.LATE
            self._restart(timestamp)
        elif ahead + length > self._most_ahead:
            self._restart(timestamp)
        self._late = 0
        return None

    def write(self, timestamp: int, samples: Samples) -> None:
        """Put samples in their place; what of them has passed is left out."""
        ahead = self.ahead(timestamp)
        if ahead < 0:
            timestamp, samples = timestamp - ahead, samples[-ahead:]
        samples = samples[: RING - max(0, ahead)]
        self._write(timestamp % RING, samples)
        end = (timestamp + len(samples)) % _WRAP
        if self._written is None or self.ahead(end) > self.ahead(self._written):
            self._written = end

    def pull(self, count: int) -> tuple[Samples, Known]:
        """The next `count` samples, silence where nothing has arrived, and which have; the time moves on by as much."""
        if self._position is None:
            return np.zeros(count, dtype=np.int16), np.zeros(count, dtype=np.bool_)
        start = self._position % RING
        self._position = (self._position + count) % _WRAP
        return _taken(self._ring, start, count), _taken(self._known, start, count)

    def is_next(self, timestamp: int) -> bool:
        """Whether a packet of this timestamp is what is to be heard next, with nothing written before or behind it."""
        return timestamp == self._position and (self._written is None or self.ahead(self._written) <= 0)

    def pass_by(self, count: int) -> None:
        """The time moves on by `count` samples that were not written here."""
        if self._position is not None:
            self._position = (self._position + count) % _WRAP

    def restart(self) -> None:
        """Forget everything; the next packet begins a new time line (another source)."""
        self._empty()
        self._position, self._late = None, 0

    def ahead(self, timestamp: int) -> int:
        """How far ahead of the playing position a timestamp lies, in samples; negative when it has passed."""
        position = self._position or 0
        return (timestamp - position + _WRAP // 2) % _WRAP - _WRAP // 2

    def _empty(self) -> None:
        if self._written is not None:
            self._known[:] = False
            self._ring[:] = 0
            self._written = None

    def _restart(self, timestamp: int) -> None:
        self._empty()
        self._position, self._late = (timestamp - self._delay) % _WRAP, 0
        self.restarts += 1

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
