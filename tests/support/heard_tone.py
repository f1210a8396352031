"""What a real phone that records hears at this moment: the loudest tone at the end of what it has written so far.

A baresip 1.0 records no more once it was put on hold, whatever it hears then; pjsua2 does.
"""

from pathlib import Path

import numpy as np

_HEAD = 44
_RATE = slice(24, 28)
"""Where a WAV file says how many samples a second it has."""


def heard_hz(folder: Path, seconds: float = 0.5) -> int:
    """The loudest frequency that the phone of this folder heard last, to 20 Hz; 0: silence, or nothing yet."""
    files = [*folder.glob("dump-*-dec.wav"), *folder.glob("heard.*.wav")]
    calls = sorted(files, key=lambda path: path.stat().st_mtime_ns)
    if not calls or calls[-1].stat().st_size <= _HEAD:
        return 0
    whole = calls[-1].read_bytes()
    data, rate = whole[_HEAD:], int.from_bytes(whole[_RATE], "little")
    count = int(seconds * rate)
    samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")[-count:].astype(np.float64)
    if len(samples) < count or np.abs(samples).max() < 500:
        return 0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return round(float(spectrum.argmax()) * rate / len(samples) / 20) * 20
