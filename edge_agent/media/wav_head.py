"""The head of a WAV file of linear samples, for whoever writes one or reads one that is kept in another form."""

import struct


def linear_head(data_bytes: int, rate: int = 8000) -> bytes:
    """The 44 bytes before so many bytes of mono, 16-bit samples, `rate` of them in a second."""
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE") + chunk + struct.pack("<4sI", b"data", data_bytes)
