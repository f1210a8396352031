"""What a real baresip that records hears at this moment: the loudest tone at the end of what it has written so far."""

from pathlib import Path

import numpy as np

_RATE = 8000
_HEAD = 44


def heard_hz(folder: Path, seconds: float = 0.5) -> int:
    """The loudest frequency that the baresip of this folder heard last, to 20 Hz; 0: silence, or nothing yet."""
    calls = sorted(folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime_ns)
    if not calls:
        return 0
    data = calls[-1].read_bytes()[_HEAD:]
    count = int(seconds * _RATE)
    samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")[-count:].astype(np.float64)
    if len(samples) < count or np.abs(samples).max() < 500:
        return 0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return round(float(spectrum.argmax()) * _RATE / len(samples) / 20) * 20
