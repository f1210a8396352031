"""What edges reported, as it is read; it is kept by inbox.py."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import EventRow
from cloud.pbx.pages import Page, PageRequest, newest_first


def list_events(
    session: Session, request: PageRequest, site_id: UUID | None = None, kind: str | None = None
) -> Page[EventRow]:
    """Events, the latest first."""
    query = select(EventRow)
    if site_id is not None:
        query = query.where(EventRow.site_id == site_id)
    if kind is not None:
        query = query.where(EventRow.kind == kind)
    return newest_first(session, query, EventRow.at, EventRow.id, request)
