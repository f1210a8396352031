"""What needs a person at a site, as it is read."""

from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Alarm
from cloud.pbx.pages import Page, PageRequest, newest_first


def list_alarms(
    session: Session,
    request: PageRequest,
    site_id: UUID | None = None,
    state: Literal["open", "cleared"] | None = None,
) -> Page[Alarm]:
    """Alarms, the latest first."""
    query = select(Alarm)
    if site_id is not None:
        query = query.where(Alarm.site_id == site_id)
    if state is not None:
        query = query.where(Alarm.cleared_at.is_(None) if state == "open" else Alarm.cleared_at.is_not(None))
    return newest_first(session, query, Alarm.raised_at, Alarm.id, request)
