"""How long audio waits before it is played: more when packets come late, less again when they come steadily.

The wait grows at once, by a frame at a time, because a late packet is lost audio; it shrinks one frame in some seconds,
and only where the caller says nothing, so that nobody hears it.
"""

from typing import Final

import numpy as np

from edge_agent.media.embedded.g711 import Samples

LONGEST_FRAMES: Final = 8
"""Frames of 20 ms on top of the first wait; with that of 40 ms, 200 ms: more is no conversation."""
_STEADY_PACKETS: Final = 150
"""So many packets in a row, three seconds, must have come with time to spare before the wait shrinks."""
_QUIET: Final = 256
"""A frame whose samples all lie under this is a pause between words."""


def is_quiet(samples: Samples) -> bool:
    """Whether a frame may be left out unheard."""
    return int(np.abs(samples.astype(np.int32)).max(initial=0)) < _QUIET


class DelayControl:
    """Says when a frame is to be put in or left out.

    Args:
        frame: samples of a frame.
    """

    def __init__(self, frame: int) -> None:
        self._frame = frame
        self.restart()

    def restart(self) -> None:
        """Another source begins, with the first wait."""
        self.grown = 0
        """Frames on top of the first wait."""
        self._wanted = 0
        self._least: int | None = None
        self._packets = 0

    def arrived(self, slack: int) -> None:
        """A packet came so many samples before its time, or after it when negative."""
        if slack < 0:
            needed = min(-(slack // self._frame), LONGEST_FRAMES - self.grown)
            self._wanted = max(self._wanted, needed)
            self._least, self._packets = None, 0
            return
        self._least = slack if self._least is None else min(self._least, slack)
        self._packets += 1
        if self._packets >= _STEADY_PACKETS:
            if self._least >= 3 * self._frame:
                self._wanted = -1
            self._least, self._packets = None, 0

    def grow(self) -> bool:
        """Whether to put a frame in now; it counts as done."""
        if self._wanted <= 0:
            return False
        self._wanted -= 1
        self.grown += 1
        return True

    def shrink(self, samples: Samples) -> bool:
        """Whether to leave this frame out; it counts as done."""
        if self._wanted >= 0 or not is_quiet(samples):
            return False
        self._wanted = 0
        self.grown = max(0, self.grown - 1)
        return True
