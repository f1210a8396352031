"""What is measured of SIP: registrations and calls over each transport, saturated and at the rate of a site."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.figure import Figure
from benchmarks.sip import sipp_load
from benchmarks.sip.load.plan import Scenario, Transport
from benchmarks.sip.load_run import LoadFailed, Spent, measured
from benchmarks.sip.rounds import Lane, interleaved
from benchmarks.sip.server import SipServer, accounts
from tests.support.sipp import SippFailed

AT_ONCE: Final = 20
"""Phones that call, or register, at the same time; each begins its next as soon as its last has ended."""
SLOW_RATE: Final = 50
PURE: Final = "pure Python"
COMPILED: Final = "compiled"
_AIMS: Final = {("call", PURE): 1.5, ("call", COMPILED): 1.0, ("register", PURE): 1.6, ("register", COMPILED): 1.2}
"""Largest ratio to Kamailio, saturated over UDP."""
_HOW: Final = (
    "user + system CPU of the processes from before the first to quiet after the last, divided by {what}; "
    "{count:,} a run{pace}, {phones}; server on one core, load on another; one warm-up, then runs interleaved"
)
_WORDS: Final = {"call": "calls", "register": "registrations"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, for each of our servers.

    Args:
        scenario: what is done.
        transport: over what.
        count: how often in a run.
        rate: a second; None for saturated.
    """

    scenario: Scenario
    transport: Transport
    count: int
    rate: float | None = None

    @property
    def name(self) -> str:
        """For people."""
        what = "call" if self.scenario == "call" else "registration"
        pace = "" if self.rate is None else f" at {self.rate:g}/s"
        return f"{what.capitalize()} over {self.transport.upper()}{pace}"

    def run(self, server: SipServer) -> Spent:
        """One run."""
        phones = accounts(2 * AT_ONCE if self.scenario == "call" else AT_ONCE)
        return measured(server, self.scenario, self.transport, phones, self.count, self.rate)

    def measure(self, ours: Sequence[SipServer], peer: SipServer | None, pairs: int) -> list[Figure]:
        """The row's figures."""
        first = self.transport == "udp" and self.rate is None
        lanes = [Lane(one, _AIMS.get((self.scenario, one.name)) if first else None) for one in ours]
        pace = "" if self.rate is None else f" at {self.rate:g} a second"
        phones = f"{AT_ONCE} phones busy at the same time" + ("" if self.rate is None else " at most")
        how = _HOW.format(what=_WORDS[self.scenario], count=self.count, pace=pace, phones=phones)
        return interleaved(self.name, self.run, lanes, peer, pairs, how)


ROWS: Final = (
    Row("call", "udp", 2000),
    Row("register", "udp", 4000),
    Row("call", "udp", 100, SLOW_RATE),
    Row("register", "udp", 100, SLOW_RATE),
    Row("call", "tcp", 1000),
    Row("register", "tcp", 2000),
    Row("call", "tls", 1000),
    Row("register", "tls", 2000),
)


def measure(
    ours: Sequence[SipServer], peer: SipServer | None, pairs: int, remarks: list[str], with_sipp: bool
) -> Iterator[Figure]:
    """Every row, then the first two once more with sipp as the load; one that cannot be measured is a remark."""
    rows = [(row.name, partial(row.measure, ours, peer, pairs)) for row in ROWS]
    if with_sipp:
        rows += [(name, partial(one, ours, peer, pairs)) for name, one in sipp_load.ROWS.items()]
    for name, figures in rows:
        try:
            yield from figures()
        except (LoadFailed, SippFailed) as why:
            remarks.append(f"NOT MEASURED: {name}: {why}")
