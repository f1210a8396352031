"""RTP packets: reading any bytes, and writing what can be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded.rtp import MAX_BYTES, MAX_PAYLOAD, DropReason, Packet, parse

HEADER = bytes.fromhex("80000001000000a0deadbeef")

packets = st.builds(
    Packet,
    payload_type=st.integers(0, 63) | st.integers(96, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(min_size=1, max_size=MAX_PAYLOAD),
    marker=st.booleans(),
)


@given(packets)
def test_a_packet_reads_as_it_was_written(packet: Packet) -> None:
    assert parse(packet.to_bytes()) == packet


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x80\x00" + rest))
def test_any_bytes_give_a_packet_or_one_reason(data: bytes) -> None:
    result = parse(data)
    assert isinstance(result, DropReason) or (0 < len(result.payload) <= MAX_PAYLOAD)


@given(packets, st.integers(0, 15), st.binary(max_size=10), st.integers(0, 4))
def test_contributors_extension_and_padding_are_taken_off(
    packet: Packet, contributors: int, extension: bytes, padding: int
) -> None:
    extension = extension[: len(extension) // 4 * 4]
    plain = packet.to_bytes()
    first = plain[0] | contributors | 0x10 | (0x20 if padding else 0)
    data = (
        bytes([first])
        + plain[1:12]
        + bytes(4 * contributors)
        + b"\xbe\xde"
        + (len(extension) // 4).to_bytes(2)
        + extension
        + packet.payload
        + (bytes(padding - 1) + bytes([padding]) if padding else b"")
    )
    assert parse(data) == packet


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", DropReason.TOO_SHORT),
        (HEADER[:11], DropReason.TOO_SHORT),
        (HEADER + bytes(MAX_BYTES), DropReason.TOO_LONG),
        (HEADER + bytes(MAX_PAYLOAD + 1), DropReason.TOO_LONG),
        (b"\x40" + HEADER[1:] + b"x", DropReason.BAD_VERSION),
        (b"\x80\xc8" + HEADER[2:] + b"x", DropReason.RTCP),
        (b"\x8f" + HEADER[1:] + b"x", DropReason.BAD_HEADER),
        (b"\x90" + HEADER[1:] + b"xx", DropReason.BAD_HEADER),
        (b"\x90" + HEADER[1:] + b"\0\0\xff\xff", DropReason.BAD_HEADER),
        (b"\xa0" + HEADER[1:] + b"\0", DropReason.BAD_PADDING),
        (b"\xa0" + HEADER[1:] + b"ab\x09", DropReason.BAD_PADDING),
        (HEADER, DropReason.EMPTY),
    ],
)
def test_a_datagram_that_is_no_usable_packet_is_dropped_by_name(data: bytes, reason: DropReason) -> None:
    assert parse(data) is reason
