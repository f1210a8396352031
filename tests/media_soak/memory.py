"""Resident memory of the edge's processes over time, and whether it stays flat."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from benchmarks.cpu import memory_mb

_FEWEST: Final = 8
"""Samples of a process of which anything can be said."""
_GROWTH, _SLACK_MB = 1.25, 10.0


@dataclass
class Memory:
    """Samples by process: a process that was begun again is another one."""

    _samples: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def look(self, name: str, pid: int | None) -> None:
        """Take a sample; none of a process that is gone."""
        if pid is None:
            return
        try:
            found = memory_mb(pid)
        except (OSError, LookupError):
            return
        self._samples[name, pid].append(found)

    def now(self) -> dict[str, float]:
        """The newest sample of each process that runs, megabytes."""
        return {name: samples[-1] for (name, _), samples in self._samples.items()}

    def problems(self) -> Iterator[str]:
        """Each process whose last quarter needs more than 1.25 times its second quarter and 10 MB.

        So does what was begun again: the last of a name by the first.
        """
        by_name: dict[str, list[list[float]]] = defaultdict(list)
        for (name, _), samples in self._samples.items():
            if len(samples) < _FEWEST:
                continue
            by_name[name].append(samples)
            quarter = len(samples) // 4
            if _grows(samples[quarter : 2 * quarter], samples[-quarter:]):
                yield f"memory of {name} grows: {_listed(samples)}"
        for name, lives in by_name.items():
            if len(lives) > 1 and _grows(lives[0][len(lives[0]) // 2 :], lives[-1]):
                yield f"memory of {name} grows from run to run: {_listed([max(one) for one in lives])}"

    def table(self) -> Iterator[str]:
        """A line for each process, with twelve of its samples at most."""
        for (name, _), samples in self._samples.items():
            step = -(-len(samples) // 12)
            yield f"memory of {name}, at most {max(samples):.0f} MB: {_listed(samples[::step])}"


def _grows(early: list[float], late: list[float]) -> bool:
    return max(late) > _GROWTH * max(early) + _SLACK_MB


def _listed(samples: list[float]) -> str:
    return ", ".join(f"{one:.0f}" for one in samples) + " MB"
