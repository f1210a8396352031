"""`python -m tests.media_soak` (`make soak-media`): ten minutes of calls to voice services; status 1 on a problem."""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from tests.media_soak.run import MediaSoak


def main() -> int:
    """0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.media_soak", description="Voice while the edge is killed")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--callers", type=int, default=100, help="each one call at a time")
    given = parser.parse_args()
    # Whoever ends it by SIGTERM wants its edges ended, too, as with Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with tempfile.TemporaryDirectory(prefix="tandem-media-soak-") as folder:
        soak = MediaSoak(Path(folder), given.seconds, given.callers, say=lambda line: print(line, flush=True))
        asyncio.run(soak.run())
    print(soak.table())
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
