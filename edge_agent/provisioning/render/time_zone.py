"""What a phone must know of a time zone: its offset, and when summer time begins and ends.

Taken from the rule that ends a zone's TZif file (RFC 9636 §3.3, POSIX.1 TZ), so that every IANA zone works without a
table of ours. Phones take a whole hour between 0 and 23; the few zones whose rule says otherwise are rounded to it.
"""

import re
import zoneinfo
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from edge_agent.provisioning.errors import UnknownTimeZone

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)"
_OFFSET = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_RULE = r"M(\d{1,2})\.(\d)\.(\d)(?:/([+-]?\d{1,3})(?::\d{2}){0,2})?"
_POSIX: Final = re.compile(rf"{_NAME}({_OFFSET})(?:{_NAME}({_OFFSET})?,{_RULE},{_RULE})?")


@dataclass(frozen=True, slots=True)
class Change:
    """When clocks change: the `week`th `weekday` of `month`, at `hour`."""

    month: int
    week: int
    """1 to 5; 5 is the last of the month."""
    weekday: int
    """1 is Monday, 7 is Sunday."""
    hour: int
    """0 to 23, on the clock that ends."""


@dataclass(frozen=True, slots=True)
class SummerTime:
    """A zone's summer time."""

    start: Change
    end: Change
    shift_minutes: int


@dataclass(frozen=True, slots=True)
class PhoneTimeZone:
    """A time zone in a phone's words."""

    name: str
    offset_minutes: int
    """Of the zone's winter time; greater east of Greenwich."""
    summer: SummerTime | None = None

    @property
    def offset_text(self) -> str:
        """Such as `+1`, `-3:30` or `0`."""
        hours, minutes = divmod(abs(self.offset_minutes), 60)
        sign = "" if self.offset_minutes == 0 else "+" if self.offset_minutes > 0 else "-"
        return f"{sign}{hours}:{minutes:02}" if minutes else f"{sign}{hours}"

    @property
    def clock_text(self) -> str:
        """Such as `+01:00`, `-03:30` or `+00:00`."""
        hours, minutes = divmod(abs(self.offset_minutes), 60)
        return f"{'-' if self.offset_minutes < 0 else '+'}{hours:02}:{minutes:02}"

    @property
    def posix(self) -> str:
        """A POSIX TZ rule such as `STD-1DST-2,M3.5.0/2,M10.5.0/3`; west of Greenwich is positive there."""
        if self.summer is None:
            return f"STD{_posix_offset(self.offset_minutes)}"
        summer = _posix_offset(self.offset_minutes + self.summer.shift_minutes)
        names = f"STD{_posix_offset(self.offset_minutes)}DST{summer}"
        return f"{names},{_posix_change(self.summer.start)},{_posix_change(self.summer.end)}"


def _posix_offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes > 0 else ''}{hours}{f':{rest:02}' if rest else ''}"


def _posix_change(change: Change) -> str:
    return f"M{change.month}.{change.week}.{change.weekday % 7}/{change.hour}"


def phone_time_zone(name: str) -> PhoneTimeZone:
    """The time zone of that IANA name.

    Raises:
        UnknownTimeZone: this machine has no data for it.
    """
    if name == "UTC":
        return PhoneTimeZone("UTC", 0)
    return parse_posix(name, _posix_rule(name))


def parse_posix(name: str, rule: str) -> PhoneTimeZone:
    """A POSIX TZ rule such as `CET-1CEST,M3.5.0,M10.5.0/3` as a phone's time zone.

    Raises:
        UnknownTimeZone: the rule has a form that phones have no words for.
    """
    match = _POSIX.fullmatch(rule)
    if match is None:
        raise UnknownTimeZone(name)
    standard = -_minutes(match[1])
    if match[3] is None:
        return PhoneTimeZone(name, standard)
    other = -_minutes(match[2]) if match[2] else standard + 60
    start, end = _change(match.groups()[2:6]), _change(match.groups()[6:10])
    if other < standard:  # Ireland: its "summer time" is the winter's
        standard, other, start, end = other, standard, end, start
    return PhoneTimeZone(name, standard, SummerTime(start, end, other - standard))


def _minutes(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * (parts[0] * 60 + (parts[1] if len(parts) > 1 else 0))


def _change(groups: tuple[str | None, ...]) -> Change:
    month, week, weekday, hour = groups
    at = 2 if hour is None else int(hour)
    return Change(int(month or 0), int(week or 0), int(weekday or 0) or 7, min(max(at, 0), 23))


def _posix_rule(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)  # refuses a name that would lead anywhere else on the disk, and a file that is no zone
    except (KeyError, ValueError, OSError):
        raise UnknownTimeZone(name) from None
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return _footer(path.read_bytes())
    try:
        return _footer(files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes())
    except (ModuleNotFoundError, OSError):
        raise UnknownTimeZone(name) from None


def _footer(data: bytes) -> str:
    return data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
