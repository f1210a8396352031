"""Pauses before a restart double up to a limit, and begin anew after a steady run."""

from edge_agent.processes.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=3.0, steady_seconds=30.0)
    assert [backoff.after(0.1) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_steady_run_begins_anew() -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=3.0, steady_seconds=30.0)
    backoff.after(1.0)
    backoff.after(1.0)
    assert backoff.after(30.0) == 0.5


def test_a_very_long_row_of_ends_stays_at_the_longest() -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=3.0, steady_seconds=30.0)
    assert {backoff.after(0.0) for _ in range(5000)} == {0.5, 1.0, 2.0, 3.0}
