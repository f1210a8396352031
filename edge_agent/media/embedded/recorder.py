"""What a caller says, written to a WAV file while they say it.

At any moment the file is a whole recording of what was written so far, so a kill costs the last second at most. The
engine's tick only appends to memory; the disk is written to in a thread.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.resampling import Fitter
from edge_agent.media.session import RecordingEnd
from edge_agent.media.wav_head import linear_head

FLUSH_SECONDS: Final = 1
"""How much waits in memory before it is written."""
SILENT_LEVEL: Final = 200.0
"""Root mean square of a frame below which nobody speaks: 44 dB under full scale, over the noise of a quiet line."""


class Recorder:
    """One recording. Made, and everything but `hear` called, in a thread: it waits for the disk.

    Args:
        path: the file; replaced when it is there.
        rate: its samples in a second, 8,000 or 16,000; frames of the other kind are converted.
        most_seconds: its greatest length.
        silence_seconds: it ends when nobody speaks for so long; 0: never.
        flush: called, on the loop, when enough waits to be written.

    Raises:
        OSError: the disk would not.
    """

    def __init__(
        self, path: Path, rate: int, most_seconds: float, silence_seconds: float, flush: Callable[[], None]
    ) -> None:
        self._rate, self._frame, self._fitter = rate, rate // 50, Fitter()
        self._most, self._patience = int(most_seconds * rate), int(silence_seconds * rate)
        self._flush_soon = flush
        self._waiting: list[Samples] = []
        self._unwritten = 0
        self._silent = 0
        self._heard = 0
        self._written = 0
        self._lock = threading.Lock()
        self.ended: RecordingEnd | None = None
        """Why it is over of itself; None while it goes on."""
        self._file: BinaryIO = path.open("wb", buffering=0)
        try:
            path.chmod(0o600)
            self._file.write(linear_head(0, self._rate))
        except OSError:
            self._file.close()
            raise

    @property
    def seconds(self) -> float:
        """How much was recorded."""
        return self._heard / self._rate

    def hear(self, frame: Samples) -> None:
        """The next 20 ms; on the loop."""
        if self.ended is not None:
            return
        frame = self._fitter.fit(frame, self._frame)[: self._most - self._heard]
        self._heard += len(frame)
        self._waiting.append(frame)
        self._unwritten += len(frame)
        if self._patience:
            self._silent = self._silent + len(frame) if _is_silent(frame) else 0
        if self._patience and self._silent >= self._patience:
            self.ended = RecordingEnd.SILENCE
        elif self._heard >= self._most:
            self.ended = RecordingEnd.LENGTH
        if self._unwritten >= FLUSH_SECONDS * self._rate or self.ended is not None:
            self._unwritten = 0
            self._flush_soon()

    def flush(self) -> None:
        """Write what waits: first the sound, then the header that counts it."""
        with self._lock:
            if self._file.closed:
                return
            waiting, self._waiting = self._waiting, []
            data = np.concatenate(waiting).astype("<i2").tobytes() if waiting else b""
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._written += len(data)
            self._file.seek(0)
            self._file.write(linear_head(self._written, self._rate))

    def close(self) -> None:
        """Write the rest, and make it safe against a power cut."""
        try:
            self.flush()
            with self._lock:
                if not self._file.closed:
                    os.fsync(self._file.fileno())
        finally:
            self._file.close()


def _is_silent(frame: Samples) -> bool:
    values = frame.astype(np.float32)
    return float(values @ values) < SILENT_LEVEL**2 * len(frame) or not len(frame)
