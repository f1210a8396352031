"""The benchmark of the media engine measures an engine at work."""

import pytest

from benchmarks.media.__main__ import Cost, heading, measure, row
from benchmarks.media.busy import measure_busy
from benchmarks.media.peer import FreeSwitch
from benchmarks.report import Machine


@pytest.mark.parametrize("case", ["recording", "conference of 2"])
def test_every_leg_of_a_case_is_served_and_costs_something(case: str) -> None:
    cost = measure(case, 4, 1.0)
    assert cost.percent_a_leg > 0
    assert cost.share_received > 0.5
    assert cost.memory_mb > 20


@pytest.mark.timeout(150)
def test_the_ticks_of_a_busy_agents_engine_are_measured_beside_a_bare_timer() -> None:
    busy = measure_busy(4, 2.0)
    assert busy.legs == 4
    assert busy.calls > 10
    assert busy.percent_a_leg > 0
    assert busy.percent_of_the_rest > 0
    assert busy.late_p99_ms > 0
    assert busy.bare_p99_ms > 0


@pytest.mark.peer("freeswitch")
@pytest.mark.timeout(150)
def test_freeswitch_serves_the_same_cases_and_costs_something() -> None:
    cases = ("idle", "playback", "recording", "conference of 2")
    with FreeSwitch(cases) as freeswitch:
        for case in cases:
            assert freeswitch.measure(case, 4, 0.5) > 0


def test_the_table_has_both_figures_and_their_ratio_or_says_that_freeswitch_was_not_run() -> None:
    machine = Machine("a processor", 2, 4096, "Linux", "CPython", 1.0, "abc")
    cost = Cost(0.30, 1.0, 2.0, 1.5, 70.0, 1.0)
    for theirs, shown in ((0.60, "0.60 | 0.50"), (None, " | ")):
        *said, names, _ = heading(machine, 10, compared=theirs is not None)
        assert any(line.startswith("NOT RUN: freeswitch") for line in said) == (theirs is None)
        line = row("playback | 40", cost, theirs)
        assert line.startswith(f"| playback | 40 | 0.30 | {shown} | 1.0 | 1.5 | 70 |")
        assert line.count("|") == names.count("|")
