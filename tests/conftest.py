"""What every test may rely on: peers that are missing are reported by name."""

import os
from collections import Counter

import pytest

from tests.support.peers import OPTIONAL_IN_CI, missing

pytest_plugins: list[str] = ["tests.support.postgres"]

_NOT_RUN = "NOT RUN: "


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose peer is missing; fail it where CI=true, unless Debian does not package the peer."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            if not missing(program):
                continue
            if os.environ.get("CI") == "true" and program not in OPTIONAL_IN_CI:
                pytest.fail(f"{program} is not on this machine, and CI must run what needs it", pytrace=False)
            pytest.skip(f"{_NOT_RUN}{program}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A closing line that names what did not run."""
    absent: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if _NOT_RUN in reason:
            absent[reason.split(_NOT_RUN, 1)[1]] += 1
    if absent:
        listed = ", ".join(f"{program} ({count} tests)" for program, count in sorted(absent.items()))
        terminalreporter.write_line(f"{_NOT_RUN}{listed}")
