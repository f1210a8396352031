"""Cursor paging: `?limit=` and `?cursor=` in, `next` out.

A cursor is opaque to clients: base64url of a place in the collection's order. It is checked when it comes back, and
it can only move within what the caller may see anyway, so it needs no signature.
"""

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from cloud.pbx.errors import FieldProblem, Invalid
from cloud.pbx.pages import PageRequest, Position

MAX_LIMIT: Final = 200
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many to list at most")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before this one; absent: the first page")
]


def page_request(limit: int, cursor: str | None) -> PageRequest:
    """What the query asked for.

    Raises:
        Invalid: naming `cursor`, when it is none of ours.
    """
    return PageRequest(limit=limit, after=decode_cursor(cursor) if cursor else None)


def encode_cursor(position: Position | None) -> str | None:
    """The text of a place in a collection, or None where it ends."""
    if position is None:
        return None
    at = position.at.isoformat() if position.at else None
    return base64.urlsafe_b64encode(json.dumps([at, str(position.id)]).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Position:
    """The place that a cursor names.

    Raises:
        Invalid: naming `cursor`, when it is none of ours.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        at, id_ = json.loads(raw)
        moment = None if at is None else datetime.fromisoformat(at)
        if moment is not None and moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return Position(at=moment, id=UUID(id_))
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
        raise Invalid(problems=[FieldProblem("cursor", "This is no cursor of this collection")]) from None


def encode_names(place: tuple[str, ...] | None) -> str | None:
    """The text of a place in a collection that is ordered by names; None where it ends."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


def decode_names(text: str, many: int) -> tuple[str, ...]:
    """The place that such a cursor names.

    Args:
        text: of the cursor.
        many: how many names a place has.

    Raises:
        Invalid: naming `cursor`, when it is none of ours.
    """
    try:
        names = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(names, list) or len(names) != many or not all(isinstance(one, str) for one in names):
            raise ValueError("no place")
    except (binascii.Error, ValueError, RecursionError):
        raise Invalid(problems=[FieldProblem("cursor", "This is no cursor of this collection")]) from None
    return tuple(names)
