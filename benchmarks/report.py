"""Figures as a table for people and as JSON for machines, with the machine that they were measured on."""

import os
import platform
import statistics
import subprocess
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.figure import Figure, interval, percentile

BEGIN: Final = "<!-- figures: python -m benchmarks --write -->"
END: Final = "<!-- end of figures -->"
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and on what the figures were measured."""

    processor: str
    cores: int
    memory_mb: int
    system: str
    python: str
    load_before: float
    commit: str

    @classmethod
    def here(cls) -> Self:
        """This one, now."""
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        names = [line.split(":", 1)[1].strip() for line in facts.splitlines() if line.startswith("model name")]
        git = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=10"]
        described = subprocess.run(git, capture_output=True, text=True, check=False)
        return cls(
            processor=names[0] if names else platform.machine(),
            cores=len(os.sched_getaffinity(0)),
            memory_mb=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})",
            load_before=round(os.getloadavg()[0], 2),
            commit=described.stdout.strip() or "unknown",
        )

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_mb} MB, {self.system}; {self.python}; "
            f"commit {self.commit}; load before {self.load_before}"
        )


def table(machine: Machine, figures: Iterable[Figure], remarks: Iterable[str]) -> str:
    """The report for people."""
    lines = [f"Measured on: {machine}", ""]
    lines.append(f"{'figure':<66} {'unit':<6} {'runs':>5} {'min':>9} {'median':>9} {'p99':>9}")
    for figure in figures:
        p99 = f"{percentile(figure.runs, 0.99):9.1f}" if figure.p99 else " " * 9
        lines.append(
            f"{figure.name:<66} {figure.unit:<6} {len(figure.runs):>5} "
            f"{min(figure.runs):9.1f} {statistics.median(figure.runs):9.1f} {p99}"
        )
        if figure.peer:
            lines.append(
                f"{'  ' + figure.peer:<66} {figure.unit:<6} {len(figure.peer_runs):>5} "
                f"{min(figure.peer_runs):9.1f} {statistics.median(figure.peer_runs):9.1f}"
            )
            low, high = interval(figure.ratios)
            aim = f"; aim at most {figure.aim}" if figure.aim is not None and not figure.aim_of_value else ""
            ratio = statistics.median(figure.ratios)
            lines.append(f"  ours / peer, pair by pair: median {ratio:.2f} ({low:.2f} to {high:.2f}){aim}")
        if figure.aim is not None and (figure.aim_of_value or not figure.peer):
            lines.append(f"  aim: at most {figure.aim:g} {figure.unit}")
        lines.extend(textwrap.wrap(f"how: {figure.method}", 112, initial_indent="  ", subsequent_indent="       "))
    lines += ["", *remarks]
    return "\n".join(lines)


def as_json(machine: Machine, figures: Iterable[Figure], remarks: Iterable[str]) -> dict[str, Any]:
    """The report for machines."""
    return {"machine": asdict(machine), "figures": [one.record() for one in figures], "remarks": list(remarks)}


def markdown(machine: Machine, figures: Iterable[Figure], remarks: Iterable[str]) -> str:
    """The figures as a table for a page, after the machine and the remarks."""
    lines = [f"Measured on {machine}.", "", *(f"- {one}" for one in remarks), ""]
    lines.append("| figure | unit | runs | min | median | p99 | peer min / median | ratio (interval) | aim |")
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for figure in figures:
        p99 = _number(percentile(figure.runs, 0.99)) if figure.p99 else ""
        peer = ratio = ""
        if figure.peer:
            peer = f"{_number(min(figure.peer_runs))} / {_number(statistics.median(figure.peer_runs))}"
            low, high = interval(figure.ratios)
            ratio = f"{statistics.median(figure.ratios):.2f}" + (
                f" ({low:.2f}–{high:.2f})" if len(figure.runs) > 1 else ""
            )
        aim = "" if figure.aim is None else f"{figure.aim:g}"
        if aim and (figure.aim_of_value or not figure.peer):
            aim += f" {figure.unit}"
        cells = (
            *(figure.name, figure.unit, str(len(figure.runs)), _number(min(figure.runs))),
            *(_number(statistics.median(figure.runs)), p99, peer, ratio, aim),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """Three digits that say something, and no more than the unit's tenths."""
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


def put_between(page: str, part: str) -> str:
    """A page with `part` in place of what stands between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN} and {END} to put the figures between")
    return f"{before}{begin}\n\n{part}\n{end}{after}"
