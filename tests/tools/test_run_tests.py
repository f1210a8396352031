"""Tests that failed run once more, alone, if they are few."""

from pathlib import Path

import pytest

from tools.run_tests import MOST_AGAIN, run_tests

UNSTEADY = """
from pathlib import Path

def test_steady(): pass

def test_unsteady():
    ran = Path("ran")
    first = not ran.exists()
    ran.touch()
    assert not first
"""


def test_one_that_then_passes_is_named_and_no_other_runs_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_it.py").write_text(UNSTEADY)
    assert run_tests(["-n", "2", "-q"], tmp_path) == 0
    printed = capfd.readouterr().out
    assert "1 failed, 1 passed" in printed
    assert "1 passed, 1 deselected" in printed or "\n1 passed in" in printed
    assert "UNSTEADY (failed beside others, passed alone): test_it.py::test_unsteady" in printed


@pytest.mark.parametrize(("failing", "again"), [(1, True), (MOST_AGAIN, True), (MOST_AGAIN + 1, False)])
def test_what_fails_twice_and_what_fails_in_numbers_has_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], failing: int, again: bool
) -> None:
    bad = "\n".join(f"def test_{number}(): assert False" for number in range(failing))
    (tmp_path / "test_it.py").write_text(f"{bad}\ndef test_good(): pass\n")
    assert run_tests(["-n", "2", "-q"], tmp_path) == 1
    printed = capfd.readouterr().out
    assert ("once more, alone" in printed) == again
    assert "UNSTEADY" not in printed


def test_a_fixture_that_failed_counts_and_a_wrong_option_does_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fixture = "import pytest\n@pytest.fixture\ndef broken(): raise OSError\ndef test_it(broken): pass\n"
    (tmp_path / "test_it.py").write_text(fixture)
    assert run_tests(["-q"], tmp_path) == 1
    assert "once more, alone: test_it.py::test_it" in capfd.readouterr().out
    assert run_tests(["--no-such-option"], tmp_path) == 4
    assert "once more" not in capfd.readouterr().out
