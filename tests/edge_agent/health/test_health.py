"""Checks find what is wrong; alarms say it once when it begins and once when it is over."""

from pathlib import Path

from contract.sync.events import AlarmChanged, Happening
from edge_agent.health.alarms import Alarms
from edge_agent.health.free_space import FreeSpace


class Kept:
    def __init__(self) -> None:
        self.events: list[Happening] = []

    def report(self, what: Happening) -> None:
        self.events.append(what)

    def told(self) -> list[tuple[str, bool]]:
        return [(event.alarm, event.active) for event in self.events if isinstance(event, AlarmChanged)]


def test_enough_room_is_no_finding(tmp_path: Path) -> None:
    assert FreeSpace(tmp_path, 1).run() is None


def test_too_little_room_is_a_finding_that_says_how_much(tmp_path: Path) -> None:
    finding = FreeSpace(tmp_path, 10**12).run()
    assert finding is not None
    assert f"at least {10**12} should be" in finding.text


def test_a_folder_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    finding = FreeSpace(tmp_path / "gone", 1).run()
    assert finding is not None
    assert finding.severity == "critical"


def test_an_alarm_is_told_once_and_its_end_once() -> None:
    kept = Kept()
    alarms = Alarms(kept)
    alarms.begin("free_space_low", "warning", "12 MB")
    alarms.begin("free_space_low", "warning", "12 MB")
    alarms.end("free_space_low")
    alarms.end("free_space_low")
    assert kept.told() == [("free_space_low", True), ("free_space_low", False)]


def test_an_alarm_of_two_processes_is_over_when_both_have_recovered() -> None:
    kept = Kept()
    alarms = Alarms(kept)
    alarms.begin("process_restarted", "warning", "sip: ended", "sip")
    alarms.begin("process_restarted", "warning", "media: ended", "media")
    alarms.end("process_restarted", "sip")
    assert alarms.active() == {"process_restarted": "media: ended"}
    alarms.end("process_restarted", "media")
    assert kept.told() == [("process_restarted", True), ("process_restarted", True), ("process_restarted", False)]


def test_an_alarm_of_an_earlier_run_is_over_unless_it_is_found_again() -> None:
    kept = Kept()
    alarms = Alarms(kept)
    alarms.begin("free_space_low", "warning", "12 MB")
    alarms.forget("free_space_low")
    alarms.forget("channel_failed")
    assert kept.told() == [("free_space_low", True), ("channel_failed", False)]


def test_a_text_too_long_for_an_event_is_cut() -> None:
    kept = Kept()
    Alarms(kept).begin("snapshot_rejected", "critical", "x" * 5000)
    assert kept.told() == [("snapshot_rejected", True)]
