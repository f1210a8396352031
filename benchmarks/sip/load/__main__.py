"""`python -m benchmarks.sip.load`: a plan on standard input, `ready`, a line to begin, the outcome as JSON.

It stays registered and connected until standard input ends, so that leaving is in nobody's figure.
"""

import sys

from benchmarks.sip.load.plan import Plan
from benchmarks.sip.load.run import NotReady, Run


def main() -> int:
    """0 when there is an outcome, failures in it or not."""
    try:
        with Run(Plan.from_json(sys.stdin.readline())) as run:
            run.prepare()
            print("ready", flush=True)
            if not sys.stdin.readline():
                return 1
            print(run.work().as_json(), flush=True)
            sys.stdin.readline()
            run.leave()
    except (NotReady, OSError) as problem:
        sys.stderr.write(f"load: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
