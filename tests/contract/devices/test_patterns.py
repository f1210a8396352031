"""Regular expressions of plug-ins: only those that no text can make run for ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.devices.patterns import PatternRefused, compile_pattern


@pytest.mark.parametrize("text", ["(a+)+", "(?:a*)*b", "((x{2,}))+", "(?P<n>[a-z]+|b)*", "(a|(b+))*", r"(\d+)+?$"])
def test_a_repeat_without_an_end_of_one_is_refused(text: str) -> None:
    with pytest.raises(PatternRefused, match="repeats without an end"):
        compile_pattern(text)


@pytest.mark.parametrize("text", ["", "(", "x" * 301, "a+b+c+d+e+f+"])
def test_what_is_no_pattern_or_too_much_of_one_is_refused(text: str) -> None:
    with pytest.raises(PatternRefused):
        compile_pattern(text)


@pytest.mark.parametrize(
    "text", [r"\(a+\)+", "[(]+[)+]*", "(?:ab){3}", "(?:,[a-z]+){0,15}", "(?P<mac>[0-9a-f]{12})$", "a|b", r"x\+*"]
)
def test_a_harmless_pattern_is_taken(text: str) -> None:
    assert compile_pattern(text).pattern == text


@given(st.text(alphabet="ab()[]+*?{}|\\^$.,23", max_size=12))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        pattern = compile_pattern(text)
    except PatternRefused:
        return
    pattern.fullmatch("ab" * 20)
