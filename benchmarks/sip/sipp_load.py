"""The cross-check: sipp as caller and callee over UDP in place of our own generator."""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.cpu import started_on, two_cores, wait_quiet
from benchmarks.figure import Figure
from benchmarks.sip.load_run import Spent
from benchmarks.sip.rounds import Lane, interleaved
from benchmarks.sip.server import DOMAIN, HOST, SipServer, accounts
from tests.support import sipp
from tests.support.sipp import Sipp, SippAccount, free_udp_port

CALLS: Final = 1500
REGISTRATIONS: Final = 3000
AT_ONCE: Final = 20
_AS_FAST_AS_IT_GOES: Final = 20_000
_WITHIN: Final = 110.0
_HOW: Final = (
    "as the same without sipp, with sipp for the load: one caller and one callee, {count:,} {what} a run, {at_once} in "
    "flight at most"
)


def measure_calls(ours: Sequence[SipServer], peer: SipServer | None, pairs: int) -> list[Figure]:
    """A call, saturated."""
    load = partial(_calls, *_two(), free_udp_port())  # the callee keeps its port, or it would have ever more contacts
    how = _HOW.format(count=CALLS, what="calls", at_once=AT_ONCE)
    return interleaved(CALL, load, [Lane(one) for one in ours], peer, pairs, how)


def measure_registrations(ours: Sequence[SipServer], peer: SipServer | None, pairs: int) -> list[Figure]:
    """A registration, saturated."""
    load = partial(_registrations, _two()[0], free_udp_port())
    how = _HOW.format(count=REGISTRATIONS, what="registrations", at_once=AT_ONCE)
    return interleaved(REGISTRATION, load, [Lane(one) for one in ours], peer, pairs, how)


CALL: Final = "Call over UDP, sipp"
REGISTRATION: Final = "Registration over UDP, sipp"
ROWS: Final = {CALL: measure_calls, REGISTRATION: measure_registrations}


def _two() -> tuple[SippAccount, SippAccount]:
    """Not the phones of the other rows."""
    caller, callee = (SippAccount(one.user, one.auth_username, one.password, DOMAIN) for one in accounts(102)[100:])
    return caller, callee


def _calls(caller: SippAccount, callee: SippAccount, port: int, server: SipServer) -> Spent:
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name, started_on(two_cores()[1]):
        folder, target = Path(name), _target(server)
        sipp.run(folder, "register", target, (callee.row(str(port)),))
        with Sipp(folder, "answer", calls=CALLS, port=port) as answering:
            rows = (caller.row(callee.username),)
            options = {"talk_ms": 0, "rate": _AS_FAST_AS_IT_GOES, "at_once": AT_ONCE}
            load = partial(sipp.run, folder, "call", target, rows, _WITHIN, calls=CALLS, **options)
            spent = _measured(server, CALLS, load)
            answering.finish(within=20)
        return spent


def _registrations(who: SippAccount, contact: int, server: SipServer) -> Spent:
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name, started_on(two_cores()[1]):
        options = {"calls": REGISTRATIONS, "rate": _AS_FAST_AS_IT_GOES, "at_once": AT_ONCE}
        rows = (who.row(str(contact)),)
        load = partial(sipp.run, Path(name), "register", _target(server), rows, _WITHIN, **options)
        return _measured(server, REGISTRATIONS, load)


def _target(server: SipServer) -> str:
    return f"{HOST}:{server.ports['udp']}"


def _measured(server: SipServer, count: int, load: Callable[[], None]) -> Spent:
    wait_quiet(server.all_spent)
    before, began = server.spent(), time.monotonic()
    load()
    seconds = time.monotonic() - began
    wait_quiet(server.all_spent)
    spent = server.spent()
    return Spent({what: (spent[what] - before[what]) / count * 1e6 for what in spent}, count / seconds, 0.0, 0)
