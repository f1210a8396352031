"""Guesses and reports are bounded, by address and by number."""

import pytest

from edge_agent.provisioning.serve.limits import GuessGuard, ReportGate


def mac(number: int) -> str:
    return f"{number:012x}"


def test_an_address_is_locked_out_after_so_many_different_guesses_and_free_again_after_the_window() -> None:
    guard = GuessGuard(max_guesses=3, window_seconds=60)
    for number in range(3):
        assert not guard.is_locked_out("192.0.2.1", 0)
        guard.guessed("192.0.2.1", mac(number), 0)
    assert guard.is_locked_out("192.0.2.1", 59)
    assert not guard.is_locked_out("192.0.2.2", 59)
    assert not guard.is_locked_out("192.0.2.1", 60)


def test_the_same_phone_asking_again_and_again_is_one_guess() -> None:
    guard = GuessGuard(max_guesses=2)
    for _ in range(50):
        guard.guessed("192.0.2.1", mac(1), 0)
    assert not guard.is_locked_out("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::2%eth1")],
)
def test_addresses_that_one_machine_can_choose_freely_count_as_one(one: str, other: str) -> None:
    guard = GuessGuard(max_guesses=1)
    guard.guessed(one, mac(1), 0)
    assert guard.is_locked_out(other, 0)


def test_the_table_of_addresses_is_bounded_and_forgets_the_oldest() -> None:
    guard = GuessGuard(max_guesses=1, max_addresses=2)
    for host in (1, 2, 3):
        guard.guessed(f"192.0.2.{host}", mac(1), 0)
    assert [guard.is_locked_out(f"192.0.2.{host}", 0) for host in (1, 2, 3)] == [False, True, True]


def test_a_phone_is_reported_once_in_each_interval() -> None:
    gate = ReportGate(interval_seconds=300)
    assert [gate.may_report(mac(1), now) for now in (0, 1, 299, 300, 301)] == [True, False, False, True, False]


def test_all_phones_together_cause_a_bounded_number_of_reports() -> None:
    gate = ReportGate(interval_seconds=300, max_reports=5)
    assert sum(gate.may_report(mac(number), 0) for number in range(100)) == 5
    assert gate.may_report(mac(999), 300)


def test_the_table_of_reported_phones_is_bounded() -> None:
    gate = ReportGate(interval_seconds=300, max_reported=2)
    assert [gate.may_report(mac(number), 0) for number in (1, 2, 3)] == [True, True, True]
    assert gate.may_report(mac(1), 1)  # forgotten, so reported once more
    assert not gate.may_report(mac(3), 1)
