"""WAV files: prompts and recordings into memory, whole; the header of a file that is being written.

8 kHz, mono, 16-bit linear (format 1) or G.711 µ-law and A-law (formats 7 and 6), as RIFF chunks (Microsoft and IBM,
Multimedia Programming Interface and Data Specifications 1.0).
"""

import struct
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.media.embedded import g711
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.errors import PromptError

RATE: Final = 8000
MOST_SECONDS: Final = 600
_LINEAR: Final = 1
_PAYLOAD_TYPES: Final = {7: 0, 6: 8}
"""RTP's number of a G.711 law, by WAV's."""
_MOST_BYTES: Final = MOST_SECONDS * RATE * 2 + 65_536


def load(path: Path) -> Samples:
    """The samples of a file.

    Raises:
        PromptError: naming what else it is.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PromptError(f"{path.name}: longer than {MOST_SECONDS} seconds")
        content = path.read_bytes()
    except OSError as error:
        raise PromptError(f"{path.name}: cannot be read: {error.strerror}") from error
    return samples_of(content, path.name)


def samples_of(content: bytes, name: str) -> Samples:
    """The samples in the bytes of a file called `name`.

    Raises:
        PromptError: naming what else it is.
    """
    chunks = _chunks(content, name)
    shape, data = chunks.get(b"fmt "), chunks.get(b"data")
    if shape is None or data is None or len(shape) < 16:
        raise PromptError(f"{name}: cannot be read as WAV: it lacks its format or its data")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", shape)
    wanted_bits = 16 if kind == _LINEAR else 8
    if (kind != _LINEAR and kind not in _PAYLOAD_TYPES) or (rate, channels, bits) != (RATE, 1, wanted_bits):
        raise PromptError(
            f"{name}: format {kind}, {rate} Hz, {channels} channels, {bits} bits; want 8000, 1, 16 linear or G.711"
        )
    if len(data) * 8 // bits > MOST_SECONDS * RATE:
        raise PromptError(f"{name}: longer than {MOST_SECONDS} seconds")
    if kind in _PAYLOAD_TYPES:
        return g711.decode(_PAYLOAD_TYPES[kind], data)
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16)


def header(data_bytes: int) -> bytes:
    """The 44 bytes before so many bytes of 8 kHz, mono, 16-bit samples."""
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE") + chunk + struct.pack("<4sI", b"data", data_bytes)


def _chunks(content: bytes, name: str) -> dict[bytes, bytes]:
    """The first chunk of each kind; one that is cut off counts as far as it goes."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise PromptError(f"{name}: cannot be read as WAV: it does not begin as one")
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        found.setdefault(kind, content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found
