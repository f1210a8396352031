"""Which period of a schedule it is: wall clock of the site, whatever daylight saving does to it."""

from datetime import datetime, tzinfo

from contract.snapshot import Period, Schedule


def period_at(schedule: Schedule, zone: tzinfo, at: datetime) -> Period:
    """The period of a schedule at a moment.

    An hour that the wall clock shows twice counts twice, one that it skips does not come.

    Args:
        schedule: hours and holidays.
        zone: the site's time zone.
        at: the moment, in UTC.
    """
    local = at.astimezone(zone)
    today = local.date()
    for holiday in schedule.holidays:
        day = holiday.day
        if day == today or (holiday.every_year and (day.month, day.day) == (today.month, today.day)):
            return "holiday"
    minute, weekday = local.hour * 60 + local.minute, local.isoweekday()
    if any(hours.start <= minute < hours.end and weekday in hours.days for hours in schedule.hours):
        return "working_time"
    return "after_hours"
