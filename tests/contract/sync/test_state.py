"""Site state: last writer wins, in whatever order records arrive."""

from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from contract.sync.state import MAX_DRIFT_MS, Stamp, StateRecord, merge, next_stamp, observe

stamps = st.builds(Stamp, wall_ms=st.integers(0, 3), counter=st.integers(0, 2), node=st.sampled_from(["cloud", "edge"]))


def record(stamp: Stamp) -> StateRecord:
    """One writer writes one value at one stamp."""
    return StateRecord(key="do_not_disturb/u1", value=f"{stamp.order()}", stamp=stamp)


@given(st.lists(stamps, min_size=1, max_size=4))
def test_any_order_of_arrival_gives_the_same_record(written: list[Stamp]) -> None:
    records = [record(stamp) for stamp in written]
    results = {reduce(merge, order[1:], order[0]).stamp.order() for order in permutations(records)}
    assert results == {max(stamp.order() for stamp in written)}


@given(stamps)
def test_merging_twice_changes_nothing(stamp: Stamp) -> None:
    assert merge(record(stamp), record(stamp)) == record(stamp)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=10))
def test_stamps_of_one_writer_always_grow_even_when_the_clock_goes_back(times: list[int]) -> None:
    last: Stamp | None = None
    for now_ms in times:
        following = next_stamp(last, "edge", now_ms)
        assert last is None or following.order() > last.order()
        last = following


def test_a_write_after_seeing_a_peers_stamp_wins_over_it() -> None:
    seen = Stamp(wall_ms=5_000, counter=3, node="cloud")
    ours = observe(None, seen, "edge", now_ms=1_000)
    assert next_stamp(ours, "edge", now_ms=1_000).order() > seen.order()


def test_a_stamp_from_the_far_future_does_not_pull_our_clock() -> None:
    far = Stamp(wall_ms=MAX_DRIFT_MS + 2, node="cloud")
    assert observe(None, far, "edge", now_ms=1).wall_ms == 1
