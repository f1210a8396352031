"""The benchmark of the media engine measures an engine at work."""

import pytest

from benchmarks.media.__main__ import measure


@pytest.mark.parametrize("case", ["recording", "conference of 2"])
def test_every_leg_of_a_case_is_served_and_costs_something(case: str) -> None:
    cost = measure(case, 4, 1.0)
    assert cost.percent_a_leg > 0
    assert cost.share_received > 0.5
    assert cost.memory_mb > 20
