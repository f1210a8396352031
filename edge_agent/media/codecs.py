"""The audio codecs that calls may use, as session descriptions name them (RFC 3551, RFC 7587)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CodecName(StrEnum):
    """Codecs as the settings name them."""

    G722 = "g722"
    OPUS = "opus"
    PCMU = "pcmu"
    PCMA = "pcma"


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec.

    Args:
        name: ours.
        encoding: name, clock rate and channels as `a=rtpmap` has them.
        clock: ticks of its RTP timestamp in a second.
        rate: samples in a second of what it carries, as far as the engine goes.
        payload_type: that everybody uses for it; from 96 on only our offers do, and others say theirs.
    """

    name: CodecName
    encoding: str
    clock: int
    rate: int
    payload_type: int


NARROW: Final = 8000
WIDE: Final = 16_000
"""Samples in a second of a telephone's audio, and of wideband audio."""
PCMU: Final = Codec(CodecName.PCMU, "PCMU/8000", 8000, NARROW, 0)
PCMA: Final = Codec(CodecName.PCMA, "PCMA/8000", 8000, NARROW, 8)
# RFC 3551 §4.5.2: the clock of G.722 is 8,000 by an old mistake, though it has 16,000 samples in a second.
G722: Final = Codec(CodecName.G722, "G722/8000", 8000, WIDE, 9)
# RFC 7587 §4.1: the clock is 48,000 and there are two channels in the name, whatever is sent.
OPUS: Final = Codec(CodecName.OPUS, "opus/48000/2", 48_000, WIDE, 111)
ALL: Final = (G722, OPUS, PCMU, PCMA)
"""Every codec, in the order in which our offers name them where the settings say nothing else."""
FIRST_DYNAMIC: Final = 96
STATIC: Final = {codec.payload_type: codec for codec in ALL if codec.payload_type < FIRST_DYNAMIC}


@dataclass(frozen=True, slots=True)
class OpusTerms:
    """What was agreed on for Opus (RFC 7587 §6.1).

    Args:
        payload_type: of its packets.
        repairs: the peer makes use of what our packets repeat of those before them (`useinbandfec`).
        bits_a_second: that we may send on average.
    """

    payload_type: int
    repairs: bool = False
    bits_a_second: int = 32_000


def chosen(names: Iterable[str]) -> tuple[Codec, ...]:
    """The codecs of these names, in their order."""
    known = {codec.name: codec for codec in ALL}
    return tuple(known[CodecName(name)] for name in names)
