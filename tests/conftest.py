"""What every test may rely on: peers that are missing are reported by name."""

import os
from collections import Counter
from collections.abc import Callable

import hypothesis
import pytest

from tests.support.peers import OPTIONAL_IN_CI, missing

pytest_plugins: list[str] = ["tests.support.postgres"]

_NOT_RUN = "NOT RUN: "
_DELAYS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """A place for the delays that tests of a stated bound report; properties are bound to no time of the clock."""
    hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
    hypothesis.settings.load_profile("untimed")
    config.stash[_DELAYS] = []


@pytest.fixture
def report_delay(pytestconfig: pytest.Config) -> Callable[[str, float, float], None]:
    """Report how long something took, with the bound that it must keep; printed at the end of the run."""

    def report(what: str, seconds: float, bound: float) -> None:
        pytestconfig.stash[_DELAYS].append(f"{what}: {seconds:.3f} s (at most {bound:g} s)")
        assert seconds < bound, f"{what} took {seconds:.3f} s, at most {bound:g} s are allowed"

    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose peer is missing; fail it where CI=true, unless Debian does not package the peer."""
    for marker in item.iter_markers("peer"):
        for program in marker.args:
            if not missing(program):
                continue
            if os.environ.get("CI") == "true" and program not in OPTIONAL_IN_CI:
                pytest.fail(f"{program} is not on this machine, and CI must run what needs it", pytrace=False)
            pytest.skip(f"{_NOT_RUN}{program}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The delays that were bounded, and a closing line that names what did not run."""
    for delay in config.stash[_DELAYS]:
        terminalreporter.write_line(f"delay: {delay}")
    absent: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if _NOT_RUN in reason:
            absent[reason.split(_NOT_RUN, 1)[1]] += 1
    if absent:
        listed = ", ".join(f"{program} ({count} tests)" for program, count in sorted(absent.items()))
        terminalreporter.write_line(f"{_NOT_RUN}{listed}")
