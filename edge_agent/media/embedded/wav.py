"""WAV files: prompts and recordings into memory, whole; the header of a file that is being written."""

import struct
import wave
from pathlib import Path

import numpy as np

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.errors import PromptError

RATE = 8000
MOST_SECONDS = 600


def load(path: Path) -> Samples:
    """The samples of an 8 kHz, mono, 16-bit WAV file; `PromptError` names what else it is."""
    try:
        with wave.open(str(path), "rb") as file:
            shape = file.getframerate(), file.getnchannels(), file.getsampwidth()
            if shape != (RATE, 1, 2):
                raise PromptError(
                    f"{path.name}: {shape[0]} Hz, {shape[1]} channels, {8 * shape[2]} bits; want 8000, 1, 16"
                )
            if file.getnframes() > MOST_SECONDS * RATE:
                raise PromptError(f"{path.name}: longer than {MOST_SECONDS} seconds")
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise PromptError(f"{path.name}: cannot be read as WAV: {error}") from error
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16)


def header(data_bytes: int) -> bytes:
    """The 44 bytes before so many bytes of 8 kHz, mono, 16-bit samples."""
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE") + chunk + struct.pack("<4sI", b"data", data_bytes)
