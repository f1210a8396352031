"""The hours in which phones may be told of firmware, by the site's clocks. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_DAYS_AHEAD: Final = 8


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` until before `end`, in minutes since midnight, on these days (1 is Monday)."""

    days: frozenset[int]
    start: int
    end: int


def is_open(hours: Sequence[Hours], zone: tzinfo, now: datetime) -> bool:
    """Whether phones may be told now.

    Args:
        hours: empty: at any time.
        zone: of the site.
        now: in any zone.
    """
    here = now.astimezone(zone)
    minute = here.hour * 60 + here.minute
    return not hours or any(here.isoweekday() in one.days and one.start <= minute < one.end for one in hours)


def next_change(hours: Sequence[Hours], zone: tzinfo, now: datetime) -> datetime | None:
    """The next moment, in UTC, at which hours begin or end; None without hours."""
    return min((moment for moment in _moments(hours, zone, now) if moment > now), default=None)


def _moments(hours: Sequence[Hours], zone: tzinfo, now: datetime) -> Iterable[datetime]:
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for ahead in range(_DAYS_AHEAD):
        day = midnight + timedelta(days=ahead)
        for one in hours:
            if day.isoweekday() in one.days:
                for minute in (one.start, one.end):
                    # By the wall clock, so that a day on which it is put forward or back ends when people say so.
                    yield (day + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC)
