"""How a recording is drawn."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.pbx.waveforms import BARS, Waveform
from tests.support.told_recordings import call_sound, conference_sound

SILENCE = 0xFF
LOUDEST = 0x80


def wav(data: bytes, coding: int = 7, before: bytes = b"") -> bytes:
    shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, coding, 2, 8000, 16_000, 2, 8) + before
    whole = shape + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(whole), b"WAVE") + whole


def drawn(content: bytes, step: int = 65_536) -> bytes | None:
    waveform = Waveform(len(content))
    for first in range(0, len(content), step):
        waveform.take(content[first : first + step])
    return waveform.peaks


def test_each_bar_is_as_loud_as_its_own_stretch() -> None:
    stretch = 2 * 5000
    loud = {3, 50, 95}
    data = b"".join(bytes([LOUDEST if bar in loud else SILENCE]) * stretch for bar in range(BARS))
    peaks = drawn(wav(data))
    assert peaks is not None
    assert {bar for bar, peak in enumerate(peaks) if peak} == loud
    assert {peaks[bar] for bar in loud} == {250}


@pytest.mark.parametrize("content", [call_sound(30.0), conference_sound(30.0)])
@pytest.mark.parametrize("step", [777, 65_536])
def test_a_tone_is_even_however_it_comes_cut(content: bytes, step: int) -> None:
    peaks = drawn(content, step)
    assert peaks is not None
    assert len(peaks) == BARS
    assert min(peaks) == max(peaks) == pytest.approx(75, abs=2)


def test_one_loud_side_is_seen_whichever_it_is_in_a_long_recording() -> None:
    frames = BARS * 4096 * 5
    for left, right in ((LOUDEST, SILENCE), (SILENCE, LOUDEST)):
        peaks = drawn(wav(bytes((left, right)) * frames))
        assert peaks is not None
        assert set(peaks) == {250}


def test_samples_of_16_bits_are_read_by_their_upper_byte() -> None:
    loud, quiet = struct.pack("<h", -32_768) * 96, struct.pack("<h", 255) * 96
    peaks = drawn(wav(loud + quiet, coding=1))
    assert peaks is not None
    assert (set(peaks[:48]), set(peaks[48:])) == ({254}, {0})


def test_what_is_no_sound_or_coded_otherwise_is_not_drawn() -> None:
    assert drawn(b"") is None
    assert drawn(b"II*\x00" + bytes(100_000)) is None
    assert drawn(wav(bytes(1000), coding=2)) is None
    assert drawn(wav(b"")) is None


@given(st.binary(max_size=300), st.binary(max_size=64), st.integers(1, 9), st.integers(1, 70))
def test_no_bytes_break_it(data: bytes, before: bytes, coding: int, step: int) -> None:
    for content in (data, wav(data, coding, before), wav(data, coding)[: len(data)]):
        peaks = drawn(content, step)
        assert peaks is None or len(peaks) == BARS
