"""Bencoding: what is written is read again, and no bytes do harm."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.rtpengine.bencode import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    BadBencode,
    Encodable,
    Value,
    decoded,
    encoded,
)

NUMBERS = st.integers(-(10**18), 10**18)
VALUES: st.SearchStrategy[Encodable] = st.recursive(
    NUMBERS | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def read(value: Encodable) -> Value:
    """A value as it is read again."""
    if isinstance(value, dict):
        return {key.encode(): read(one) for key, one in value.items()}
    if isinstance(value, list):
        return [read(one) for one in value]
    assert isinstance(value, int | bytes)
    return value


@given(VALUES)
def test_what_is_written_is_read_again(value: Encodable) -> None:
    assert decoded(encoded(value)) == read(value)


@given(st.binary(max_size=300) | st.text("dlei0123456789:-ab", max_size=60).map(str.encode))
def test_any_bytes_give_a_value_or_our_error(data: bytes) -> None:
    with contextlib.suppress(BadBencode):
        decoded(data)


@given(VALUES, st.data())
def test_a_damaged_value_gives_a_value_or_our_error(value: Encodable, data: st.DataObject) -> None:
    whole = bytearray(encoded(value))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadBencode):
        decoded(bytes(whole))


@given(VALUES)
def test_what_ends_too_early_or_goes_on_is_no_value(value: Encodable) -> None:
    whole = encoded(value)
    for data in (whole[:-1], whole + b"i1e"):
        with pytest.raises(BadBencode):
            decoded(data)


def test_an_answer_of_rtpengine_is_read() -> None:
    assert decoded(b"d7:createdi1795755225e4:tagsd1:ad6:mediasleee6:result2:oke") == {
        b"created": 1795755225,
        b"tags": {b"a": {b"medias": []}},
        b"result": b"ok",
    }


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"0" * (MAX_BYTES + 1), "more than 65507 bytes"),
        (b"l" * (MAX_DEPTH + 2) + b"e" * (MAX_DEPTH + 2), "more than 16 deep"),
        (b"l" + b"0:" * MAX_VALUES + b"e", "more than 20000 values"),
        (b"99999999999999999999999:a", "a number that is none"),
        (b"i" + b"9" * 40 + b"e", "a number that is none"),
        (b"5:abc", "ends within a byte string"),
        (b"d1:a", "the beginning of no value"),
        (b"l0:", "ends within a value"),
        (b"di1ei2ee", "a key that is no byte string"),
        (b"i1_0e", "a number that is none"),
        (b"", "the beginning of no value"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(BadBencode, match=problem):
        decoded(data)
