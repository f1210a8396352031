"""The matrix of phones, transports and scenarios: what came of each cell, and how it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SCENARIOS: Final = (
    "register",
    "calls",
    "is called",
    "cancel",
    "busy",
    "no answer",
)
"""Columns, in the order in which they are run."""


@dataclass
class Matrix:
    """Results by row and scenario: `pass`, `FAIL`, `NOT RUN`, `n.a.`; reasons are told below the table."""

    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, row: str, scenario: str, result: str, reason: str = "") -> None:
        """What came of a cell."""
        self.cells[row, scenario] = result
        if reason:
            self.reasons[row, scenario] = reason

    def lines(self) -> list[str]:
        """The table in Markdown, and the reason of everything that did not pass."""
        rows = list(dict.fromkeys(row for row, _ in self.cells))
        columns = [name for name in SCENARIOS if any((row, name) in self.cells for row in rows)]
        width = max(map(len, rows), default=0)
        table = [
            _line("peer, transport".ljust(width), columns),
            _line("-" * width, ("-" * len(one) for one in columns)),
        ]
        for row in rows:
            shown = (self.cells.get((row, name), "").ljust(len(name)) for name in columns)
            table.append(_line(row.ljust(width), shown))
        told: dict[str, list[str]] = {}
        for (row, name), reason in self.reasons.items():
            told.setdefault(f"{self.cells[row, name]}: {reason}", []).append(f"{row} {name}")
        return [*table, "", *(f"- {reason} ({', '.join(cells)})" for reason, cells in told.items())]


def _line(first: str, rest: Iterable[str]) -> str:
    return f"| {' | '.join((first, *rest))} |"
