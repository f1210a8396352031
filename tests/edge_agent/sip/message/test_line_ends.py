"""CR and LF never get into a header, by whatever way a message is made or changed."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import LineEndInHeader, Message, new_request, parse, response_bytes, response_to
from tests.edge_agent.sip.message.test_parse import INVITE


def insert(message: Message, value: bytes) -> None:
    message.insert(1, b"X-Given", value)


def append(message: Message, value: bytes) -> None:
    message.append(b"X-Given", value)


def replace(message: Message, value: bytes) -> None:
    message.replace_at(message.index(b"contact"), value)


def put(message: Message, value: bytes) -> None:
    message.set(b"Contact", value)


def put_another(message: Message, value: bytes) -> None:
    message.set(b"X-Given", value)


def put_uri(message: Message, value: bytes) -> None:
    message.set_uri(value)


def answer(message: Message, value: bytes) -> None:
    response_bytes(message, 200, headers=((b"X-Given", value),))


def answer_with_reason(message: Message, value: bytes) -> None:
    response_bytes(message, 400, value)


def answer_with_tag(message: Message, value: bytes) -> None:
    response_to(message, 200, to_tag=value)


def ask(message: Message, value: bytes) -> None:
    new_request(b"OPTIONS", b"sip:a@b", ((b"X-Given", value),))


def ask_for(message: Message, value: bytes) -> None:
    new_request(b"OPTIONS", value, ())


def ask_by(message: Message, value: bytes) -> None:
    new_request(value, b"sip:a@b", ())


WAYS = [
    insert,
    append,
    replace,
    put,
    put_another,
    put_uri,
    answer,
    answer_with_reason,
    answer_with_tag,
    ask,
    ask_for,
    ask_by,
]


@pytest.mark.parametrize("way", WAYS)
@given(before=st.binary(max_size=8), end=st.sampled_from([b"\r", b"\n", b"\r\n"]), after=st.binary(max_size=8))
def test_a_line_end_is_refused_by_every_way_to_make_or_change_a_message(
    way: Callable[[Message, bytes], None], before: bytes, end: bytes, after: bytes
) -> None:
    message = parse(INVITE)
    with pytest.raises(LineEndInHeader):
        way(message, before + end + after)
    assert bytes(message) == INVITE


@given(st.lists(st.tuples(st.sampled_from(WAYS[:5]), st.binary(max_size=20)), max_size=6))
def test_whatever_is_put_into_a_message_it_is_read_again_with_as_many_headers(
    changes: list[tuple[Callable[[Message, bytes], None], bytes]],
) -> None:
    message = parse(INVITE)
    for way, value in changes:
        if b"\r" not in value and b"\n" not in value:
            way(message, value)
    again = parse(bytes(message))
    assert again.names == message.names
    assert again.body == message.body
