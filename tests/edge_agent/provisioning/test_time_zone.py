"""Time zones in a phone's words, from the machine's own time zone data."""

import zoneinfo

import pytest

from edge_agent.provisioning.errors import UnknownTimeZone
from edge_agent.provisioning.render.time_zone import Change, PhoneTimeZone, SummerTime, parse_posix, phone_time_zone


def test_utc_needs_no_data() -> None:
    assert phone_time_zone("UTC") == PhoneTimeZone("UTC", 0)
    assert phone_time_zone("UTC").offset_text == "0"


def test_a_zone_with_summer_time_says_when_it_begins_and_ends() -> None:
    assert phone_time_zone("Europe/Berlin") == PhoneTimeZone(
        "Europe/Berlin", 60, SummerTime(Change(3, 5, 7, 2), Change(10, 5, 7, 3), 60)
    )
    assert phone_time_zone("America/New_York") == PhoneTimeZone(
        "America/New_York", -300, SummerTime(Change(3, 2, 7, 2), Change(11, 1, 7, 2), 60)
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("Asia/Kolkata", "+5:30"), ("America/St_Johns", "-3:30"), ("Asia/Tokyo", "+9"), ("America/Phoenix", "-7")],
)
def test_the_offset_is_of_winter_time(name: str, text: str) -> None:
    assert phone_time_zone(name).offset_text == text


@pytest.mark.parametrize(
    ("name", "clock", "posix"),
    [
        ("UTC", "+00:00", "STD0"),
        ("Europe/Berlin", "+01:00", "STD-1DST-2,M3.5.0/2,M10.5.0/3"),
        ("America/New_York", "-05:00", "STD5DST4,M3.2.0/2,M11.1.0/2"),
        ("Asia/Kolkata", "+05:30", "STD-5:30"),
        ("America/St_Johns", "-03:30", "STD3:30DST2:30,M3.2.0/2,M11.1.0/2"),
    ],
)
def test_a_zone_is_written_as_a_clock_and_as_a_rule_of_posix(name: str, clock: str, posix: str) -> None:
    zone = phone_time_zone(name)
    assert (zone.clock_text, zone.posix) == (clock, posix)
    if name != "UTC":
        assert parse_posix(name, zone.posix) == zone


def test_irelands_winter_time_that_is_written_as_an_exception_is_winter_time() -> None:
    zone = parse_posix("Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1")
    assert zone == PhoneTimeZone("Europe/Dublin", 0, SummerTime(Change(3, 5, 7, 1), Change(10, 5, 7, 2), 60))


def test_an_hour_outside_the_day_is_brought_into_it() -> None:
    zone = parse_posix("x", "<-02>2<-01>,M3.5.0/-1,M10.5.4/24")
    assert zone.summer == SummerTime(Change(3, 5, 7, 0), Change(10, 5, 4, 23), 60)


@pytest.mark.parametrize("name", ["", "Nowhere", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/Berlin\0"])
def test_a_name_that_is_no_zone_is_refused_and_never_a_path(name: str) -> None:
    with pytest.raises(UnknownTimeZone):
        phone_time_zone(name)


def test_every_zone_of_the_machine_can_be_told_to_a_phone() -> None:
    names = {name for name in zoneinfo.available_timezones() if "/" in name}
    assert len(names) > 300
    for name in names:
        zone = phone_time_zone(name)
        assert -12 * 60 <= zone.offset_minutes <= 14 * 60
