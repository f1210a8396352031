"""Checking what somebody wants to save: every problem is found before any is told."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from cloud.models.base import Versioned
from cloud.pbx.errors import Changed, FieldProblem, Invalid, NotFound

Row = TypeVar("Row")


class Problems:
    """Collects what is wrong, field by field."""

    def __init__(self) -> None:
        self._found: list[FieldProblem] = []

    def add(self, field: str, message: str) -> None:
        """Note one problem."""
        self._found.append(FieldProblem(field, message))

    def extend(self, problems: Iterable[FieldProblem]) -> None:
        """Note what another check found."""
        self._found.extend(problems)

    def __bool__(self) -> bool:
        return bool(self._found)

    def invalid(self) -> Invalid:
        """The error that names every problem, to be raised."""
        return Invalid(problems=self._found)

    def check(self) -> None:
        """Go on only when nothing is wrong.

        Raises:
            Invalid: naming every problem.
        """
        if self:
            raise self.invalid()


def invalid(field: str, message: str) -> Invalid:
    """The error for one field, to be raised."""
    return Invalid(problems=[FieldProblem(field, message)])


def check_version(row: Versioned, expected: int | None) -> None:
    """Refuse a change that was based on another version; None: the caller does not say.

    Raises:
        Changed: somebody else was faster.
    """
    if expected is not None and row.version != expected:
        raise Changed


def apply_changes(row: object, changes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set the fields that differ; what changed, as field → [before, after]."""
    changed: dict[str, list[Any]] = {}
    for name, value in changes.items():
        before = getattr(row, name)
        if before != value:
            changed[name] = [_plain(before), _plain(value)]
            setattr(row, name, value)
    return changed


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def unknown(kind: str) -> str:
    """The one text for an id that is not there, be it of another tenant or of nobody."""
    return f"There is no such {kind}"


def get_or_refuse(session: Session, model: type[Row], id_: UUID) -> Row:
    """The row with this id, as far as the transaction may see it.

    Raises:
        NotFound: it is not there, or another tenant's.
    """
    row = session.get(model, id_)
    if row is None:
        raise NotFound
    return row


def get_for_change(session: Session, model: type[Row], id_: UUID) -> Row:
    """The row with this id, locked until the transaction ends: two changes at once come one after the other.

    Raises:
        NotFound: it is not there, or another tenant's.
    """
    row = session.get(model, id_, with_for_update=True)
    if row is None:
        raise NotFound
    return row
