"""WAV files: prompts and recordings into memory, whole.

8 or 16 kHz, mono, 16-bit linear (format 1), or 8 kHz of G.711 µ-law and A-law (formats 7 and 6), as RIFF chunks
(Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0).
"""

import struct
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.media.codecs import NARROW, WIDE
from edge_agent.media.embedded import g711
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.errors import PromptError

MOST_SECONDS: Final = 600
_LINEAR: Final = 1
_PAYLOAD_TYPES: Final = {7: 0, 6: 8}
"""RTP's number of a G.711 law, by WAV's."""
_MOST_BYTES: Final = MOST_SECONDS * WIDE * 2 + 65_536


def load(path: Path) -> Sound:
    """The sound of a file.

    Raises:
        PromptError: naming what else it is.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PromptError(f"{path.name}: longer than {MOST_SECONDS} seconds")
        content = path.read_bytes()
    except OSError as error:
        raise PromptError(f"{path.name}: cannot be read: {error.strerror}") from error
    return sound_of(content, path.name)


def sound_of(content: bytes, name: str) -> Sound:
    """The sound in the bytes of a file called `name`.

    Raises:
        PromptError: naming what else it is.
    """
    chunks = _chunks(content, name)
    shape, data = chunks.get(b"fmt "), chunks.get(b"data")
    if shape is None or data is None or len(shape) < 16:
        raise PromptError(f"{name}: cannot be read as WAV: it lacks its format or its data")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", shape)
    linear = kind == _LINEAR
    if (
        (not linear and kind not in _PAYLOAD_TYPES)
        or (channels, bits) != (1, 16 if linear else 8)
        or (rate not in ((NARROW, WIDE) if linear else (NARROW,)))
    ):
        raise PromptError(
            f"{name}: format {kind}, {rate} Hz, {channels} channels, {bits} bits; want 8000 Hz, 1, 16 linear or G.711, "
            "or 16000 Hz, 1, 16 linear"
        )
    if len(data) * 8 // bits > MOST_SECONDS * rate:
        raise PromptError(f"{name}: longer than {MOST_SECONDS} seconds")
    if not linear:
        return Sound(g711.decode(_PAYLOAD_TYPES[kind], data))
    return Sound(np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16), rate)


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
