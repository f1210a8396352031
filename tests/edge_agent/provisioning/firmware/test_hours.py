"""Hours by the site's clocks, also on the days on which the clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.provisioning.firmware.hours import Hours, is_open, next_change

ZURICH = ZoneInfo("Europe/Zurich")
NIGHTS = (Hours(frozenset({1, 2, 3, 4, 5}), 22 * 60, 1440), Hours(frozenset({2, 3, 4, 5, 6}), 0, 5 * 60))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T21:59:59+01:00", False),  # a Monday
        ("2026-11-23T22:00:00+01:00", True),
        ("2026-11-24T04:59:59+01:00", True),
        ("2026-11-24T05:00:00+01:00", False),
        ("2026-11-28T04:00:00+01:00", True),
        ("2026-11-28T22:30:00+01:00", False),  # a Saturday
    ],
)
def test_phones_may_be_told_within_the_hours_of_the_days(moment: str, expected: bool) -> None:
    assert is_open(NIGHTS, ZURICH, at(moment)) is expected


def test_without_hours_phones_may_be_told_at_any_time() -> None:
    assert is_open((), ZURICH, at("2026-11-23T12:00:00+01:00"))
    assert next_change((), ZURICH, at("2026-11-23T12:00:00+01:00")) is None


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T12:00:00+01:00", "2026-11-23T22:00:00+01:00"),
        ("2026-11-24T00:00:00+01:00", "2026-11-24T05:00:00+01:00"),
        ("2026-11-28T05:00:00+01:00", "2026-11-30T22:00:00+01:00"),
    ],
)
def test_the_next_change_is_when_hours_begin_or_end(moment: str, expected: str) -> None:
    assert next_change(NIGHTS, ZURICH, at(moment)) == at(expected)


def test_on_the_day_the_clocks_go_forward_hours_end_when_the_clock_on_the_wall_says_so() -> None:
    sunday = (Hours(frozenset({7}), 0, 5 * 60),)
    assert next_change(sunday, ZURICH, at("2026-03-29T00:30:00+01:00")) == at("2026-03-29T05:00:00+02:00")


@given(st.integers(0, 366 * 86_400))
def test_between_two_changes_nothing_changes(seconds: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    change = next_change(NIGHTS, ZURICH, moment)
    assert change is not None
    middle = moment + (change - moment) / 2
    assert is_open(NIGHTS, ZURICH, moment) is is_open(NIGHTS, ZURICH, middle)
