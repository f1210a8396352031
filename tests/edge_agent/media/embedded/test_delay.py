"""The wait before audio is played follows the network."""

import numpy as np

from edge_agent.media.embedded.delay import LONGEST_FRAMES, DelayControl, is_quiet

FRAME = 160
QUIET = np.zeros(FRAME, dtype=np.int16)
LOUD = np.full(FRAME, 5000, dtype=np.int16)


def grown(control: DelayControl) -> int:
    count = 0
    while control.grow():
        count += 1
    return count


def test_packets_in_time_change_nothing() -> None:
    control = DelayControl(FRAME)
    for _ in range(500):
        control.arrived(320)
    assert not control.grow()
    assert not control.shrink(QUIET)


def test_a_late_packet_makes_the_wait_as_much_longer_as_it_was_late() -> None:
    for slack, frames in ((-1, 1), (-160, 1), (-161, 2), (-480, 3)):
        control = DelayControl(FRAME)
        control.arrived(slack)
        assert grown(control) == frames
        assert control.grown == frames


def test_the_wait_never_grows_beyond_its_limit() -> None:
    control = DelayControl(FRAME)
    for _ in range(20):
        control.arrived(-100_000)
        grown(control)
    assert control.grown == LONGEST_FRAMES


def test_a_steady_while_makes_the_wait_shorter_but_only_in_a_pause() -> None:
    control = DelayControl(FRAME)
    control.arrived(-300)
    grown(control)
    for _ in range(150):
        control.arrived(3 * FRAME)
    assert not control.shrink(LOUD)
    assert control.shrink(QUIET)
    assert not control.shrink(QUIET), "one frame at a time"
    assert control.grown == 1


def test_one_packet_that_was_nearly_late_keeps_the_wait() -> None:
    control = DelayControl(FRAME)
    for number in range(150):
        control.arrived(10 if number == 70 else 800)
    assert not control.shrink(QUIET)


def test_what_is_quiet_to_an_ear_may_be_left_out() -> None:
    assert is_quiet(np.array([255, -255], dtype=np.int16))
    assert not is_quiet(np.array([-32768], dtype=np.int16))
    assert is_quiet(np.array([], dtype=np.int16))
