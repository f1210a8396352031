"""`python -m tests.fuzz TARGET` (`make fuzz`): run one target under atheris, guided by coverage of the edge's code.

Exit status 0: nothing was found in the given time. Otherwise the input is written to a file, whose name is printed; put
it into `tests/fuzz/findings/TARGET/`, where the tests keep it, and mend what it shows.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris

TARGETS: Final = {
    "message": ("tests.fuzz.message_target", "one_message"),
    "framing": ("tests.fuzz.framing_target", "one_stream"),
    "endpoint": ("tests.fuzz.endpoint_target", "one_sequence"),
}
_MOST_BYTES: Final = 6_000


def main() -> None:
    """Does not return: libFuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz one target, guided by coverage")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--corpus", type=Path, help="where inputs that reach something new are kept between runs")
    given = parser.parse_args()
    module, name = TARGETS[given.target]
    with atheris.instrument_imports(include=["edge_agent.sip", "edge_agent.media.sdp", "websockets"]):
        one_input = getattr(importlib.import_module(module), name)
    seeds = importlib.import_module("tests.fuzz.seeds")
    with tempfile.TemporaryDirectory(prefix="tandem-fuzz-") as folder:
        corpus = given.corpus or Path(folder) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds.of(given.target)):
            (corpus / f"seed-{number:03}").write_bytes(seed)
        options = [
            f"-max_total_time={given.seconds}",
            f"-seed={given.seed}",
            f"-dict={seeds.HERE / 'sip.dict'}",
            f"-max_len={_MOST_BYTES}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            f"-artifact_prefix={Path.cwd()}/finding-{given.target}-",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
