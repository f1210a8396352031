"""One figure: what was measured, each run's value, how, and the same from a peer in the same runs."""

import math
import statistics
from dataclasses import dataclass
from typing import Any, Final

_CONFIDENCE: Final = 0.93
"""What an interval of the median covers at least; five runs cannot give more (93.75 %)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured.

    Args:
        name: what it is.
        unit: such as `µs`.
        runs: each run's value.
        method: how it was measured, for people.
        peer: who else was measured, empty for nobody.
        peer_runs: the peer's values; run n is measured beside our run n.
        aim: the largest ratio to the peer, or the largest median, that the project aims at; None for no aim.
        p99: show the 99th percentile as well.
        aim_of_value: the aim is of the median, though there is a peer.
    """

    name: str
    unit: str
    runs: tuple[float, ...]
    method: str
    peer: str = ""
    peer_runs: tuple[float, ...] = ()
    aim: float | None = None
    p99: bool = False
    aim_of_value: bool = False

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours divided by the peer's, pair by pair."""
        return tuple(ours / theirs for ours, theirs in zip(self.runs, self.peer_runs, strict=True)) if self.peer else ()

    def record(self) -> dict[str, Any]:
        """For JSON."""
        content: dict[str, Any] = {
            "name": self.name,
            "unit": self.unit,
            "method": self.method,
            "runs": self.runs,
            "min": min(self.runs),
            "median": statistics.median(self.runs),
        }
        if self.p99:
            content["p99"] = percentile(self.runs, 0.99)
        if self.aim is not None:
            content["aim"] = self.aim
        if self.peer:
            low, high = interval(self.ratios)
            content |= {
                "peer": self.peer,
                "peer_runs": self.peer_runs,
                "peer_min": min(self.peer_runs),
                "peer_median": statistics.median(self.peer_runs),
                "ratio_median": statistics.median(self.ratios),
                "ratio_interval": [low, high],
            }
        return content


def percentile(values: tuple[float, ...], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def interval(values: tuple[float, ...]) -> tuple[float, float]:
    """An interval of the median by order statistics: it covers 93 % or more with five values and above."""
    ordered = sorted(values)
    count = len(ordered)
    dropped, tail = 0, 0.5**count
    while dropped < (count - 1) // 2:
        wider = tail + math.comb(count, dropped + 1) * 0.5**count
        if 1 - 2 * wider < _CONFIDENCE:
            break
        dropped, tail = dropped + 1, wider
    return ordered[dropped], ordered[-1 - dropped]
