"""Working hours and holidays of a site, in its own time zone."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contract.values import Frozen, Id, Text

Period = Literal["working_time", "after_hours", "holiday"]
"""At any moment a schedule is in exactly one of these."""

Minute = Annotated[int, Field(ge=0, le=1440)]
"""Minutes since midnight on the wall clock of the site."""


class WorkingHours(Frozen):
    """From `start` until before `end`, on these days."""

    days: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1, max_length=7)]
    """1 is Monday, 7 is Sunday (ISO 8601)."""
    start: Minute = 0
    end: Minute = 1440
    """1440 is midnight at the end of the day; hours that pass midnight are two entries."""

    @model_validator(mode="after")
    def _is_forward(self) -> Self:
        if self.start >= self.end:
            raise ValueError("end must be later than start; hours that pass midnight are two entries")
        return self


class Holiday(Frozen):
    """A whole day on which nobody works, once or every year."""

    day: date
    every_year: bool = False
    name: Text = ""


class Schedule(Frozen):
    """Named hours that rules go by."""

    schedule_id: Id
    name: Text
    hours: Annotated[tuple[WorkingHours, ...], Field(max_length=100)] = ()
    holidays: Annotated[tuple[Holiday, ...], Field(max_length=400)] = ()


class During(Frozen):
    """The condition that a schedule is in one of these periods now."""

    schedule_id: Id
    periods: Annotated[tuple[Period, ...], Field(min_length=1, max_length=3)]
