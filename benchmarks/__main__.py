"""`python -m benchmarks` (`make bench`): print the figures, each with how it was measured; `--json FILE` keeps them."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import change, dial_plan
from benchmarks.figure import Figure
from benchmarks.report import Machine, as_json, markdown, put_between, table
from benchmarks.sip import measure as sip
from benchmarks.sip import message
from cloud.local.settings import LocalSettings
from cloud.local.system import LocalSystem
from tests.system.conftest import Site

MEASURED: Final = ("dial_plan", "message", "sip", "memory", "change")


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
    parser.add_argument(
        "--write",
        type=Path,
        metavar="PAGE",
        help="put the figures between the marks of PAGE, such as docs/benchmarks.md",
    )
    given = parser.parse_args()
    if given.pairs < 1:
        parser.error("--pairs: at least 1")
    if given.write is not None:
        try:
            put_between(given.write.read_text(encoding="utf-8"), "")
        except (OSError, ValueError) as problem:
            parser.error(f"--write: {problem}")
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


def _measure(wanted: set[str], pairs: int, remarks: list[str]) -> Iterator[Figure]:
    if "dial_plan" in wanted:
        yield dial_plan.measure()
    if "message" in wanted:
        yield from message.measure()
    if wanted & {"sip", "memory"}:
        yield from sip.measure(pairs, remarks, cpu="sip" in wanted, memory="memory" in wanted)
    if "change" in wanted:
        with _system() as site, site.phone(0) as phone:
            yield from change.measure(site.running, site.api, phone, site.user_id(0))


def main() -> int:
    """0 when everything that could be measured was."""
    given = _arguments()
    # Servers under load are ended on every way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    machine, began = Machine.here(), time.monotonic()
    figures: list[Figure] = []
    remarks: list[str] = []
    for figure in _measure(set(given.only or MEASURED), given.pairs, remarks):
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {figure.name}\n")
        figures.append(figure)
        if given.json is not None:  # each time, so that what was measured is there whatever comes
            given.json.write_text(json.dumps(as_json(machine, figures, remarks), indent=1), encoding="utf-8")
    print(table(machine, figures, remarks))
    if given.write is not None:
        page = given.write.read_text(encoding="utf-8")
        given.write.write_text(put_between(page, markdown(machine, figures, remarks)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
