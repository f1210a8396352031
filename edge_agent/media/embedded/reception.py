"""What of a stream arrived, and how evenly (RFC 3550 §6.4.1, appendices A.1, A.3 and A.8); constant in size."""

from typing import Final

from edge_agent.media.embedded.rtp import Packet

_MOST_DROPOUT: Final = 3000
"""Numbers that may be missing (appendix A.1); a greater step is a sender that counts anew."""
_MOST_MISORDER: Final = 100
_JUMP_SECONDS: Final = 1.0
"""Timestamps that move by so much against the clock are a new time line, and no jitter."""


class Reception:
    """Counts the packets of one leg; a sender that changes goes on in the same counts.

    Args:
        rate: ticks of the RTP timestamp in a second.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._first = self._highest = 0
        self._began = False
        self._expected_before = 0
        self._told_expected = self._told_received = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self.received = 0
        self.restarts = 0
        """How often the sender counted anew: another SSRC, or a jump of its sequence numbers."""
        self.longest_jitter_seconds = 0.0

    def use_clock(self, rate: int) -> None:
        """Timestamps have so many ticks in a second from now on."""
        self._jitter *= rate / self._rate
        self._rate, self._transit = rate, None

    def restart(self) -> None:
        """Another sender begins: its numbers have nothing to do with those before."""
        if self._began:
            self._expected_before += self._highest - self._first + 1
            self.restarts += 1
        self._began, self._transit = False, None

    def arrived(self, packet: Packet, now: float, timed: bool) -> None:
        """A packet came at `now` (monotonic seconds); `timed`: its timestamp is that of its audio."""
        self.took(packet.sequence, packet.timestamp, now, timed)

    def took(self, sequence: int, timestamp: int, now: float, timed: bool) -> None:
        """As `arrived`, of a packet with these numbers."""
        self._count(sequence)
        self.received += 1
        if not timed:
            return
        transit = now * self._rate - timestamp
        before, self._transit = self._transit, transit
        if before is None:
            return
        moved = abs((transit - before + (1 << 31)) % (1 << 32) - (1 << 31))
        if moved < _JUMP_SECONDS * self._rate:
            self._jitter += (moved - self._jitter) / 16
            self.longest_jitter_seconds = max(self.longest_jitter_seconds, self.jitter_seconds)

    def _count(self, sequence: int) -> None:
        if self._began:
            step = sequence - self._highest & 0xFFFF
            if step < _MOST_DROPOUT:
                self._highest += step
                return
            if step > 0x10000 - _MOST_MISORDER:
                return
            self.restart()
        self._first = self._highest = sequence
        self._began = True

    @property
    def jitter(self) -> int:
        """In units of the timestamp, as reports carry it."""
        return int(self._jitter)

    @property
    def jitter_seconds(self) -> float:
        """The same in seconds."""
        return self._jitter / self._rate

    @property
    def highest(self) -> int:
        """The highest sequence number, wraps in the upper half."""
        return self._highest & 0xFFFFFFFF

    @property
    def expected(self) -> int:
        """How many packets there should have been."""
        return self._expected_before + (self._highest - self._first + 1 if self._began else 0)

    @property
    def lost(self) -> int:
        """How many did not come; negative when some came twice."""
        return self.expected - self.received

    def lost_share_since_told(self) -> int:
        """The share that was lost since this was asked last, in 1/256 (appendix A.3)."""
        expected, received = self.expected - self._told_expected, self.received - self._told_received
        self._told_expected, self._told_received = self.expected, self.received
        lost = expected - received
        return min(255, (lost << 8) // expected) if expected > 0 and lost > 0 else 0
