"""Opus (RFC 6716) by libopus, which the operating system brings; where it is missing the codec is not offered.

The library is asked for 16,000 samples a second and one channel: it converts whatever its peer sends.
"""

import ctypes
from typing import Final

import numpy as np

from edge_agent.media.codecs import WIDE, OpusTerms
from edge_agent.media.embedded.g711 import Samples

LIBRARY: Final = "libopus.so.0"
LONGEST: Final = WIDE * 120 // 1000
"""Samples of the longest packet, 120 ms (RFC 6716 §3.2.5)."""
_STEP: Final = WIDE * 25 // 10_000
"""Samples of 2.5 ms, of which everything is a multiple."""
_MOST_BYTES: Final = 1275
_VOICE: Final = 2048
"""OPUS_APPLICATION_VOIP."""
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_SET_FEC: Final = 4012
_SET_LOSS: Final = 4014
_COMPLEXITY: Final = 1
"""Of 10: coding a frame of speech takes 0.07 ms then, 0.14 ms with 2 and 0.19 ms with 5."""
_EXPECTED_LOSS: Final = 10
"""Percent. The encoder repeats a frame in the next one only where it expects losses."""


def _loaded() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    pointer, integer, data = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    shapes = {
        "opus_encoder_create": (pointer, [integer, integer, integer, ctypes.POINTER(integer)]),
        "opus_encode": (integer, [pointer, data, integer, data, integer]),
        "opus_encoder_destroy": (None, [pointer]),
        "opus_decoder_create": (pointer, [integer, integer, ctypes.POINTER(integer)]),
        "opus_decode": (integer, [pointer, data, integer, pointer, integer, integer]),
        "opus_decoder_destroy": (None, [pointer]),
        "opus_packet_get_nb_samples": (integer, [data, integer, integer]),
    }
    for name, (result, arguments) in shapes.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


LIBOPUS: Final = _loaded()
"""None: it is not on this machine."""


class OpusCoder:
    """One call's encoder and decoder.

    Args:
        terms: what the peer wants.

    Raises:
        RuntimeError: there is no library, or no memory for it.
    """

    def __init__(self, terms: OpusTerms) -> None:
        self._encoder = self._decoder = 0
        if LIBOPUS is None:
            raise RuntimeError(f"{LIBRARY} is not on this machine")
        library = self._library = LIBOPUS
        status = ctypes.c_int()
        self._encoder = library.opus_encoder_create(WIDE, 1, _VOICE, ctypes.byref(status))
        self._decoder = library.opus_decoder_create(WIDE, 1, ctypes.byref(status))
        if not self._encoder or not self._decoder:
            raise RuntimeError(f"{LIBRARY} has no memory")
        wishes = {_SET_BITRATE: terms.bits_a_second, _SET_COMPLEXITY: _COMPLEXITY}
        if terms.repairs:
            wishes |= {_SET_FEC: 1, _SET_LOSS: _EXPECTED_LOSS}
        for wish, value in wishes.items():
            library.opus_encoder_ctl(ctypes.c_void_p(self._encoder), ctypes.c_int(wish), ctypes.c_int(value))
        self._payload = ctypes.create_string_buffer(_MOST_BYTES)

    def __del__(self) -> None:
        """Give the library its memory back."""
        if self._encoder:
            self._library.opus_encoder_destroy(self._encoder)
        if self._decoder:
            self._library.opus_decoder_destroy(self._decoder)

    def encode(self, samples: Samples) -> bytes:
        """A packet of as many samples as a packet may have: 2.5, 5, 10, 20, 40 or 60 ms."""
        size = self._library.opus_encode(
            self._encoder, samples.tobytes(), len(samples), self._payload, len(self._payload)
        )
        return self._payload.raw[: max(0, size)]

    def decode(self, payload: bytes) -> Samples:
        """The samples of a packet; silence for one that is none."""
        length = self.length(payload)
        return self._decoded(payload, length, 0) if length else np.zeros(0, np.int16)

    def length(self, payload: bytes) -> int:
        """How many samples a packet has, by its first bytes; 0 for one that is none."""
        count = self._library.opus_packet_get_nb_samples(payload, len(payload), WIDE) if payload else 0
        return int(count) if 0 < count <= LONGEST else 0

    def conceal(self, count: int, following: bytes) -> Samples | None:
        """What may have been said in `count` samples that did not come.

        `following` is the packet after them, empty when it has not come either: the last of the frames is in it once
        more, where its sender expects losses (RFC 6716 §2.1.7).
        """
        if not 0 < count <= LONGEST or count % _STEP:
            return None
        if not following:
            return self._decoded(None, count, 0)
        return self._decoded(following, count, 1)

    def _decoded(self, payload: bytes | None, count: int, repairs: int) -> Samples:
        size = 0 if payload is None else len(payload)
        samples = np.zeros(count, np.int16)
        self._library.opus_decode(self._decoder, payload, size, samples.ctypes.data, count, repairs)
        return samples
