"""CPU per registration at the edge: REGISTER, challenge, REGISTER with digest, binding stored and reported."""

from typing import Final

from benchmarks.figure import Figure
from benchmarks.pairs import interleaved
from benchmarks.sip_load import AT_ONCE, SipServer, registrations

SLOW_RATE: Final = 50
SLOW_COUNT: Final = 150
FAST_COUNT: Final = 3000
_HOW: Final = (
    "sipp registers one contact again and again over loopback UDP; user + system CPU of the processes from before the "
    "first to quiet after the last, divided by registrations; {load}; one warm-up, then runs interleaved with the "
    "peer's"
)


def measure(online: SipServer, alone: SipServer, peer: SipServer | None, pairs: int) -> list[Figure]:
    """At 50 registrations a second, and as many as go with `AT_ONCE` in flight.

    Args:
        online: an edge whose cloud takes its events.
        alone: an edge whose cloud is away: on a small machine the cloud would take the processor from sipp.
    """
    figures = []
    for title, edge, count, rate in (
        (f"at {SLOW_RATE}/s", online, SLOW_COUNT, SLOW_RATE),
        (f"saturated, {AT_ONCE} in flight", alone, FAST_COUNT, None),
    ):
        figures += interleaved(
            f"CPU per registration, {title}",
            lambda server, count=count, rate=rate: registrations(server, count, rate),  # type: ignore[misc]
            edge,
            peer,
            pairs,
            _HOW.format(load=f"{count} registrations a run, {title}, {edge.name}"),
            aim=1.6 if rate is None else None,
        )
    return figures
