"""Recordings of other systems as the edge keeps its own: WAV, 8 kHz, one channel, 16 bits."""

import io
import wave
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.sync.mailbox_events import MAX_RECORDING_BYTES
from edge_agent.errors import EdgeError

RATE: Final = 8000
_RATES: Final = (8000, 16_000, 24_000, 32_000, 48_000)
_BLOCK: Final = 1 << 20
_TAPS: Final = 127
_CUTOFF_HZ: Final = 3_600.0


class NoSound(EdgeError):
    """A file is no recording that can be taken over; the text says why."""


def sound_of(path: Path) -> bytes:
    """A recording as a WAV file of the edge's.

    Raises:
        NoSound: it is damaged, empty, too large, or of a kind that is not read (such as MP3).
        OSError: the disk would not.
    """
    size = path.stat().st_size
    if size > MAX_RECORDING_BYTES:
        raise NoSound(f"larger than {MAX_RECORDING_BYTES} bytes")
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            if rate not in _RATES or channels not in (1, 2) or width not in (1, 2):
                raise NoSound(f"{rate} samples a second, {channels} channels, {8 * width} bits are not read")
            data = file.readframes(file.getnframes())
    except (EOFError, wave.Error) as error:
        raise NoSound(f"not a WAV file of linear samples ({error})") from error
    samples = _linear(data, channels, width)
    if rate != RATE:
        samples = _decimated(samples, rate // RATE)
    if not len(samples):
        raise NoSound("nothing was recorded")
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setparams((1, 2, RATE, 0, "NONE", ""))
        made.writeframes(samples.tobytes())
    return out.getvalue()


def _linear(data: bytes, channels: int, width: int) -> npt.NDArray[np.int16]:
    """One channel of 16 bits."""
    frame = channels * width
    data = data[: len(data) // frame * frame]
    if width == 1:
        samples = (np.frombuffer(data, dtype=np.uint8).astype(np.int16) - 128) * 256
    else:
        samples = np.frombuffer(data, dtype="<i2").astype(np.int16)
    if channels == 2:
        samples = samples.reshape(-1, 2).astype(np.int32).mean(axis=1).astype(np.int16)
    return samples


def _decimated(samples: npt.NDArray[np.int16], factor: int) -> npt.NDArray[np.int16]:
    """Every so many-th sample, after a low-pass; block by block, so that an hour takes no more memory than a minute."""
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(2 * _CUTOFF_HZ / (RATE * factor) * at) * np.hamming(_TAPS)
    taps /= taps.sum()
    margin = _TAPS // 2
    padded = np.pad(samples, margin)
    step = _BLOCK // factor * factor
    parts = [
        np.convolve(padded[first : first + step + 2 * margin].astype(np.float32), taps, "valid")[::factor]
        for first in range(0, len(samples), step)
    ]
    return np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16) if parts else samples
