"""G.711 (ITU-T): µ-law and A-law to and from 16-bit linear, by look-up tables that numpy indexes a frame at a time."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
"""Linear audio, mono; G.711 has 8,000 samples in a second."""


def _decoded_ulaw() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _decoded_alaw() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(segment == 0, mantissa + 8, mantissa + 0x108 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _every_sample() -> npt.NDArray[np.int32]:
    """All 16-bit samples in the order of their unsigned index: 0…32767, -32768…-1."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _segments(magnitude: npt.NDArray[np.int32], first: int) -> npt.NDArray[np.int32]:
    """The chord of each magnitude; chord 0 ends below `first`, each further one is twice as long."""
    ends = np.array([first << n for n in range(8)], dtype=np.int32)
    return np.searchsorted(ends, magnitude, side="right").astype(np.int32)


def _encoded_ulaw() -> npt.NDArray[np.uint8]:
    value = _every_sample() >> 2  # the standard is defined on 14 bits
    magnitude = np.minimum(np.abs(value), 8158) + 33  # the last chord ends at 8191
    segment = _segments(magnitude, 64)
    code = segment << 4 | magnitude >> segment + 1 & 0x0F
    inverted: npt.NDArray[np.int32] = code ^ np.where(value < 0, 0x7F, 0xFF)
    return inverted.astype(np.uint8)


def _encoded_alaw() -> npt.NDArray[np.uint8]:
    value = _every_sample() >> 3  # the standard is defined on 13 bits
    magnitude = np.where(value < 0, -value - 1, value)
    segment = _segments(magnitude, 32)
    code = segment << 4 | magnitude >> np.maximum(segment, 1) & 0x0F
    inverted: npt.NDArray[np.int32] = code ^ np.where(value < 0, 0x55, 0xD5)
    return inverted.astype(np.uint8)


_DECODE = {0: _decoded_ulaw(), 8: _decoded_alaw()}
_ENCODE = {0: _encoded_ulaw(), 8: _encoded_alaw()}


def decode(payload_type: int, payload: bytes) -> Samples:
    """Linear samples of a payload; `payload_type` is 0 (PCMU) or 8 (PCMA)."""
    return _DECODE[payload_type].take(np.frombuffer(payload, dtype=np.uint8))


def encode(payload_type: int, samples: Samples) -> bytes:
    """The payload for linear samples; `payload_type` is 0 (PCMU) or 8 (PCMA)."""
    return _ENCODE[payload_type].take(samples.view(np.uint16)).tobytes()
