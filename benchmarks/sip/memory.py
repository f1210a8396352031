"""Memory with 10,000 bindings and after a burst of calls, of servers that were started for this alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

from benchmarks.cpu import memory_mb, proportional_mb, wait_quiet
from benchmarks.figure import Figure
from benchmarks.sip.load_run import measured
from benchmarks.sip.server import SipServer, accounts

BINDINGS: Final = 10_000
BURST: Final = 10_000
AT_ONCE: Final = 30
_AIMS: Final = {f"{BINDINGS:,} bindings": 80.0, "after a burst of calls": 200.0}
_HOW: Final = (
    f"/proc, of a server of its own; {BINDINGS:,} phones register once over UDP, then {BURST:,} calls as fast as they "
    f"go, {AT_ONCE} at a time, beyond which an edge sheds; RSS is summed, so counts what processes share several "
    "times; PSS shares it out"
)

Opened = Callable[[], AbstractContextManager[SipServer]]


def measure(ours: Sequence[Opened], peer: Opened | None) -> Iterator[Figure]:
    """RSS of the first count of ours beside everything of the peer's, then the same in PSS of everything."""
    beside = _moments(peer) if peer is not None else None
    for opened in ours:
        found = _moments(opened)
        for moment, (name, first, rss, _) in found.items():
            theirs = beside[moment] if beside is not None else None
            aim = _AIMS.get(moment)
            yield _figure(f"Memory, {moment}: {name}, {first}, RSS", rss[0], theirs and (theirs[0], theirs[2][-1]), aim)
        for moment, (name, _, _, pss) in found.items():
            theirs = beside[moment] if beside is not None else None
            yield _figure(f"Memory, {moment}: {name}, all, PSS", pss[-1], theirs and (theirs[0], theirs[3][-1]), None)


Moment = tuple[str, str, list[float], list[float]]
"""Server, its first count, and by count its RSS and its PSS in MB."""


def _moments(opened: Opened) -> dict[str, Moment]:
    found = {}
    with opened() as server:
        found["nobody registered"] = _now(server)
        measured(server, "register", "udp", accounts(BINDINGS), BINDINGS, rate=2000.0, keep=True)
        found[f"{BINDINGS:,} bindings"] = _now(server)
        measured(server, "call", "udp", accounts()[-2 * AT_ONCE :], BURST, keep=True)
        found["after a burst of calls"] = _now(server)
    return found


def _now(server: SipServer) -> Moment:
    wait_quiet(server.all_spent)
    pids = [each() for each in server.counted.values()]
    rss, pss = ([sum(map(of, each)) for each in pids] for of in (memory_mb, proportional_mb))
    return server.name, next(iter(server.counted)), rss, pss


def _figure(name: str, value: float, peer: tuple[str, float] | None, aim: float | None) -> Figure:
    said, runs = (peer[0], (peer[1],)) if peer else ("", ())
    return Figure(name, "MB", (value,), _HOW, peer=said, peer_runs=runs, aim=aim, aim_of_value=True)
