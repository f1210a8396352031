"""TFTP packets: bytes to values and back."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.options import MAX_BLOCK_BYTES, MAX_TIMEOUT_SECONDS, MAX_WINDOW, negotiate
from edge_agent.provisioning.serve.tftp.packet import ErrorCode, PacketRefused

_words = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20)


def refused(data: bytes) -> ErrorCode:
    with pytest.raises(PacketRefused) as caught:
        packet.parse(data)
    return caught.value.code


def test_a_read_request_holds_name_mode_and_options_in_any_case() -> None:
    data = b"\0\1a.cfg\0OcTeT\0BLKSIZE\x001024\0tsize\x000\0"
    assert packet.parse(data) == packet.ReadRequest("a.cfg", "octet", {"blksize": "1024", "tsize": "0"})


def test_an_option_given_twice_counts_once_and_the_first_wins() -> None:
    parsed = packet.parse(b"\0\1a\0octet\0blksize\x008\0BlkSize\x009\0")
    assert parsed == packet.ReadRequest("a", "octet", {"blksize": "8"})


def test_a_request_without_its_last_nul_is_read_all_the_same() -> None:
    assert packet.parse(b"\0\1a\0netascii") == packet.ReadRequest("a", "netascii")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.ILLEGAL_OPERATION),
        (b"\0\4\0", ErrorCode.ILLEGAL_OPERATION),
        (b"\0\7\0\0", ErrorCode.ILLEGAL_OPERATION),
        (b"\1\1a\0octet\0", ErrorCode.ILLEGAL_OPERATION),
        (b"\0\1a.cfg\0", ErrorCode.ILLEGAL_OPERATION),
        (b"\0\1a.cfg\0mail\0", ErrorCode.ILLEGAL_OPERATION),
        (b"\0\1" + b"a" * 600 + b"\0octet\0", ErrorCode.ILLEGAL_OPERATION),
        (b"\0\1a\0octet\0" + b"o\0v\0" * 17, ErrorCode.OPTION_REFUSED),
    ],
)
def test_what_is_no_packet_is_refused_with_the_right_code(data: bytes, code: ErrorCode) -> None:
    assert refused(data) is code


@settings(max_examples=300)
@given(st.binary(max_size=600))
@example(b"\0\1\0\0")
@example(b"\0\6")
@example(b"\0\5\0\1no nul")
def test_any_bytes_give_a_packet_or_one_error(data: bytes) -> None:
    with suppress(PacketRefused):
        packet.parse(data)


@given(_words, st.sampled_from(["octet", "netascii"]), st.dictionaries(_words.map(str.lower), _words, max_size=4))
def test_a_request_that_is_written_reads_back_the_same(name: str, mode: packet.Mode, options: dict[str, str]) -> None:
    expected = packet.ReadRequest(name, mode, {key.lower(): value for key, value in options.items()})
    data = packet.request(name, mode, options)
    if len(data) <= packet.MAX_REQUEST_BYTES and len({key.lower() for key in options}) == len(options):
        assert packet.parse(data) == expected


@given(st.integers(0, 2**20), st.binary(max_size=20), st.sampled_from(ErrorCode))
def test_what_a_server_sends_reads_back_the_same(block: int, payload: bytes, code: ErrorCode) -> None:
    assert packet.parse(packet.data_packet(block, payload)) == packet.Data(block % 65536, payload)
    assert packet.parse(packet.acknowledgement(block)) == packet.Acknowledgement(block % 65536)
    assert packet.parse(packet.error_packet(code, "text")) == packet.ErrorPacket(code, "text")
    assert packet.parse(packet.option_acknowledgement({"a": "1"})) == packet.OptionAcknowledgement({"a": "1"})


def test_options_are_granted_within_limits_and_the_others_are_left_out() -> None:
    terms = negotiate(
        {"blksize": "65464", "timeout": "3", "tsize": "0", "windowsize": "64", "grandstream_model": "X"}, size=1234
    )
    assert terms.granted == {
        "blksize": str(MAX_BLOCK_BYTES),
        "timeout": "3",
        "tsize": "1234",
        "windowsize": str(MAX_WINDOW),
    }
    assert (terms.block_bytes, terms.timeout_seconds, terms.window) == (MAX_BLOCK_BYTES, 3.0, MAX_WINDOW)


@pytest.mark.parametrize("value", ["", "7", "-1", "1e3", "65465", "x", "1" * 50, "٣٣", "0x10"])
def test_a_block_size_that_is_none_is_left_out(value: str) -> None:
    terms = negotiate({"blksize": value}, size=1)
    assert (terms.granted, terms.block_bytes) == ({}, 512)


@given(st.dictionaries(st.sampled_from(["blksize", "timeout", "tsize", "windowsize"]) | _words, _words))
def test_whatever_is_asked_the_terms_stay_within_limits(options: dict[str, str]) -> None:
    terms = negotiate(options, size=10)
    assert 8 <= terms.block_bytes <= MAX_BLOCK_BYTES
    assert 1 <= terms.timeout_seconds <= MAX_TIMEOUT_SECONDS
    assert 1 <= terms.window <= MAX_WINDOW
    assert terms.granted.keys() <= {"blksize", "timeout", "tsize", "windowsize"}
