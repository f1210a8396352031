"""Write every golden file anew, from what the code gives now; the difference is for a person to review."""

import subprocess
import sys
from typing import Final

WRITERS: Final[tuple[tuple[str, ...], ...]] = (("contract.schema",), ("tests.golden.devices",))
"""Modules that rewrite the golden files of their subject, with their arguments."""


def main() -> int:
    """The first writer that fails decides."""
    for module, *arguments in WRITERS:
        done = subprocess.run([sys.executable, "-m", module, *arguments], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
