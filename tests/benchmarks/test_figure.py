"""A figure says what its runs say, and no more."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cpu import cpu_seconds, descendants, memory_mb
from benchmarks.figure import Figure, interval, percentile
from benchmarks.report import Machine, as_json, table

HERE = Machine("a processor", 2, 1024, "Linux", "CPython", 0.5, "abc")


def test_with_five_runs_the_interval_is_their_range_and_with_fifteen_it_leaves_out_three_at_each_end() -> None:
    assert interval((5.0, 1.0, 4.0, 2.0, 3.0)) == (1.0, 5.0)
    low, high = interval(tuple(float(n) for n in range(1, 16)))
    assert (low, high) == (4.0, 12.0)


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=40).map(tuple))
def test_an_interval_lies_within_the_values_and_around_their_median(values: tuple[float, ...]) -> None:
    low, high = interval(values)
    assert min(values) <= low <= percentile(values, 0.5) <= high <= max(values)


def test_a_percentile_of_few_values_is_one_of_them() -> None:
    assert percentile((1.0, 2.0, 3.0), 0.99) == 3.0
    assert percentile(tuple(float(n) for n in range(1, 101)), 0.99) == 99.0


def test_ratios_are_taken_pair_by_pair_and_shown_beside_the_aim() -> None:
    figure = Figure("cost", "µs", (2.0, 6.0, 4.0), "counted", "the peer", (1.0, 2.0, 4.0), aim=1.5)
    assert figure.ratios == (2.0, 3.0, 1.0)
    text = table(HERE, [figure], ["NOT RUN: something"])
    assert "median 2.00 (1.00 to 3.00); aim at most 1.5" in text
    assert "how: counted" in text
    assert text.endswith("NOT RUN: something")
    assert json.loads(json.dumps(as_json(HERE, [figure], [])))["figures"][0]["ratio_median"] == 2.0


def test_a_process_is_found_below_itself_with_its_time_and_memory() -> None:
    assert os.getpid() in descendants(os.getppid())
    assert cpu_seconds([os.getpid()]) > 0
    assert memory_mb(os.getpid()) > 1
    with pytest.raises(LookupError):
        memory_mb(os.getpid(), "VmNothing")
