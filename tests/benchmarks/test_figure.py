"""A figure says what its runs say, and no more."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cpu import cpu_seconds, descendants, memory_mb
from benchmarks.figure import Figure, interval, percentile
from benchmarks.report import BEGIN, END, Machine, as_json, markdown, put_between, table
from benchmarks.sip.interpreter import PROJECT

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


def test_a_page_gets_the_figures_between_its_marks_and_keeps_the_rest() -> None:
    figure = Figure("cost", "µs", (30.0, 32.0), "counted", "the peer", (10.0, 10.0), aim=1.5)
    memory = Figure("room", "MB", (90.0,), "counted", "the peer", (45.0,), aim=80, aim_of_value=True)
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = put_between(page, markdown(HERE, [figure, memory], ["NOT RUN: something"]))
    assert written.startswith(f"before\n{BEGIN}\n")
    assert written.endswith(f"{END}\nafter\n")
    assert "old" not in written
    assert "- NOT RUN: something" in written
    assert "| cost | µs | 2 | 30 | 31 | | 10.0 / 10.0 | 3.10 (3.00–3.20) | 1.5 |" in written.replace("|  |", "| |")
    assert "| 2.00 | 80 MB |" in written, "the aim is of the memory, not of the ratio"
    assert put_between(written, markdown(HERE, [figure, memory], ["NOT RUN: something"])) == written
    with pytest.raises(ValueError, match="no lines"):
        put_between("a page without marks", "figures")


def test_the_page_of_the_project_has_the_marks() -> None:
    put_between((PROJECT / "docs" / "benchmarks.md").read_text(encoding="utf-8"), "figures")
