"""G.711 against values of the standard, and against its own inverse."""

import numpy as np
import pytest

from edge_agent.media.embedded.g711 import decode, encode

PCMU, PCMA = 0, 8


@pytest.mark.parametrize(
    ("codec", "code", "sample"),
    [
        # ITU-T G.711 tables 2a and 2b (µ-law; 14-bit values × 4) and 1a and 1b (A-law; 13-bit values × 8).
        (PCMU, 0xFF, 0),
        (PCMU, 0x80, 32124),
        (PCMU, 0x00, -32124),
        (PCMU, 0xEF, 132),
        (PCMU, 0x8F, 16764),
        (PCMU, 0x0F, -16764),
        (PCMA, 0xD5, 8),
        (PCMA, 0x55, -8),
        (PCMA, 0xAA, 32256),
        (PCMA, 0x2A, -32256),
        (PCMA, 0xC5, 264),
    ],
)
def test_a_code_word_of_the_standard_stands_for_its_value(codec: int, code: int, sample: int) -> None:
    assert decode(codec, bytes([code])).tolist() == [sample]
    assert encode(codec, np.array([sample], dtype=np.int16)) == bytes([code])


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_every_code_word_survives_decoding_and_encoding(codec: int) -> None:
    codes = bytes(range(256))
    again = encode(codec, decode(codec, codes))
    differing = [(a, b) for a, b in zip(codes, again, strict=True) if a != b]
    # µ-law has two zeros, and the negative one becomes the positive one.
    assert differing == ([(0x7F, 0xFF)] if codec == PCMU else [])


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_every_sample_comes_back_within_half_a_step_of_its_segment(codec: int) -> None:
    samples = np.arange(-32768, 32768, dtype=np.int32)
    back = decode(codec, encode(codec, samples.astype(np.int16))).astype(np.int32)
    magnitude = np.abs(samples)
    assert bool(np.all(np.abs(back - samples) <= np.maximum(magnitude // 31 + 8, magnitude - 32124 + 8)))
    assert bool(np.all(np.diff(back) >= 0))


def test_digital_silence_is_the_code_word_that_phones_send() -> None:
    silence = np.zeros(4, dtype=np.int16)
    assert encode(PCMU, silence) == b"\xff" * 4
    assert encode(PCMA, silence) == b"\xd5" * 4
