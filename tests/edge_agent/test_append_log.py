"""The append log: what was appended is there after a kill, whole, and once."""

import os
from pathlib import Path

import pytest

from edge_agent.append_log import AppendLog


def begun(path: Path, generation: int = 1) -> AppendLog:
    log = AppendLog(path)
    log.begin(generation)
    return log


def test_what_was_appended_is_left_over_with_its_generation(tmp_path: Path) -> None:
    log = begun(tmp_path / "log", 7)
    log.append("one\n")
    log.append("two\nthrée\n")
    assert AppendLog(tmp_path / "log").left_over() == (7, ["one", "two", "thrée"])
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    log.close()


def test_a_new_generation_begins_empty(tmp_path: Path) -> None:
    log = begun(tmp_path / "log")
    log.append("one\n")
    log.begin(2)
    assert AppendLog(tmp_path / "log").left_over() == (0, [])
    log.append("two\n")
    assert AppendLog(tmp_path / "log").left_over() == (2, ["two"])
    log.close()


def test_a_line_that_was_cut_off_counts_for_nothing(tmp_path: Path) -> None:
    log = begun(tmp_path / "log")
    log.append("one\ntwo\n")
    log.close()
    whole = (tmp_path / "log").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "log").write_bytes(whole[:length])
        _, lines = AppendLog(tmp_path / "log").left_over()
        assert lines == ["one", "two"][: len(lines)]


def test_nothing_and_nonsense_leave_nothing_over(tmp_path: Path) -> None:
    assert AppendLog(tmp_path / "missing").left_over() == (0, [])
    (tmp_path / "log").write_bytes(b"\xff\x00 something else\nline\n")
    assert AppendLog(tmp_path / "log").left_over() == (0, [])
    log = begun(tmp_path / "log")
    log.append("one\n")
    assert AppendLog(tmp_path / "log").left_over() == (1, ["one"])
    log.close()


def test_half_a_write_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = begun(tmp_path / "log")
    log.append("one\n")
    whole = os.write

    def half(descriptor: int, data: bytes) -> int:
        return whole(descriptor, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError, match="no room"):
            log.append("two\nthree\n")
    log.append("four\n")
    assert AppendLog(tmp_path / "log").left_over() == (1, ["one", "four"])
    log.close()
