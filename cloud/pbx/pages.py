"""Pages of a collection by key, not by offset: what is inserted meanwhile neither repeats nor hides a row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a collection's order: the row's moment, where the order goes by one, and its id."""

    at: datetime | None
    id: UUID


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a collection is wanted: at most `limit` rows after `after`."""

    limit: int = 50
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a collection, and where the next part begins; None at the end."""

    items: list[T]
    next: Position | None


def oldest_first(session: Session, query: Select[T], id_: InstrumentedAttribute[UUID], request: PageRequest) -> Page[T]:
    """A page in the order of creation (ids are made in that order)."""
    if request.after is not None:
        query = query.where(id_ > request.after.id)
    rows = list(session.scalars(query.order_by(id_).limit(request.limit + 1)))
    return _page(rows, request.limit, lambda row: Position(None, getattr(row, id_.key)))


def newest_first(
    session: Session,
    query: Select[T],
    at: InstrumentedAttribute[datetime],
    id_: InstrumentedAttribute[UUID],
    request: PageRequest,
) -> Page[T]:
    """A page by time, the latest first."""
    if request.after is not None and request.after.at is not None:
        query = query.where(tuple_(at, id_) < tuple_(request.after.at, request.after.id))
    rows = list(session.scalars(query.order_by(at.desc(), id_.desc()).limit(request.limit + 1)))
    return _page(rows, request.limit, lambda row: Position(getattr(row, at.key), getattr(row, id_.key)))


def _page(rows: list[T], limit: int, position: Any) -> Page[T]:
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], position(rows[limit - 1]))
