"""The playout buffer: whatever the network does to packets, time goes on evenly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.playout import RING, PlayoutBuffer
from edge_agent.media.embedded.rtp import DropReason

DELAY = 320


def frame(number: int, size: int = 160) -> Samples:
    return np.full(size, number, dtype=np.int16)


def push(buffer: PlayoutBuffer, timestamp: int, samples: Samples) -> DropReason | None:
    if (reason := buffer.place(timestamp, len(samples))) is None:
        buffer.write(timestamp, samples)
    return reason


def pulled(buffer: PlayoutBuffer, ticks: int) -> list[int]:
    """One value for each tick; each frame must be of one value."""
    values = []
    for _ in range(ticks):
        samples, _ = buffer.pull(160)
        assert len(set(samples.tolist())) == 1
        values.append(int(samples[0]))
    return values


def test_audio_comes_out_40_ms_after_it_came_in() -> None:
    buffer = PlayoutBuffer()
    push(buffer, 1000, frame(1))
    push(buffer, 1160, frame(2))
    assert pulled(buffer, 5) == [0, 0, 1, 2, 0]


def test_nothing_in_means_silence_out_and_time_does_not_begin() -> None:
    buffer = PlayoutBuffer()
    assert pulled(buffer, 3) == [0, 0, 0]
    push(buffer, 5, frame(7))
    assert pulled(buffer, 3) == [0, 0, 7]


@pytest.mark.parametrize("start", [0, 0xFFFFFFFF - 400, 1 << 31])
@given(order=st.permutations(range(1, 7)), twice=st.sets(st.integers(1, 6)))
@settings(max_examples=50)
def test_reordered_and_repeated_packets_play_in_their_order(start: int, order: list[int], twice: set[int]) -> None:
    buffer = PlayoutBuffer()
    push(buffer, start, frame(100))
    for number in [*order, *twice]:
        assert push(buffer, (start + 160 * number) % (1 << 32), frame(number)) is None
    assert pulled(buffer, 10) == [0, 0, 100, 1, 2, 3, 4, 5, 6, 0]


def test_what_has_not_arrived_is_marked() -> None:
    buffer = PlayoutBuffer()
    assert not buffer.pull(160)[1].any()
    push(buffer, 0, frame(1))
    push(buffer, 240, frame(2))
    known = np.concatenate([buffer.pull(160)[1] for _ in range(5)])
    assert known.tolist() == [False] * 320 + [True] * 160 + [False] * 80 + [True] * 160 + [False] * 80


def test_the_ring_forgets_what_was_known_when_its_place_comes_round_again() -> None:
    buffer = PlayoutBuffer(delay=0)
    push(buffer, 0, frame(1))
    buffer.pull(160)
    for number in range(1, RING // 160):
        push(buffer, 160 * number, frame(1))
        buffer.pull(160)
    assert not buffer.pull(160)[1].all()


def test_it_says_how_long_before_its_time_a_packet_came() -> None:
    buffer = PlayoutBuffer()
    push(buffer, 0, frame(1))
    assert buffer.slack == DELAY
    pulled(buffer, 3)
    push(buffer, 160, frame(2))
    assert buffer.slack == 0


def test_a_lost_packet_is_silence_of_its_length() -> None:
    buffer = PlayoutBuffer()
    for number in (1, 2, 4):
        push(buffer, 160 * number, frame(number))
    assert pulled(buffer, 6) == [0, 0, 1, 2, 0, 4]


@given(sizes=st.lists(st.sampled_from([80, 160, 240, 480]), min_size=1, max_size=7))
@settings(max_examples=50)
def test_packets_of_any_length_join_without_a_seam(sizes: list[int]) -> None:
    buffer = PlayoutBuffer(most_ahead=4000)
    at = 0
    for number, size in enumerate(sizes, start=1):
        push(buffer, at, frame(number, size))
        at += size
    expected = [number for number, size in enumerate(sizes, start=1) for _ in range(size)]
    heard = np.concatenate([buffer.pull(160)[0] for _ in range((DELAY + at) // 160 + 1)])
    assert heard[DELAY : DELAY + at].tolist() == expected
    assert not heard[:DELAY].any()
    assert not heard[DELAY + at :].any()


def test_a_packet_whose_time_has_passed_is_late() -> None:
    buffer = PlayoutBuffer()
    push(buffer, 0, frame(1))
    pulled(buffer, 4)
    assert push(buffer, 160, frame(2)) is DropReason.LATE


def test_a_packet_that_is_partly_late_gives_its_rest() -> None:
    buffer = PlayoutBuffer()
    push(buffer, 0, frame(1))
    pulled(buffer, 3)
    assert push(buffer, 80, frame(2)) is None
    assert buffer.pull(160)[0].tolist() == [2] * 80 + [0] * 80


def test_a_sender_that_stays_late_is_followed() -> None:
    buffer = PlayoutBuffer()
    push(buffer, 0, frame(1))
    pulled(buffer, 10)
    outcomes = [push(buffer, 160 * number, frame(number)) for number in range(1, 6)]
    assert outcomes == [DropReason.LATE] * 4 + [None]
    assert pulled(buffer, 3) == [0, 0, 5]


@pytest.mark.parametrize("jump", [1600, 100_000, -100_000, 1 << 31])
def test_a_jump_of_the_timestamps_begins_again_instead_of_waiting_for_it(jump: int) -> None:
    buffer = PlayoutBuffer()
    push(buffer, 0, frame(1))
    assert push(buffer, jump % (1 << 32), frame(2)) is None
    assert pulled(buffer, 3) == [0, 0, 2]


def test_a_fast_sender_never_piles_up_more_than_the_limit() -> None:
    buffer = PlayoutBuffer()
    for number in range(1, 200):
        push(buffer, 160 * number, frame(number))
        if number % 10:
            last = pulled(buffer, 1)[0]
    assert 199 - last <= 1600 // 160


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(1, 1200), st.integers(0, 3)), max_size=40))
@settings(max_examples=100)
def test_no_packet_upsets_it(packets: list[tuple[int, int, int]]) -> None:
    buffer = PlayoutBuffer()
    for timestamp, size, ticks in packets:
        push(buffer, timestamp, frame(1, size))
        for _ in range(ticks):
            assert [len(each) for each in buffer.pull(160)] == [160, 160]


def test_a_delay_beyond_the_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="delay"):
        PlayoutBuffer(delay=9000)
