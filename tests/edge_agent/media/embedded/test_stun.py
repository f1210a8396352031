"""STUN messages: the vectors of RFC 5769, and what hostile datagrams come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded import stun
from edge_agent.media.embedded.rtp import DropReason
from edge_agent.media.embedded.stun import Attribute, Message

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
"""RFC 5769 §2.1."""
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
"""RFC 5769 §2.2."""
MAPPED_6 = bytes.fromhex("0002a1470113a9faa5d3f179bc25f4b5bed2b9d9")
"""The address of RFC 5769 §2.3."""
SOURCE = ("192.0.2.1", 32853)


def read(data: bytes) -> Message:
    found = stun.parse(data)
    assert isinstance(found, Message)
    return found


def test_the_request_of_rfc_5769_is_read_and_genuine_by_its_password_only() -> None:
    found = read(REQUEST)
    assert (found.kind, found.transaction.hex()) == (stun.BINDING_REQUEST, "b7e7a701bc34d686fa87dfae")
    assert found.first(Attribute.USERNAME) == b"evtj:h6vY"
    assert found.first(Attribute.PRIORITY) == bytes.fromhex("6e0001ff")
    assert found.first(Attribute.USE_CANDIDATE) is None
    assert found.genuine(PASSWORD)
    assert not found.genuine(PASSWORD + b"x")


def test_the_response_of_rfc_5769_is_read_and_names_its_address_as_ours_do() -> None:
    found = read(RESPONSE)
    assert found.genuine(PASSWORD)
    ours = read(stun.success(read(REQUEST), SOURCE, PASSWORD))
    assert ours.first(Attribute.XOR_MAPPED_ADDRESS) == found.first(Attribute.XOR_MAPPED_ADDRESS)
    assert ours.genuine(PASSWORD)
    six = read(stun.success(read(REQUEST), ("2001:db8:1234:5678:11:2233:4455:6677", 32853), PASSWORD))
    assert six.first(Attribute.XOR_MAPPED_ADDRESS) == MAPPED_6


def test_an_ipv4_peer_of_a_socket_for_both_families_is_told_its_ipv4_address() -> None:
    both = read(stun.success(read(REQUEST), (f"::ffff:{SOURCE[0]}", SOURCE[1]), PASSWORD))
    assert both.first(Attribute.XOR_MAPPED_ADDRESS) == read(RESPONSE).first(Attribute.XOR_MAPPED_ADDRESS)


def test_a_refusal_lists_what_is_not_known() -> None:
    asked = read(stun.message(stun.BINDING_REQUEST, bytes(12), [(0x7001, b"abc"), (0x9001, b"")], PASSWORD))
    assert asked.unknown == (0x7001,)
    refused = read(stun.error(asked, 420, "Unknown Attribute", PASSWORD))
    assert refused.kind == stun.BINDING_ERROR
    assert (refused.first(Attribute.ERROR_CODE) or b"")[2:4] == bytes((4, 20))
    assert refused.first(Attribute.UNKNOWN_ATTRIBUTES) == bytes.fromhex("7001")


@given(
    st.integers(0, 0x3FFF),
    st.binary(min_size=12, max_size=12),
    st.lists(
        st.tuples(st.integers(0, 0xFFFF).filter(lambda kind: kind not in (0x0008, 0x8028)), st.binary(max_size=40)),
        max_size=20,
    ),
    st.binary(max_size=64),
)
def test_a_message_that_is_written_is_read_again(
    kind: int, transaction: bytes, attributes: list[tuple[int, bytes]], password: bytes
) -> None:
    found = read(stun.message(kind, transaction, attributes, password))
    assert (found.kind, found.transaction, found.attributes) == (kind, transaction, tuple(attributes))
    assert found.genuine(password)


@given(st.binary(max_size=1700))
def test_any_bytes_are_a_message_or_dropped_for_a_reason(data: bytes) -> None:
    assert isinstance(stun.parse(data), Message | DropReason)


@given(st.integers(0, len(REQUEST) - 1), st.integers(1, 255))
def test_a_request_of_which_any_byte_was_changed_is_dropped(at: int, change: int) -> None:
    changed = bytearray(REQUEST)
    changed[at] ^= change
    assert isinstance(stun.parse(bytes(changed)), DropReason)


@given(st.integers(0, len(REQUEST) - 1))
def test_a_request_that_was_cut_short_is_dropped(size: int) -> None:
    assert isinstance(stun.parse(REQUEST[:size]), DropReason)


@given(st.lists(st.integers(0, 0xFFFF), max_size=60))
def test_attributes_after_the_integrity_count_for_nothing_and_too_many_are_dropped(kinds: list[int]) -> None:
    body = b"".join(kind.to_bytes(2) + bytes(2) for kind in kinds)
    made = REQUEST[:-8] + body + REQUEST[-8:]
    made = made[:2] + (len(made) - stun.HEADER_BYTES).to_bytes(2) + made[4:]
    assert stun.parse(made) is DropReason.BAD_STUN or not kinds  # the fingerprint is of something else


def test_a_request_without_integrity_or_without_fingerprint_is_none_of_a_check() -> None:
    for made in (REQUEST[:-8], REQUEST[:-32]):
        made = made[:2] + (len(made) - stun.HEADER_BYTES).to_bytes(2) + made[4:]
        assert stun.parse(made) is DropReason.BAD_STUN


@pytest.mark.parametrize("size", [1501, 65_535])
def test_what_is_longer_than_a_datagram_of_ours_is_dropped(size: int) -> None:
    assert stun.parse(bytes(size)) is DropReason.TOO_LONG
