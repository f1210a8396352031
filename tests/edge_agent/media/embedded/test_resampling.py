"""Between 8,000 and 16,000 samples a second: what stays, what goes, and no seam between frames."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.resampling import Downsampler, Fitter, Upsampler
from tests.edge_agent.media.embedded.test_coding import level, tone


@pytest.mark.parametrize("hertz", [100, 1000, 2500, 3400])
def test_a_telephones_band_goes_up_and_comes_back_as_it_was(hertz: int) -> None:
    narrow = tone(hertz, rate=8000)
    wide = Upsampler().take(narrow)
    assert level(wide, hertz) == pytest.approx(6000, rel=0.005)
    assert level(wide, 8000 - hertz) < 6000 / 1000, "an image is 60 dB down"
    assert level(Downsampler().take(wide), hertz, 8000) == pytest.approx(6000, rel=0.01)


@pytest.mark.parametrize("hertz", [4600, 5500, 7000])
def test_what_a_telephone_cannot_carry_is_gone_and_does_not_come_back_as_something_else(hertz: int) -> None:
    narrow = Downsampler().take(tone(hertz))
    assert level(narrow, 8000 - hertz, 8000) < 6000 / 1000


@given(cuts=st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_a_sound_in_pieces_is_the_sound_in_one_piece(cuts: list[int]) -> None:
    random = np.random.default_rng(5)
    narrow = random.integers(-20_000, 20_000, sum(cuts)).astype(np.int16)
    wide = random.integers(-20_000, 20_000, 2 * sum(cuts)).astype(np.int16)
    up, down = Upsampler(), Downsampler()
    ends = np.cumsum([0, *cuts])
    upward = [up.take(narrow[start:end]) for start, end in pairwise(ends)]
    downward = [down.take(wide[2 * start : 2 * end]) for start, end in pairwise(ends)]
    # Sums of floats may be taken in another order: the last bit may differ.
    assert np.abs(np.concatenate(upward).astype(int) - Upsampler().take(narrow)).max() <= 1
    assert np.abs(np.concatenate(downward).astype(int) - Downsampler().take(wide)).max() <= 1


def test_the_loudest_sound_does_not_wrap() -> None:
    square: Samples = np.where(np.arange(800) // 8 % 2, 32_767, -32_768).astype(np.int16)
    wide = Upsampler().take(square)
    assert (int(wide.max()), int(wide.min())) == (32_767, -32_768)
    assert np.array_equal(np.sign(wide[40:200:16].astype(int)), -np.sign(wide[56:216:16].astype(int)))


def test_a_frame_that_fits_is_not_touched() -> None:
    fitter, frame = Fitter(), tone(1000)[:320]
    assert fitter.fit(frame, 320) is frame
    assert [len(fitter.fit(frame, 160)), len(fitter.fit(frame[:160], 320))] == [160, 320]
    assert len(Upsampler().take(frame[:0])) == len(Downsampler().take(frame[:0])) == 0
