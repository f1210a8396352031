"""`python -m tests.floods` (`make floods`): floods in full against a real edge; status 1 on a problem."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.floods.run import Floods


def main() -> int:
    """0 when honest phones were served all the time and memory stayed bounded."""
    parser = argparse.ArgumentParser(prog="python -m tests.floods", description="Floods while honest phones go on")
    parser.add_argument("--connections", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=50_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-floods-") as folder:
        floods = Floods(Path(folder), given.connections, given.messages)
        asyncio.run(floods.run())
    print(floods.table())
    return 1 if floods.problems else 0


if __name__ == "__main__":
    sys.exit(main())
