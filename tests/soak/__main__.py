"""`python -m tests.soak` (`make soak`): ten minutes of calls, a kill each minute; status 1 on a problem."""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.run import Soak


def main() -> int:
    """0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Calls while the edge is killed")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds from kill to kill")
    parser.add_argument("--limit", type=float, default=1_000.0, help="calls a second at most")
    given = parser.parse_args()
    # Whoever ends it by SIGTERM wants its edges ended, too, as with Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with tempfile.TemporaryDirectory(prefix="tandem-soak-") as folder:
        soak = Soak(Path(folder), given.seconds, given.every, given.limit)
        asyncio.run(soak.run())
    print(soak.table())
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
