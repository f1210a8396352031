"""Fuzzing: every seed and every earlier finding holds; each target runs under the fuzzer for a moment."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import seeds
from tests.fuzz.endpoint_target import SEPARATOR, one_sequence
from tests.fuzz.framing_target import one_stream
from tests.fuzz.message_target import one_message

TARGETS: dict[str, Callable[[bytes], None]] = {
    "message": one_message,
    "framing": one_stream,
    "endpoint": one_sequence,
}
ROOT = Path(__file__).parents[2]
SECONDS = 4


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_holds(target: str) -> None:
    given_seeds = list(seeds.of(target))
    assert len(given_seeds) > 20
    for seed in given_seeds:
        TARGETS[target](seed)


@pytest.mark.parametrize(
    ("target", "path"),
    [(path.parent.name, path) for path in sorted(seeds.FINDINGS.glob("*/*.bin"))],
    ids=lambda one: one.stem if isinstance(one, Path) else one,
)
def test_what_the_fuzzer_found_stays_mended(target: str, path: Path) -> None:
    TARGETS[target](path.read_bytes())


records = st.sampled_from([record for one in seeds.of("endpoint") for record in one.split(SEPARATOR)])


@given(
    st.lists(st.tuples(records, st.integers(0, 400), st.binary(max_size=5), st.integers(0, 9)), min_size=1, max_size=12)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_damaged_messages_leaves_an_endpoint_without_errors_leaks_and_transactions(
    damaged: list[tuple[bytes, int, bytes, int]],
) -> None:
    one_sequence(SEPARATOR.join(record[:at] + junk + record[at + cut :] for record, at, junk, cut in damaged))


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_runs_under_the_fuzzer(target: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("atheris is not installed, and CI must run the fuzzer", pytrace=False)
        pytest.skip("NOT RUN: atheris")
    command = [sys.executable, "-m", "tests.fuzz", target, "--seconds", str(SECONDS), "--seed", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # A program inherits the peak of the process that starts it, and the fuzzer takes its peak as its use: under a test
    # process of 2 GB it is over its limit before it begins. The child of a shell that stays has a peak of its own.
    apart = ["sh", "-c", '"$@"; exit $?', "sh", *command]
    run = subprocess.run(apart, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "cov:" in run.stderr
