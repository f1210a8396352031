"""`python -m tools.test_compiled [PYTEST ARGUMENTS]` (`make test-compiled`): the SIP tests on the compiled modules.

The tests are the same files, run from the compiled tree. Where there is no compiler they are NOT RUN,
which is a failure where CI=true.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.build_compiled import PROJECT, CannotCompile, build, missing
from tools.run_tests import run_tests

TESTS: Final = (
    "tests/edge_agent/sip",
    "tests/contract/dialplan",
    "tests/edge_agent/processes/test_sip.py",
    "tests/edge_agent/sync/test_held_events.py",
    "tests/edge_agent/test_append_log.py",
)
_BESIDE: Final = ("tests", "cloud", "benchmarks", "tools", "docs", "requirements", "pyproject.toml")
"""What the tests find in the project's folder."""
_PROBE: Final = "import edge_agent.sip.message.message as it; print(it.__file__)"


def main() -> int:
    """The status of pytest; 1 when nothing could be compiled though it should."""
    if lacking := missing():
        print(f"NOT RUN: the SIP tests on compiled modules, which need {lacking}")
        return 1 if os.environ.get("CI") == "true" else 0
    try:
        tree = build()
    except CannotCompile as error:
        print(error)
        return 1
    for name in _BESIDE:
        link = tree / name
        if not link.is_symlink():
            link.symlink_to(PROJECT / name)
    probe = subprocess.run([sys.executable, "-c", _PROBE], cwd=tree, capture_output=True, text=True, check=True)
    used = Path(probe.stdout.strip())
    if used.suffix != ".so" or not used.is_relative_to(tree):
        print(f"these would not be tests of the compiled modules, but of {used}")
        return 1
    return run_tests([*TESTS, *sys.argv[1:]], tree)


if __name__ == "__main__":
    sys.exit(main())
