"""Which of the protocols that share a port a datagram is of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded.arrivals import Arrival, arrival


@pytest.mark.parametrize(
    ("first", "last", "what"),
    [
        (0, 3, Arrival.STUN),
        (4, 19, Arrival.OTHER),
        (20, 63, Arrival.DTLS),
        (64, 127, Arrival.OTHER),
        (128, 191, Arrival.MEDIA),
        (192, 255, Arrival.OTHER),
    ],
)
def test_the_first_byte_tells_as_rfc_7983_says(first: int, last: int, what: Arrival) -> None:
    assert {arrival(bytes((byte,))) for byte in range(first, last + 1)} == {what}


@given(st.binary(max_size=100))
def test_any_bytes_are_something(data: bytes) -> None:
    assert arrival(data) in Arrival


def test_nothing_is_nothing_that_we_know() -> None:
    assert arrival(b"") is Arrival.OTHER
