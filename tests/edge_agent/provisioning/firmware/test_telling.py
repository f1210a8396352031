"""Who is told of firmware when: its moment, the site's hours, a few at a time, never who runs it already."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.sync.events import PhoneFirmware
from edge_agent.provisioning.firmware.hours import Hours
from edge_agent.provisioning.firmware.telling import FAIL_SECONDS, PLACE_SECONDS, Image, Telling, Wanted
from tests.support.site_phones import RecordedReporter

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD, NEW = Image("96.86.0.60", (("old.rom", "a" * 64),)), Image("96.86.0.70", (("new.rom", "b" * 64),))
IMAGES = {"old": OLD, "new": NEW}
NIGHT = (Hours(frozenset(range(1, 8)), 22 * 60, 23 * 60),)


class Site:
    """A telling with its clock and its disk."""

    def __init__(self, *phones: str, hours: tuple[Hours, ...] = (), at_once: int = 10, content: bytes = b"") -> None:
        self.reporter = RecordedReporter()
        self.telling = Telling(self.reporter, content, at_once)
        self.now = MONDAY
        self.here = {"old", "new"}
        self.hours = hours
        self.want({phone: Wanted("new", MONDAY) for phone in phones})

    def want(self, wanted: Mapping[str, Wanted]) -> None:
        self.telling.serve(wanted, IMAGES, self.hours, UTC)

    def advance(self, seconds: float = 0.0) -> frozenset[str]:
        self.now += timedelta(seconds=seconds)
        return self.telling.advance(self.now, self.here.__contains__)

    def steps(self, device_id: str) -> list[str]:
        """How far a phone came, as it was reported."""
        told = (one for one in self.reporter.reports if isinstance(one, PhoneFirmware))
        return [one.state for one in told if one.device_id == device_id]


def test_a_phone_is_told_then_has_fetched_then_runs_it_and_each_step_is_reported_once() -> None:
    site = Site("d1")
    site.advance()
    assert site.telling.told == {"d1": "new"}
    for _ in range(2):
        site.telling.fetched("d1")
        site.telling.shows("d1", "96.86.0.70")
        site.advance(60)
    assert site.steps("d1") == ["told", "fetched", "running"]
    assert site.telling.told == {"d1": "new"}, "its files stay as they are: a change would have it fetch again"


def test_before_its_moment_and_before_the_file_is_here_a_phone_is_not_told() -> None:
    site = Site()
    site.want({"d1": Wanted("new", MONDAY + timedelta(hours=1))})
    site.here.clear()
    site.advance()
    assert site.telling.deadline(site.now) == MONDAY + timedelta(hours=1)
    site.advance(3600)
    assert site.telling.told == {}
    site.here.add("new")
    site.advance()
    assert site.telling.told == {"d1": "new"}


def test_a_phone_that_shows_the_version_already_is_not_told() -> None:
    site = Site("d1", "d2")
    site.telling.shows("d1", NEW.version)
    site.telling.shows("d2", OLD.version)
    site.advance()
    assert site.telling.told == {"d2": "new"}
    assert site.steps("d1") == ["running"]


def test_phones_are_told_a_few_at_a_time_and_the_next_when_one_has_fetched_or_had_its_time() -> None:
    site = Site(*(f"d{number}" for number in range(5)), at_once=2)
    site.advance()
    assert sorted(site.telling.told) == ["d0", "d1"]
    site.telling.fetched("d0")
    site.advance(1)
    assert sorted(site.telling.told) == ["d0", "d1", "d2"]
    site.advance(PLACE_SECONDS)
    assert sorted(site.telling.told) == ["d0", "d1", "d2", "d3", "d4"]


def test_outside_the_hours_nobody_is_told_and_who_did_not_take_it_is_told_again_the_next_night() -> None:
    site = Site("d1", "d2", hours=NIGHT)
    site.advance()
    assert site.telling.told == {}
    assert site.telling.deadline(site.now) == MONDAY.replace(hour=22)
    site.advance(10 * 3600)
    assert sorted(site.telling.told) == ["d1", "d2"]
    site.telling.shows("d1", NEW.version)
    site.advance(1)
    assert site.advance(3600) == {"d2"}, "its files change, and it need not fetch them at once"
    assert site.telling.told == {"d1": "new"}
    site.advance(23 * 3600)
    assert sorted(site.telling.told) == ["d1", "d2"]
    assert site.steps("d2") == ["told", "told"]


def test_a_phone_that_shows_another_version_an_hour_later_has_failed_and_says_which() -> None:
    site = Site("d1")
    site.advance()
    site.telling.shows("d1", OLD.version)
    site.advance(FAIL_SECONDS)
    site.advance(FAIL_SECONDS)
    assert site.steps("d1") == ["told", "failed"]
    last = site.reporter.reports[-1]
    assert isinstance(last, PhoneFirmware)
    assert (last.version, last.text) == (OLD.version, "an hour after it was told it shows 96.86.0.60")
    site.telling.shows("d1", NEW.version)
    site.advance()
    assert site.steps("d1") == ["told", "failed", "running"]


def test_going_back_is_another_firmware() -> None:
    site = Site("d1")
    site.telling.shows("d1", OLD.version)
    site.advance()
    site.telling.shows("d1", NEW.version)
    site.advance(60)
    site.want({"d1": Wanted("old", MONDAY)})
    site.advance(60)
    assert site.telling.told == {"d1": "old"}
    site.telling.shows("d1", OLD.version)
    site.advance(60)
    assert site.steps("d1") == ["told", "running", "told", "running"]


def test_a_phone_that_is_to_have_none_any_more_keeps_what_it_has() -> None:
    site = Site("d1")
    site.advance()
    site.want({})
    site.advance()
    assert site.telling.told == {}
    assert site.telling.deadline(site.now) is None


def test_a_phone_whose_files_cannot_name_firmware_has_failed_with_the_reason() -> None:
    site = Site()
    site.want({"d1": Wanted("new", MONDAY, "the files of this model have no setting for firmware")})
    site.advance()
    site.advance(60)
    assert site.steps("d1") == ["failed"]
    assert site.telling.told == {}


def test_who_was_told_and_what_phones_showed_survives_a_restart() -> None:
    site = Site("d1", "d2")
    site.telling.shows("d2", NEW.version)
    site.advance()
    assert site.telling.dirty
    again = Site("d1", "d2", content=site.telling.content)
    assert again.telling.told == {"d1": "new"}, "before anything is looked at, files are as they were"
    again.advance(60)
    assert again.telling.told == {"d1": "new"}
    assert again.steps("d1") == []
    assert again.steps("d2") == []


@given(st.binary(max_size=200) | st.sampled_from([b'{"phones": {"d1": ["new", "mad", 1, true, true]}}', b"[]", b"{}"]))
def test_whatever_lies_on_the_disk_does_not_stop_it(content: bytes) -> None:
    site = Site("d1", content=content)
    site.advance()
    assert site.telling.told == {"d1": "new"}


def test_a_clock_that_is_put_back_leaves_nobody_waiting_for_a_place() -> None:
    site = Site("d1", "d2", at_once=1)
    site.want({name: Wanted("new", MONDAY - timedelta(days=10)) for name in ("d1", "d2")})
    site.advance()
    site.now -= timedelta(days=1)
    site.advance()
    assert sorted(site.telling.told) == ["d1", "d2"]


def test_twenty_thousand_phones_take_a_fraction_of_a_second() -> None:
    site = Site(*(f"d{number}" for number in range(20_000)))
    site.advance()
    assert len(site.telling.told) == 10
