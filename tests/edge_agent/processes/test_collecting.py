"""The collector of cycles looks through everything while there is time, and not while calls come in."""

import gc

from edge_agent.processes.collecting import IDLE_SHARE, IdleCollecting, exempt


class _Cycle:
    def __init__(self) -> None:
        self.me = self


class Spent:
    """CPU seconds, set by the test."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_busy_process_is_not_held_up_for_long_and_an_idle_one_is_looked_through() -> None:
    spent = Spent()
    collecting = IdleCollecting(spent)
    spent.seconds += 10.0 * (IDLE_SHARE + 0.1)
    assert not collecting.look(10.0)
    spent.seconds += 10.0 * (IDLE_SHARE - 0.1)
    assert collecting.look(10.0)


def test_a_process_that_is_never_idle_is_looked_through_in_the_end() -> None:
    spent = Spent()
    collecting = IdleCollecting(spent)
    looks = []
    for _ in range(50):
        spent.seconds += 10.0
        looks.append(collecting.look(10.0))
    assert 1 <= sum(looks) <= 3


def test_what_is_there_after_a_configuration_is_exempt() -> None:
    before = gc.get_threshold()
    try:
        exempt()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] >= 50_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
