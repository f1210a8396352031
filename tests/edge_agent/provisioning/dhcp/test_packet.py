"""The codec: any bytes give a message or one error, and what is written is read again."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.provisioning.dhcp.packet import (
    FIXED_BYTES,
    MAGIC,
    MAX_BYTES,
    MIN_BYTES,
    Code,
    Kind,
    Message,
    Operation,
    PacketRefused,
    parse,
    serialise,
    sub_options,
)

addresses = st.integers(0, 2**32 - 1).map(IPv4Address)
options = st.dictionaries(
    st.integers(1, 254).filter(lambda code: code not in (Code.KIND, 52)), st.binary(max_size=300), max_size=4
)
messages = st.builds(
    Message,
    st.sampled_from(Operation),
    st.sampled_from(Kind),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=6, max_size=6).map(bytes.hex),
    addresses,
    addresses,
    addresses,
    addresses,
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.integers(0, 255),
    options,
)
HEAD = serialise(Message(Operation.REQUEST, Kind.DISCOVER, 1, "001565000001"))[: FIXED_BYTES + len(MAGIC)]


@given(messages)
def test_what_is_written_is_read_again(message: Message) -> None:
    data = serialise(message)
    read = parse(data)
    fits = sum(len(value) + 2 + 2 * (len(value) // 255) for value in message.options.values()) < 1200
    assert MIN_BYTES <= len(data) <= MAX_BYTES
    if fits:
        assert dict(read.options) == {**message.options, int(Code.KIND): bytes((message.kind,))}
    assert (read.kind, read.mac, read.relay) == (message.kind, message.mac, message.relay)


@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_give_a_message_or_the_one_error(data: bytes, whole_head: bool) -> None:
    try:
        parse(HEAD + data if whole_head else data)
    except PacketRefused:
        return


@given(st.binary(max_size=300))
def test_any_bytes_give_parts_of_an_option(data: bytes) -> None:
    assert all(len(value) <= 255 for value in sub_options(data).values())


@pytest.mark.parametrize("cut", range(0, 299, 13))
def test_a_message_that_is_cut_off_is_refused_or_shorter(cut: int) -> None:
    data = serialise(Message(Operation.REQUEST, Kind.REQUEST, 1, "001565000001", options={43: bytes(50)}))
    if cut < FIXED_BYTES + len(MAGIC) + 3:
        with pytest.raises(PacketRefused):
            parse(data[:cut])


def test_long_options_come_in_parts_and_options_stand_in_the_fields_for_names_too() -> None:
    body = bytes((53, 1, 1, 52, 1, 3, 43, 2, 1, 2, 43, 1, 3, 255))
    data = bytearray(HEAD + body)
    data[44:47], data[108:111] = bytes((66, 1, 65)), bytes((67, 1, 66))
    read = parse(bytes(data))
    assert (read.options[43], read.options[66], read.options[67]) == (b"\1\2\3", b"A", b"B")


def test_what_the_receiver_does_not_take_is_left_away_last() -> None:
    told = {51: bytes(4), 66: bytes(200), 67: bytes(200), 160: b"small"}
    read = parse(serialise(Message(Operation.REPLY, Kind.ACK, 1, "001565000001", options=told), 548))
    assert list(read.options) == [53, 51, 66, 160]
