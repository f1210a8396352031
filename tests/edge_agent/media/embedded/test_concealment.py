"""Holes in audio are filled with what was heard before, so that a voice stays a voice."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media.embedded.concealment import Concealer
from edge_agent.media.embedded.g711 import Samples
from tests.support.voice_sounds import distance_db, speech, vowel

FRAME = 160
ALL = np.ones(FRAME, dtype=np.bool_)
NONE = np.zeros(FRAME, dtype=np.bool_)


def split(samples: Samples) -> list[Samples]:
    return [samples[start : start + FRAME] for start in range(0, len(samples), FRAME)]


def loudness(samples: npt.NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def heard_with_losses(frames: list[Samples], lost: set[int], *, concealed: bool = True) -> Samples:
    concealer, silence = Concealer(), np.zeros(FRAME, dtype=np.int16)
    out = []
    for number, frame in enumerate(frames):
        gone = number in lost
        if concealed:
            out.append(concealer.fill(silence if gone else frame, NONE if gone else ALL))
        else:
            out.append(silence if gone else frame)
    return np.concatenate(out)


def test_audio_without_holes_is_left_as_it_is() -> None:
    frames = split(vowel(5 * FRAME))
    assert heard_with_losses(frames, set()).tolist() == np.concatenate(frames).tolist()


@pytest.mark.parametrize("pitch", [80.0, 125.0, 180.0])
def test_a_lost_frame_of_a_voice_is_filled_with_the_same_voice(pitch: float) -> None:
    sound = vowel(10 * FRAME, pitch)
    heard = heard_with_losses(split(sound), {6})
    lost = slice(6 * FRAME, 7 * FRAME)
    assert loudness(heard[lost]) > 0.7 * loudness(sound[lost])
    error = loudness((heard[lost].astype(np.int32) - sound[lost]).astype(np.int16))
    assert error < 0.5 * loudness(sound[lost])


def test_a_long_hole_fades_into_silence() -> None:
    heard = heard_with_losses(split(vowel(12 * FRAME)), {6, 7, 8, 9, 10, 11})
    levels = [loudness(frame) for frame in split(heard)[6:]]
    assert levels[0] > levels[1] > levels[2]
    assert levels[3:] == [0, 0, 0]


def test_where_audio_comes_back_there_is_no_click() -> None:
    sound = vowel(10 * FRAME)
    heard = heard_with_losses(split(sound), {6}).astype(np.int32)
    steepest = np.abs(np.diff(sound.astype(np.int32))).max()
    assert np.abs(np.diff(heard[6 * FRAME - 1 : 7 * FRAME + 40])).max() < 1.5 * steepest


def test_before_anything_was_heard_a_hole_is_silence() -> None:
    assert not Concealer().fill(np.zeros(FRAME, dtype=np.int16), NONE).any()


def test_another_source_is_not_filled_with_the_one_before() -> None:
    concealer = Concealer()
    for frame in split(vowel(4 * FRAME)):
        concealer.fill(frame, ALL)
    concealer.restart()
    assert not concealer.fill(np.zeros(FRAME, dtype=np.int16), NONE).any()


def test_losses_of_five_in_a_hundred_leave_a_voice_more_like_itself_than_holes_do() -> None:
    random = np.random.default_rng(4)
    sound = speech(9.0)
    frames = split(sound)
    lost = {number for number in range(5, len(frames)) if random.random() < 0.05}
    filled = distance_db(sound, heard_with_losses(frames, lost))
    holes = distance_db(sound, heard_with_losses(frames, lost, concealed=False))
    print(f"distance: filled {filled:.2f} dB, with holes {holes:.2f} dB")
    assert filled < 0.5 * holes


@given(
    known=st.lists(st.lists(st.booleans(), min_size=FRAME, max_size=FRAME), max_size=4),
    value=st.integers(-32768, 32767),
)
@settings(max_examples=60, deadline=None)
def test_any_pattern_of_holes_gives_whole_frames_within_range(known: list[list[bool]], value: int) -> None:
    concealer = Concealer()
    for pattern in known:
        mask = np.array(pattern, dtype=np.bool_)
        samples = np.where(mask, value, 0).astype(np.int16)
        out = concealer.fill(samples, mask)
        assert len(out) == FRAME
        assert np.abs(out.astype(np.int32)).max() <= max(abs(value), 1)
