"""Cutting streams into messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sip.message import BadMessage, DropReason, Limits
from edge_agent.sip.transport import PING, StreamFramer


def message(body: bytes, name: bytes = b"Content-Length") -> bytes:
    return b"MESSAGE sip:a@b SIP/2.0\r\nVia: x\r\n" + name + b": %d\r\n\r\n" % len(body) + body


names = st.sampled_from([b"Content-Length", b"l", b"CONTENT-LENGTH ", b"L"])
messages = st.builds(message, st.binary(max_size=60), names)


@given(st.lists(st.one_of(messages, st.just(PING)), max_size=6), st.lists(st.integers(1, 50), max_size=30))
@settings(max_examples=150)
def test_fed_in_any_pieces_a_stream_gives_the_same_messages(parts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(parts)
    whole = StreamFramer().feed(stream)
    assert [one for one in whole if one != PING] == [one for one in parts if one != PING]
    framer, got, at = StreamFramer(), list[bytes](), 0
    for size in [*sizes, len(stream)]:
        got += framer.feed(stream[at : at + size])
        at += size
    by_byte, bytewise = StreamFramer(), list[bytes]()
    for at in range(len(stream)):
        bytewise += by_byte.feed(stream[at : at + 1])
    assert got == bytewise == whole
    assert not framer.waiting


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_are_cut_or_refused_by_our_error(data: bytes) -> None:
    try:
        found = StreamFramer(Limits(message_bytes=100)).feed(data)
    except BadMessage:
        return
    assert sum(map(len, found)) <= len(data)


def test_without_a_length_a_message_ends_with_its_headers() -> None:
    assert StreamFramer().feed(b"A\r\n\r\nB\r\n\r\n") == [b"A\r\n\r\n", b"B\r\n\r\n"]


@pytest.mark.parametrize(
    ("data", "drop"),
    [
        (b"x" * 1001, DropReason.TOO_LARGE),
        (b"A\r\nContent-Length: 1000\r\n\r\n", DropReason.TOO_LARGE),
        (b"A\r\nContent-Length: 99999999999999\r\n\r\n", DropReason.BAD_CONTENT_LENGTH),
        (b"A\r\nContent-Length: -1\r\n\r\n", DropReason.BAD_CONTENT_LENGTH),
    ],
)
def test_a_stream_that_cannot_be_cut_is_refused(data: bytes, drop: DropReason) -> None:
    with pytest.raises(BadMessage) as caught:
        StreamFramer(Limits(message_bytes=1000)).feed(data)
    assert caught.value.drop is drop
