"""`python -m tools.run_tests PYTEST ARGUMENTS`: pytest, and the few tests that failed beside others once more, alone.

Real telephones, browsers and engines keep real time, which a machine that stalls for a moment takes from them. A test
that fails alone too has failed; one that then passes is named UNSTEADY in the closing line, with its failure above it,
and is to be mended. More than a few at once have no such excuse.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MOST_AGAIN: Final = 3
_TESTS_FAILED: Final = 1
"""Pytest's exit code for that; others are of usage, of a fault inside or of an interruption."""


def run_tests(arguments: Sequence[str], folder: Path | None = None) -> int:
    """Run pytest in a folder, the current one if None is given.

    Returns:
        Pytest's exit code: that of the tests that ran again, if few failed.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-tests-") as cache:
        pytest = [sys.executable, "-m", "pytest", *arguments, "-o", f"cache_dir={cache}"]
        code = subprocess.run(pytest, cwd=folder, check=False).returncode
        if code != _TESTS_FAILED:
            return code
        known = Path(cache, "v", "cache", "lastfailed")
        failed = sorted(json.loads(known.read_text())) if known.exists() else []
        if not 0 < len(failed) <= MOST_AGAIN:
            return code
        print(f"once more, alone: {', '.join(failed)}", flush=True)
        again = subprocess.run([*pytest, "-n", "0", "--last-failed"], cwd=folder, check=False).returncode
        if again == 0:
            print(f"UNSTEADY (failed beside others, passed alone): {', '.join(failed)}", flush=True)
        return again


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[1:]))
