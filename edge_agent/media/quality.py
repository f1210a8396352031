"""How well a leg was heard: its counts, and the opinion that they stand for (MOS).

The opinion is that of the E-model, ITU-T G.107, with its default values (R = 93.2 without impairment) and reduced to
what a receiver can measure: delay as in Cole and Rosenbluth, "Voice over IP performance monitoring" (2001), loss by
G.107 §7.5 with the codec's values of G.113 appendix I and losses taken as independent (BurstR = 1).
"""

from dataclasses import dataclass
from typing import Final, Literal

from contract.sync.quality import CallQuality

_BEST: Final = 93.2
_LONG_DELAY_MS: Final = 177.3
_LOSS_ROBUSTNESS: Final = 25.1
"""Bpl of G.711 with concealment of losses (G.113 table I.4); its Ie is 0."""


@dataclass(frozen=True, slots=True)
class LegQuality:
    """One leg of a call, as its end of the engine heard it, and as the peer told that it was heard.

    Args:
        packets: that were taken.
        lost: that never came.
        late: that came after their time.
        jitter_ms, longest_jitter_ms: at the end, and at its worst (RFC 3550 §6.4.1).
        round_trip_ms: by the peer's report; None: it told none.
        mos: 1.0 to 4.5; None: no packet came.
        peer_lost_percent, peer_jitter_ms: of what the peer heard of us, from its last report; None: it told none.
    """

    packets: int
    lost: int
    late: int
    jitter_ms: float
    longest_jitter_ms: float
    round_trip_ms: float | None
    mos: float | None
    peer_lost_percent: float | None
    peer_jitter_ms: float | None

    def told(self, call_id: str, heard: Literal["caller", "callee"], codec: str) -> CallQuality:
        """As the call's record gets it.

        Args:
            call_id: which call.
            heard: whose media came here.
            codec: by its name in SDP.
        """
        expected = self.packets + self.lost
        return CallQuality(
            sip_call_id=call_id[:1024],
            source="engine",
            heard=heard,
            codec=codec,
            packets=self.packets,
            lost=self.lost,
            lost_percent=round(100 * self.lost / expected, 2) if expected else None,
            late_percent=round(min(100.0, 100 * self.late / expected), 2) if expected else None,
            jitter_ms=self.jitter_ms if expected else None,
            longest_jitter_ms=self.longest_jitter_ms if expected else None,
            round_trip_ms=self.round_trip_ms,
            mos=self.mos,
        )


def opinion(lost_percent: float, one_way_ms: float) -> float:
    """The mean opinion score of G.711 with such loss and such a delay from mouth to ear; 1.0 to 4.5."""
    delay = 0.024 * one_way_ms + 0.11 * max(0.0, one_way_ms - _LONG_DELAY_MS)
    loss = 95 * lost_percent / (lost_percent + _LOSS_ROBUSTNESS)
    rating = _BEST - delay - loss
    if rating <= 0:
        return 1.0
    return max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
