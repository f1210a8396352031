"""The RTCP side of one call without sockets or clock: when to report what, and what the peer reports of us."""

from typing import Final

from edge_agent.media.embedded import rtcp
from edge_agent.media.embedded.reception import Reception
from edge_agent.media.embedded.rtcp import Block, Compound, Report, SenderInfo
from edge_agent.media.quality import LegQuality, opinion
from edge_agent.tokens import Tokens

INTERVAL_SECONDS: Final = 5.0
"""Between two reports on average (RFC 3550 §6.2); the first comes after half of it."""
_LONGEST_ROUND_TRIP: Final = 10 << 16
"""More is no round trip but a report that makes no sense."""


class Reports:
    """What is told and heard by RTCP of a stream that we send as `ssrc`.

    Args:
        ssrc: our source.
        rate: ticks of its timestamp in a second.
        tokens: for a name that tells nothing, and intervals that do not fall in step.
        now: monotonic seconds, as everywhere here.
    """

    def __init__(self, ssrc: int, rate: int, tokens: Tokens, now: float) -> None:
        self._ssrc, self._rate, self._tokens = ssrc, rate, tokens
        self._name = tokens.token(12).encode()
        self.due_at = now + INTERVAL_SECONDS / 2
        """When the next report is to go out."""
        self.reception = Reception(rate)
        self.late = 0
        """Packets that came after their time."""
        self._peer: int | None = None
        self._heard_report: tuple[int, float] | None = None
        self._round_trip: float | None = None
        self._told: Block | None = None
        self.received = 0
        """Datagrams of RTCP that were used."""

    def use_clock(self, rate: int) -> None:
        """The timestamps have so many ticks in a second from now on, of either side."""
        self._rate = rate
        self.reception.use_clock(rate)

    def new_peer(self, ssrc: int) -> None:
        """The peer sends as `ssrc` from now on."""
        self._peer, self._heard_report = ssrc, None
        self.reception.restart()

    def received_compound(self, compound: Compound, now: float) -> None:
        """The peer reports; what it says of other sources than ours says nothing to us."""
        self.received += 1
        for report in compound.reports:
            if report.sender is not None and report.ssrc == self._peer:
                self._heard_report = report.sender.clock, now
            for block in report.blocks:
                if block.ssrc == self._ssrc:
                    self._told = block
                    self._take_round_trip(block, now)

    def _take_round_trip(self, block: Block, now: float) -> None:
        if block.last_report == 0:
            return
        passed = _clock(now) - block.last_report - block.delay & 0xFFFFFFFF
        if passed < _LONGEST_ROUND_TRIP:
            self._round_trip = passed / 65536

    def due(self, timestamp: int, packets: int, octets: int, now: float) -> bytes | None:
        """The datagram to send, if it is time for one: a sender report once anything was sent.

        Args:
            timestamp: of our stream, at this moment.
            packets, octets: that were sent so far.
            now: this moment.
        """
        if now < self.due_at:
            return None
        self.due_at = now + INTERVAL_SECONDS * (0.5 + self._tokens.fraction())
        return self.datagram(timestamp, packets, octets, now)

    def datagram(self, timestamp: int, packets: int, octets: int, now: float, leaves: bool = False) -> bytes:
        """A report of this moment; `leaves`: the last one. Arguments as those of `due`."""
        sender = None
        if packets:
            sender = SenderInfo(_clock(now), timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
        blocks = () if self._peer is None else (self._block(self._peer, now),)
        return rtcp.compound(Report(self._ssrc, sender, blocks), self._name, leaves)

    def _block(self, peer: int, now: float) -> Block:
        heard = self.reception
        clock, delay = 0, 0
        if self._heard_report is not None:
            clock, delay = self._heard_report[0], int((now - self._heard_report[1]) * 65536) & 0xFFFFFFFF
        lost = max(-(1 << 23), min((1 << 23) - 1, heard.lost))
        return Block(peer, heard.lost_share_since_told(), lost, heard.highest, heard.jitter, clock, delay)

    def quality(self, wait_seconds: float) -> LegQuality:
        """How the leg was so far; `wait_seconds`: how long audio waits here before it is played."""
        heard, told = self.reception, self._told
        mos = None
        if heard.received:
            missing = max(0, heard.lost) + self.late
            lost_percent = min(100.0, 100 * missing / max(1, heard.expected))
            mos = round(opinion(lost_percent, 1000 * ((self._round_trip or 0.0) / 2 + wait_seconds)), 2)
        return LegQuality(
            packets=heard.received,
            lost=max(0, heard.lost),
            late=self.late,
            jitter_ms=round(1000 * heard.jitter_seconds, 1),
            longest_jitter_ms=round(1000 * heard.longest_jitter_seconds, 1),
            round_trip_ms=None if self._round_trip is None else round(1000 * self._round_trip, 1),
            mos=mos,
            peer_lost_percent=None if told is None else round(100 * told.lost_share / 256, 1),
            peer_jitter_ms=None if told is None else round(1000 * told.jitter / self._rate, 1),
        )


def _clock(now: float) -> int:
    """Our clock as reports carry it: elapsed time will do where both ends only take differences (§6.4.1)."""
    return int(now * 65536) & 0xFFFFFFFF
