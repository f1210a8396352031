"""CPU per call at the edge: INVITE to BYE with digest, dial plan, Record-Route and a call record."""

from typing import Final

from benchmarks.figure import Figure
from benchmarks.pairs import interleaved
from benchmarks.sip_load import AT_ONCE, SipServer, calls

SLOW_RATE: Final = 50
SLOW_CALLS: Final = 150
FAST_CALLS: Final = 1500
_HOW: Final = (
    "sipp calls sipp through the server on loopback UDP, both ends hang up at once; user + system CPU of the "
    "processes from before the first to quiet after the last, divided by calls; {load}; one warm-up, then runs "
    "interleaved with the peer's"
)


def measure(online: SipServer, alone: SipServer, peer: SipServer | None, pairs: int) -> list[Figure]:
    """At 50 calls a second, and as many as go with `AT_ONCE` in flight.

    Args:
        online: an edge whose cloud takes its events.
        alone: an edge whose cloud is away: on a small machine the cloud would take the processor from sipp.
    """
    figures = []
    for title, edge, count, rate in (
        (f"at {SLOW_RATE}/s", online, SLOW_CALLS, SLOW_RATE),
        (f"saturated, {AT_ONCE} in flight", alone, FAST_CALLS, None),
    ):
        figures += interleaved(
            f"CPU per call, {title}",
            lambda server, count=count, rate=rate: calls(server, count, rate),  # type: ignore[misc]
            edge,
            peer,
            pairs,
            _HOW.format(load=f"{count} calls a run, {title}, {edge.name}"),
            aim=1.5 if rate is None else None,
        )
    return figures
