"""Two servers in turn under the same load, so that what else the machine does meets both."""

import statistics
import sys
from collections.abc import Callable

from benchmarks.figure import Figure
from benchmarks.sip_load import SipServer, Spent
from tests.support.sipp import SippFailed

_ATTEMPTS = 3


def interleaved(
    name: str,
    load: Callable[[SipServer], Spent],
    ours: SipServer,
    peer: SipServer | None,
    pairs: int,
    method: str,
    aim: float | None,
) -> list[Figure]:
    """One figure for each thing that is counted of ours; the first is set beside everything of the peer.

    Args:
        aim: the largest ratio to the peer.
    """
    repeated: list[str] = []

    def run(server: SipServer) -> Spent:
        for attempt in range(_ATTEMPTS):
            try:
                return load(server)
            except SippFailed as failed:
                sys.stderr.write(f"{name}, {server.name}: {failed}\n")
                repeated.append(server.name)
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    our_runs: list[Spent] = []
    peer_runs: list[Spent] = []
    servers = [(ours, our_runs)] + ([(peer, peer_runs)] if peer is not None else [])
    for server, _ in servers:
        run(server)  # warm-up
    for number in range(pairs):
        # Each goes first every other time.
        for server, runs in servers if number % 2 == 0 else servers[::-1]:
            runs.append(run(server))
    figures = []
    for number, what in enumerate(ours.spent):
        beside = peer is not None and number == 0
        reached = f"; reached {statistics.median(run.rate for run in our_runs):.0f}/s"
        if beside:
            reached += f", the peer {statistics.median(run.rate for run in peer_runs):.0f}/s"
        if repeated:
            reached += f"; runs repeated because sipp counted a failure: {', '.join(repeated)}"
        figures.append(
            Figure(
                f"{name}: {what}",
                "µs",
                tuple(run.micros[what] for run in our_runs),
                method + reached,
                peer=f"{peer.name}, {next(iter(peer.spent))}" if peer is not None and beside else "",
                peer_runs=tuple(next(iter(run.micros.values())) for run in peer_runs) if beside else (),
                aim=aim if beside else None,
            )
        )
    return figures
