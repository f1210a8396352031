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
    "hold",
    "blind transfer",
    "is transferred",
    "attended transfer",
    "fork",
    "pairs",
    "restart",
    "renews",
)
"""Columns, in the order in which they are run; `pairs` has a table of its own."""


@dataclass
class Matrix:
    """Results by row and column: `pass`, `FAIL`, `NOT RUN`, `n.a.`; reasons are told below the table.

    Args:
        title: heading of the first column.
        columns: in their order; None: as they come.
    """

    title: str = "peer, transport"
    columns: tuple[str, ...] | None = SCENARIOS
    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, row: str, column: str, result: str, reason: str = "") -> None:
        """What came of a cell."""
        self.cells[row, column] = result
        if reason:
            self.reasons[row, column] = reason

    def lines(self) -> list[str]:
        """The table in Markdown, and the reason of everything that did not pass."""
        rows = list(dict.fromkeys(row for row, _ in self.cells))
        known = self.columns or dict.fromkeys(column for _, column in self.cells)
        columns = [name for name in known if any((row, name) in self.cells for row in rows)]
        width = max(map(len, (self.title, *rows)))
        table = [
            _line(self.title.ljust(width), columns),
            _line("-" * width, ("-" * len(one) for one in columns)),
        ]
        for row in rows:
            shown = (self.cells.get((row, name), "").ljust(len(name)) for name in columns)
            table.append(_line(row.ljust(width), shown))
        told: dict[str, dict[str, list[str]]] = {}
        for (row, name), reason in self.reasons.items():
            told.setdefault(f"{self.cells[row, name]}: {reason}", {}).setdefault(row, []).append(name)
        notes = (
            f"- {reason} ({'; '.join(f'{row}: ' + ', '.join(names) for row, names in where.items())})"
            for reason, where in told.items()
        )
        return [*table, "", *notes]


def _line(first: str, rest: Iterable[str]) -> str:
    return f"| {' | '.join((first, *rest))} |"
