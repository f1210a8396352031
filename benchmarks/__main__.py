"""`python -m benchmarks` (`make bench`): print the figures, each with how it was measured; `--json FILE` keeps them."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks import (
    bindings_memory,
    change,
    dial_plan,
    edge_alone,
    kamailio,
    sip_calls,
    sip_message,
    sip_registrations,
)
from benchmarks.edge_alone import edge_server
from benchmarks.figure import Figure
from benchmarks.report import Machine, as_json, table
from cloud.local.settings import LocalSettings
from cloud.local.system import LocalSystem
from tests.support.peers import PACKAGES, missing
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.system.conftest import Site

MEASURED: Final = ("dial_plan", "message", "calls", "registrations", "change", "memory")
_ON_THE_SYSTEM: Final = {"calls", "registrations", "change"}
_WITH_SIPP: Final = {"calls", "registrations", "memory"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what Tandem costs")
    parser.add_argument(
        "--pairs",
        type=int,
        default=5,
        help="runs of each SIP load, interleaved with the peer's (default 5; 15 to judge)",
    )
    parser.add_argument("--only", choices=MEASURED, action="append", help="measure this alone; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    given = parser.parse_args()
    if given.pairs < 1:
        parser.error("--pairs: at least 1")
    return given


@contextmanager
def _system() -> Iterator[Site]:
    """Everything that `make run` starts, on free ports, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        settings = LocalSettings.from_arguments(["--any-ports", "--state-dir", folder])
        system = LocalSystem(settings, None, None, lambda _: None)
        try:
            system.start()
            yield Site(system)
        finally:
            system.stop()


def _measure_system(wanted: set[str], pairs: int, not_run: list[str]) -> Iterator[Figure]:
    with ExitStack() as stack:
        site = stack.enter_context(_system())
        if wanted & _WITH_SIPP:
            accounts = (site.sipp(0), site.sipp(1))
            online = edge_server("an edge with its cloud", site.target, site.running.edge_pid, accounts)
            alone = stack.enter_context(edge_alone.running(small_snapshot(), SMALL_SECRETS))
            peer = None
            if why := kamailio.missing():
                not_run.append(why)
            else:
                peer = stack.enter_context(kamailio.running(accounts))
            if "calls" in wanted:
                yield from sip_calls.measure(online, alone, peer, pairs)
            if "registrations" in wanted:
                yield from sip_registrations.measure(online, alone, peer, pairs)
        if "change" in wanted:
            with site.phone(0) as phone:
                yield from change.measure(site.running, site.api, phone, site.user_id(0))


def _measure(wanted: set[str], pairs: int, not_run: list[str]) -> Iterator[Figure]:
    if "dial_plan" in wanted:
        yield dial_plan.measure()
    if "message" in wanted:
        yield from sip_message.measure()
    if wanted & _WITH_SIPP and missing("sipp"):
        not_run.append(f"NOT RUN: {', '.join(sorted(wanted & _WITH_SIPP))} (apt-get install {PACKAGES['sipp']})")
        wanted -= _WITH_SIPP
    if wanted & _ON_THE_SYSTEM:
        yield from _measure_system(wanted, pairs, not_run)
    if "memory" in wanted:
        yield from bindings_memory.measure()


def main() -> int:
    """0 when everything that could be measured was."""
    given = _arguments()
    machine, began = Machine.here(), time.monotonic()
    figures: list[Figure] = []
    not_run: list[str] = []
    for figure in _measure(set(given.only or MEASURED), given.pairs, not_run):
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {figure.name}\n")
        figures.append(figure)
    print(table(machine, figures, not_run))
    if given.json is not None:
        given.json.write_text(json.dumps(as_json(machine, figures, not_run), indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
