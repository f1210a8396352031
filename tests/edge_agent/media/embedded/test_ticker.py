"""The tick: its schedule, and how its lateness is kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.clock import SystemClock
from edge_agent.media.embedded.ticker import TICK_SECONDS, Lateness, Ticker
from tests.support.hand_clock import HandClock
from tests.support.waiting import eventually_async


async def test_ticks_come_at_their_rate_and_stop_when_told() -> None:
    times: list[float] = []
    ticker = Ticker(SystemClock(), times.append)
    ticker.start()
    ticker.start()
    await eventually_async(lambda: len(times) >= 10)
    ticker.stop()
    assert not ticker.running
    assert times[-1] - times[0] >= 8.5 * TICK_SECONDS
    assert ticker.lateness.ticks == len(times)


async def test_a_tick_may_stop_the_ticker() -> None:
    times: list[float] = []

    def tick(now: float) -> None:
        times.append(now)
        ticker.stop()

    ticker = Ticker(SystemClock(), tick)
    ticker.start()
    await eventually_async(lambda: times)
    assert not ticker.running


async def test_a_short_delay_is_made_up_for_and_a_long_one_is_given_up() -> None:
    clock, times = HandClock(), list[float]()
    ticker = Ticker(clock, times.append)
    ticker.start()
    clock.advance(5.5 * TICK_SECONDS)
    await eventually_async(lambda: len(times) >= 5)
    assert ticker.given_up == 0
    clock.advance(1000 * TICK_SECONDS)
    await eventually_async(lambda: ticker.given_up >= 500)  # the due times ran ahead of the clock that stood still
    ticker.stop()
    assert len(times) < 50


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=200), st.floats(0.01, 1))
@settings(max_examples=100)
def test_a_quantile_is_at_most_a_bucket_above_the_sample_it_stands_for(samples: list[float], share: float) -> None:
    lateness = Lateness()
    for sample in samples:
        lateness.record(sample)
    index = max(0, -(-int(share * len(samples) * 1000) // 1000) - 1)
    exact = min(sorted(samples)[index], 0.1)
    assert lateness.quantile_seconds(share) >= exact - 0.0002
    assert lateness.quantile_seconds(1.0) <= max(samples) + 0.0001
    assert lateness.longest_seconds == max(samples)


def test_before_the_first_tick_nothing_was_late() -> None:
    assert Lateness().quantile_seconds(0.99) == 0.0
