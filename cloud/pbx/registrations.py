"""Which lines can be reached now, and where."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from cloud.models import Registration
from cloud.pbx.pages import Page, PageRequest, oldest_first


def list_registrations(
    session: Session, request: PageRequest, now: datetime, site_id: UUID | None = None, user_id: UUID | None = None
) -> Page[Registration]:
    """Bindings that have not run out."""
    query = select(Registration).where(not_run_out(now))
    if site_id is not None:
        query = query.where(Registration.site_id == site_id)
    if user_id is not None:
        query = query.where(Registration.user_id == user_id)
    return oldest_first(session, query, Registration.id, request)


def not_run_out(now: datetime) -> ColumnElement[bool]:
    """Bindings that count at this moment."""
    return or_(Registration.expires_at.is_(None), Registration.expires_at > now)
