"""Passwords, and how often one may get them wrong."""

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from cloud.pbx.authentication import (
    MAX_FAILURES,
    MAX_FAILURES_OF_ADDRESS,
    MAX_REMEMBERED,
    WINDOW_SECONDS,
    FailureCounter,
    TooManyLogIns,
)
from cloud.pbx.passwords import MIN_LENGTH, Passwords, problem_of
from tests.support.customers import HandClock

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_password_fits_what_was_made_of_it_and_nothing_else() -> None:
    passwords = Passwords(CHEAP)
    kept = passwords.hash(SecretStr("correct horse battery"))
    assert passwords.fits(kept, SecretStr("correct horse battery"))
    assert not passwords.fits(kept, SecretStr("correct horse batterz"))
    assert not passwords.fits("not a hash", SecretStr("correct horse battery"))


def test_an_account_that_does_not_exist_takes_the_same_work_and_is_never_right() -> None:
    hashes: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
            hashes.append(str(hash))
            return bool(super().verify(hash, password))

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.fits(None, SecretStr("a password that nobody has"))
    assert len(hashes) == 1
    assert hashes[0].startswith("$argon2id$")


@pytest.mark.parametrize(("password", "good"), [("short", False), ("x" * 40, False), ("twelve chars", True)])
def test_a_password_needs_twelve_characters_and_some_variety(password: str, good: bool) -> None:
    assert (problem_of(SecretStr(password)) is None) == good
    assert len("twelve chars") == MIN_LENGTH


def test_failures_are_forgotten_after_the_window() -> None:
    clock = HandClock()
    counter = FailureCounter(clock)
    for _ in range(MAX_FAILURES):
        counter.failed("a@tandem.test", "192.0.2.1")
    with pytest.raises(TooManyLogIns) as told:
        counter.check("A@tandem.test", "192.0.2.1")
    assert told.value.retry_after_seconds == int(WINDOW_SECONDS) + 1
    clock.advance(WINDOW_SECONDS)
    counter.check("a@tandem.test", "192.0.2.1")


def test_a_success_forgets_the_failures_before_it() -> None:
    counter = FailureCounter(HandClock())
    for _ in range(MAX_FAILURES - 1):
        counter.failed("a@tandem.test", "192.0.2.1")
    counter.succeeded("a@tandem.test", "192.0.2.1")
    counter.failed("a@tandem.test", "192.0.2.1")
    counter.check("a@tandem.test", "192.0.2.1")


def test_one_address_that_tries_many_accounts_is_paused_as_a_whole() -> None:
    counter = FailureCounter(HandClock())
    for number in range(MAX_FAILURES_OF_ADDRESS):
        counter.failed(f"{number}@tandem.test", "192.0.2.1")
    with pytest.raises(TooManyLogIns):
        counter.check("another@tandem.test", "192.0.2.1")
    counter.check("another@tandem.test", "192.0.2.2")


def test_what_is_remembered_has_a_limit() -> None:
    counter = FailureCounter(HandClock())
    for number in range(MAX_REMEMBERED):
        counter.failed("a@tandem.test", f"address {number}")
    assert len(counter._failures) <= MAX_REMEMBERED
