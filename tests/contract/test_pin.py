"""PINs: which ones are fit, and that what is kept of them tells only who knows them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.pin import NOBODYS, hashed, is_fit, is_right


@pytest.mark.parametrize(
    "pin", ["", "123", "1234", "4321", "7890", "1111", "20000000000000000", "12a4", "²²²²", "2001"]
)
def test_a_pin_that_everybody_would_try_first_is_none(pin: str) -> None:
    assert not is_fit(pin, "2001")
    assert is_fit("2580", "2001")


def test_what_is_no_kept_pin_is_never_right() -> None:
    for kept in ("", "scrypt", "scrypt::", "scrypt:" + "0" * 32 + ":", "plain:2580"):
        assert not is_right("2580", kept)


def test_what_is_kept_does_not_show_the_pin_and_differs_each_time() -> None:
    one, other = hashed("2580", "a" * 32), hashed("2580", "b" * 32)
    assert one != other
    assert "2580" not in one
    assert is_right("2580", one)
    assert is_right("2580", other)
    assert not is_right("2581", one)


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=20))
def test_no_text_is_right_for_nobodys_pin_or_breaks_the_question(text: str) -> None:
    assert not is_right(text, NOBODYS)
    assert not is_right("2580", text)
    is_fit(text, "200")
