"""The page of hostile input names tests, limits and counters that exist."""

import re
from dataclasses import fields
from pathlib import Path

from edge_agent.sip.config import LockoutRules, OverloadRules
from edge_agent.sip.message import DropReason, Limits
from tests.edge_agent.sip.test_standards import NAMED, is_written

TESTS = Path(__file__).parents[2]
PAGE = (TESTS.parent / "docs" / "hostile-input.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| What comes", "| ---"))
]


def test_every_test_that_the_page_names_exists() -> None:
    assert len(NAMED.findall(PAGE)) > 25
    assert [f"{path}::{name}" for path, name in NAMED.findall(PAGE) if not is_written(TESTS / path, name)] == []


def test_every_row_names_a_test_and_only_limits_and_counters_that_exist() -> None:
    limits = {one.name for kind in (Limits, LockoutRules, OverloadRules) for one in fields(kind)}
    for what, limit, outcome, shown in ROWS:
        assert NAMED.search(shown), what
        assert set(re.findall(r"`(\w+)`", limit)) <= limits, what
        assert set(re.findall(r"`([A-Z_]+)`", outcome)) <= set(DropReason.__members__), what
