"""Keys that are pressed during a call, as phones tell them by INFO, and the sequence that they make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.trunks.pressed_keys import MOST_SECONDS, KeySequence, key_of


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=*\r\nDuration=160\r\n", "*"),
        ("application/dtmf-relay;charset=utf-8", b"Signal= 5 \r\nDuration= 100", "5"),
        ("Application/DTMF-Relay", b"Duration=160\r\nsignal=#\r\n", "#"),
        ("application/dtmf", b"7\r\n", "7"),
        ("application/dtmf", b"77", ""),
        ("application/dtmf-relay", b"Signal=*1\r\n", ""),
        ("application/dtmf-relay", b"", ""),
        ("application/dtmf-relay", b"Signal=1\r\n" + b" " * 300, ""),
        ("text/plain", b"Signal=1\r\n", ""),
    ],
)
def test_a_key_is_read_as_phones_write_it(kind: str, body: bytes, key: str) -> None:
    assert key_of(kind, body) == key


@given(st.sampled_from(["application/dtmf", "application/dtmf-relay", "x"]) | st.text(max_size=40), st.binary())
def test_anything_is_one_key_or_none(kind: str, body: bytes) -> None:
    assert key_of(kind, body) in {"", *"0123456789*#"}


def pressed(keys: str, wanted: str = "*1", gap: float = 1.0) -> list[int]:
    """After how many keys the sequence was there."""
    sequence, found = KeySequence(), []
    for place, key in enumerate(keys, 1):
        if sequence.completes(wanted, key, place * gap):
            found.append(place)
    return found


def test_a_sequence_is_there_with_its_last_key_as_often_as_it_is_pressed() -> None:
    assert pressed("5*1*1") == [3, 5]
    assert pressed("**1") == [3]
    assert pressed("*21") == []
    assert pressed("1111", "11") == [2, 4]


def test_keys_that_are_far_apart_are_no_sequence() -> None:
    assert pressed("*1", gap=MOST_SECONDS) == [2]
    assert pressed("*1", gap=MOST_SECONDS + 0.1) == []


def test_where_no_keys_are_wanted_none_count() -> None:
    assert pressed("*1", "") == []
