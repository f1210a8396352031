"""RTCP packets (RFC 3550 §6): bytes to a `Compound` or a named reason to drop, and back."""

import struct
from dataclasses import dataclass
from typing import Final

from edge_agent.media.embedded.rtp import MAX_BYTES, DropReason

_SENDER_REPORT: Final = 200
_RECEIVER_REPORT: Final = 201
_SOURCE_DESCRIPTION: Final = 202
_GOODBYE: Final = 203
_CNAME: Final = 1
MOST_PACKETS: Final = 16
"""In one datagram; an honest one has two or three."""
MOST_BLOCKS: Final = 31
"""Report blocks in one packet, as its five bits count them."""
_HEAD = struct.Struct("!BBH")
_SENDER = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender says of itself: its clock in 1/65536 s (the middle of NTP's 64 bits), and what it has sent."""

    clock: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Block:
    """What somebody hears of one source.

    Args:
        ssrc: the source.
        lost_share: packets lost since the report before, in 1/256.
        lost: packets lost since the beginning; negative when more came than were sent.
        highest: the highest sequence number, its wraps in the upper half.
        jitter: in units of the RTP timestamp.
        last_report: `clock` of the last sender report that came from the source; 0: none.
        delay: between that report and this one, in 1/65536 s.
    """

    ssrc: int
    lost_share: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report, or without `sender` a receiver report."""

    ssrc: int
    sender: SenderInfo | None = None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Compound:
    """What of a datagram we use: its reports, and who says that it leaves."""

    reports: tuple[Report, ...]
    leaving: frozenset[int] = frozenset()


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram on a port for both is RTCP (RFC 5761 §4)."""
    return len(data) > 1 and 192 <= data[1] <= 223


def parse(data: bytes) -> Compound | DropReason:
    """Read a datagram; any bytes give a compound packet or one named reason (RFC 3550 appendix A.2)."""
    if len(data) > MAX_BYTES:
        return DropReason.TOO_LONG
    if len(data) < 8 or len(data) % 4:
        return DropReason.TOO_SHORT
    if data[1] not in (_SENDER_REPORT, _RECEIVER_REPORT):
        return DropReason.BAD_RTCP
    reports: list[Report] = []
    leaving: set[int] = set()
    at = 0
    for _ in range(MOST_PACKETS):
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if first >> 6 != 2:
            return DropReason.BAD_VERSION
        if end > len(data) or (first & 0x20 and end != len(data)):
            return DropReason.BAD_RTCP
        body = data[at + 4 : end]
        if kind in (_SENDER_REPORT, _RECEIVER_REPORT):
            report = _report(kind, first & 0x1F, body)
            if report is None:
                return DropReason.BAD_RTCP
            reports.append(report)
        elif kind == _GOODBYE:
            count = first & 0x1F
            if len(body) < 4 * count:
                return DropReason.BAD_RTCP
            leaving.update(struct.unpack_from(f"!{count}I", body))
        at = end
        if at == len(data):
            return Compound(tuple(reports), frozenset(leaving))
    return DropReason.BAD_RTCP


def _report(kind: int, count: int, body: bytes) -> Report | None:
    sender_bytes = _SENDER.size if kind == _SENDER_REPORT else 0
    if len(body) < 4 + sender_bytes + count * _BLOCK.size:
        return None
    sender = None
    if sender_bytes:
        seconds, fraction, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
        sender = SenderInfo((seconds << 16 | fraction >> 16) & 0xFFFFFFFF, timestamp, packets, octets)
    blocks = []
    for number in range(count):
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(body, 4 + sender_bytes + number * _BLOCK.size)
        lost = loss & 0xFFFFFF
        blocks.append(Block(ssrc, loss >> 24, lost - (1 << 24) if lost >> 23 else lost, highest, jitter, last, delay))
    return Report(int.from_bytes(body[:4]), sender, tuple(blocks))


def compound(report: Report, name: bytes, leaves: bool = False) -> bytes:
    """A datagram of a report with at most 31 blocks, who it comes from (SDES CNAME, required in each), and its end.

    Args:
        report: what is told.
        name: the canonical name of its source, at most 255 bytes; random, so that it tells nothing (RFC 7022).
        leaves: whether a BYE follows.
    """
    body = report.ssrc.to_bytes(4)
    if report.sender is not None:
        said = report.sender
        body += _SENDER.pack(said.clock >> 16, (said.clock & 0xFFFF) << 16, said.timestamp, said.packets, said.octets)
    for block in report.blocks:
        loss = block.lost_share << 24 | block.lost & 0xFFFFFF
        body += _BLOCK.pack(block.ssrc, loss, block.highest, block.jitter, block.last_report, block.delay)
    kind = _RECEIVER_REPORT if report.sender is None else _SENDER_REPORT
    chunk = report.ssrc.to_bytes(4) + bytes((_CNAME, len(name))) + name
    chunk += bytes(4 - len(chunk) % 4)  # at least one zero ends the items (§6.5)
    data = _packet(kind, len(report.blocks), body) + _packet(_SOURCE_DESCRIPTION, 1, chunk)
    return data + _packet(_GOODBYE, 1, report.ssrc.to_bytes(4)) if leaves else data


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
