"""RTCP packets: what is written is read again, and any bytes are bounded."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded import rtcp
from edge_agent.media.embedded.rtcp import Block, Compound, Report, SenderInfo
from edge_agent.media.embedded.rtp import DropReason

WORD = st.integers(0, 2**32 - 1)
BLOCKS = st.builds(Block, WORD, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), WORD, WORD, WORD, WORD)
REPORTS = st.builds(
    Report,
    WORD,
    st.none() | st.builds(SenderInfo, WORD, WORD, WORD, WORD),
    st.lists(BLOCKS, max_size=rtcp.MOST_BLOCKS).map(tuple),
)
RECEIVER_REPORT = struct.pack("!BBHI", 0x80, 201, 1, 7)


@given(REPORTS, st.binary(max_size=255), st.booleans())
def test_a_report_that_was_written_is_read_again(report: Report, name: bytes, leaves: bool) -> None:
    data = rtcp.compound(report, name, leaves)
    assert rtcp.is_rtcp(data)
    assert rtcp.parse(data) == Compound((report,), frozenset({report.ssrc} if leaves else ()))


@given(st.binary(max_size=1600))
def test_any_bytes_give_a_compound_or_one_reason(data: bytes) -> None:
    assert isinstance(rtcp.parse(data), Compound | DropReason)


@given(REPORTS, st.data())
def test_a_report_with_changed_bytes_gives_a_compound_or_one_reason(report: Report, data: st.DataObject) -> None:
    changed = bytearray(rtcp.compound(report, b"name"))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(rtcp.parse(bytes(changed)), Compound | DropReason)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", DropReason.TOO_SHORT),
        (RECEIVER_REPORT[:7], DropReason.TOO_SHORT),
        (RECEIVER_REPORT + b"x", DropReason.TOO_SHORT),
        (RECEIVER_REPORT * 200, DropReason.TOO_LONG),
        (RECEIVER_REPORT * (rtcp.MOST_PACKETS + 1), DropReason.BAD_RTCP),
        (struct.pack("!BBHI", 0x80, 202, 1, 7), DropReason.BAD_RTCP),
        (struct.pack("!BBHI", 0x00, 201, 1, 7), DropReason.BAD_VERSION),
        (struct.pack("!BBHI", 0x80, 201, 9, 7), DropReason.BAD_RTCP),
        (struct.pack("!BBHI", 0x9F, 201, 1, 7), DropReason.BAD_RTCP),
        (struct.pack("!BBHI", 0xA0, 201, 1, 7) + RECEIVER_REPORT, DropReason.BAD_RTCP),
        (RECEIVER_REPORT + struct.pack("!BBHI", 0x9F, 203, 1, 7), DropReason.BAD_RTCP),
    ],
)
def test_what_is_no_compound_is_dropped_by_its_reason(data: bytes, reason: DropReason) -> None:
    assert rtcp.parse(data) is reason
