"""Codecs: what they make is what others make, and no bytes upset them."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.codecs import ALL, G722, NARROW, PCMA, PCMU, WIDE, Codec
from edge_agent.media.embedded import coding, opus
from edge_agent.media.embedded.g711 import Samples

BY_FFMPEG_CODED = "3758be58a55e38166b87285b9d84914398a4848b488c08d3ce289dc02db07115"
BY_FFMPEG_DECODED = "0cd5ab69ccac332dbc0c399973b5a5e8d40c5b3013b30241fa312cb084d7dbad"
BY_FFMPEG_DECODED_NOISE = "bb1660964ea8f26d5497e0c559f2c5caeb1568444008a9b8394abcbeb30ba860"
"""SHA-256 of what FFmpeg 5.1.9 (libavcodec's own G.722) makes of `sounds()`, of that again, and of `noise_bytes()`:

    ffmpeg -f s16le -ar 16000 -ac 1 -i sounds.raw -c:a g722 -f g722 coded.g722
    ffmpeg -f g722 -i coded.g722 -f s16le decoded.raw
"""


def sounds() -> Samples:
    """Some seconds from silence to full scale, of every frequency; the same on every machine."""
    noise = np.random.PCG64(722).random_raw(20_000).view(np.int16)
    parts = [np.zeros(8000, np.int16), noise[:24_000] >> 8, noise[24_000:48_000] >> 4, noise[48_000:]]
    made: Samples = np.concatenate(parts)
    return made


def noise_bytes() -> bytes:
    return np.random.PCG64(64).random_raw(4000).tobytes()


def tone(hertz: int, seconds: float = 0.5, rate: int = WIDE) -> Samples:
    made: Samples = (6000 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)
    return made


def level(samples: Samples, hertz: int, rate: int = WIDE) -> float:
    """Of one frequency in the second half of a sound."""
    part = samples[len(samples) // 2 :].astype(np.float64)
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / rate) * np.hanning(len(part))
    return float(abs(part @ wave)) * 4 / len(part)


def frames(samples: Samples, size: int) -> list[Samples]:
    return [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_g722_is_bit_for_bit_what_ffmpeg_makes_of_it() -> None:
    coder, back = coding.coder(G722, WIDE), coding.coder(G722, WIDE)
    coded = b"".join(coder.encode(frame) for frame in frames(sounds(), 320))
    assert digest(coded) == BY_FFMPEG_CODED
    decoded = np.concatenate([back.decode(coded[at : at + 160]) for at in range(0, len(coded), 160)])
    assert digest(decoded.astype("<i2").tobytes()) == BY_FFMPEG_DECODED
    assert digest(coding.coder(G722, WIDE).decode(noise_bytes()).astype("<i2").tobytes()) == BY_FFMPEG_DECODED_NOISE


@pytest.mark.parametrize("hertz", [300, 1000, 3300, 5000, 6500])
def test_g722_carries_what_a_wideband_voice_has(hertz: int) -> None:
    coder, back = coding.coder(G722, WIDE), coding.coder(G722, WIDE)
    heard = np.concatenate([back.decode(coder.encode(frame)) for frame in frames(tone(hertz), 320)])
    assert level(heard, hertz) == pytest.approx(6000, rel=0.1)


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_a_narrow_codec_in_a_wide_call_keeps_what_it_can_carry(codec: Codec) -> None:
    coder, back = coding.coder(codec, WIDE), coding.coder(codec, WIDE)
    assert len(coder.encode(tone(1000)[:320])) == 160
    heard = np.concatenate([back.decode(coder.encode(frame)) for frame in frames(tone(1000), 320)])
    assert level(heard, 1000) == pytest.approx(6000, rel=0.03)
    gone = np.concatenate([back.decode(coder.encode(frame)) for frame in frames(tone(6000), 320)])
    assert level(gone, 6000) < 60


@pytest.mark.parametrize("codec", [G722, PCMU, PCMA], ids=lambda codec: codec.name)
@given(payloads=st.lists(st.binary(max_size=400), max_size=5))
def test_any_bytes_are_as_many_samples_as_was_said_before(codec: Codec, payloads: list[bytes]) -> None:
    for rate in {codec.rate, WIDE}:
        coder = coding.coder(codec, rate)
        for payload in payloads:
            samples = coder.decode(payload)
            assert samples.dtype == np.int16
            assert len(samples) == coder.length(payload)


def test_without_its_library_a_codec_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "G722", None)
    monkeypatch.setattr(opus, "LIBOPUS", None)
    assert coding.usable(ALL) == (PCMU, PCMA)
    assert all(codec.rate == NARROW for codec in coding.usable(ALL))
