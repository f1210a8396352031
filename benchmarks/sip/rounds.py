"""The same load on each server in turn, so that what else the machine does meets all of them."""

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.figure import Figure
from benchmarks.sip.load_run import LoadFailed, Spent
from benchmarks.sip.server import SipServer
from tests.support.sipp import SippFailed

_ATTEMPTS: Final = 3


@dataclass(slots=True)
class Lane:
    """One server in all rounds.

    Args:
        server: which.
        aim: the largest ratio to the peer; None for no aim.
    """

    server: SipServer
    aim: float | None = None
    runs: list[Spent] = field(default_factory=list)
    repeated: int = 0

    def run(self, name: str, load: Callable[[SipServer], Spent]) -> Spent:
        """One run; one in which something failed is repeated, and that is said."""
        for attempt in range(_ATTEMPTS):
            try:
                return load(self.server)
            except (LoadFailed, SippFailed) as failed:
                sys.stderr.write(f"{name}, {self.server.name}: {failed}\n")
                self.repeated += 1
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    def reached(self) -> str:
        """How fast, and what went wrong, for people."""
        said = f"{self.server.name} {statistics.median(run.rate for run in self.runs):,.0f}/s"
        if resent := sum(run.retransmissions for run in self.runs):
            said += f", {resent} messages more than once"
        return said + (f", {self.repeated} runs repeated because something failed" if self.repeated else "")


def interleaved(
    name: str, load: Callable[[SipServer], Spent], ours: Sequence[Lane], peer: SipServer | None, pairs: int, method: str
) -> list[Figure]:
    """For each of ours: its first count beside everything of the peer, and its other counts alone.

    Args:
        name: what is measured.
        load: one run.
        ours: the servers whose figures these are.
        peer: whom they are set beside.
        pairs: rounds; each server begins every so often.
        method: how, for people.
    """
    beside = [Lane(peer)] if peer is not None else []
    lanes = [*ours, *beside]
    for lane in lanes:
        lane.run(name, load)  # warm-up
    for number in range(pairs):
        turn = number % len(lanes)
        for lane in (*lanes[turn:], *lanes[:turn]):
            lane.runs.append(lane.run(name, load))
    reached = "; reached: " + "; ".join(lane.reached() for lane in lanes)
    figures = []
    for lane in ours:
        for number, what in enumerate(lane.server.counted):
            compared = beside[0] if beside and number == 0 else None
            figures.append(
                Figure(
                    f"{name}: {lane.server.name}, {what}",
                    "µs",
                    tuple(run.micros[what] for run in lane.runs),
                    method + reached,
                    peer=compared.server.name if compared else "",
                    peer_runs=tuple(next(iter(run.micros.values())) for run in compared.runs) if compared else (),
                    aim=lane.aim if compared else None,
                )
            )
    return figures
