"""Call detail records, as they are read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cloud.models import CallRecord
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.errors import NotFound
from cloud.pbx.pages import Page, PageRequest, newest_first


def list_calls(
    session: Session,
    request: PageRequest,
    site_id: UUID | None = None,
    user_id: UUID | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
    only: UUID | None = None,
) -> Page[CallRecord]:
    """Calls, the latest first; `user_id` and `only` narrow to calls that the user made or got."""
    query = select(CallRecord)
    if site_id is not None:
        query = query.where(CallRecord.site_id == site_id)
    for user in (user_id, only):
        if user is not None:
            query = query.where(or_(CallRecord.caller_user_id == user, CallRecord.callee_user_id == user))
    if after is not None:
        query = query.where(CallRecord.started_at >= after)
    if before is not None:
        query = query.where(CallRecord.started_at < before)
    return newest_first(session, query, CallRecord.started_at, CallRecord.id, request)


def get_call(session: Session, record_id: UUID, only: UUID | None = None) -> CallRecord:
    """One call; whoever may see those of `only` one user finds no other."""
    call = get_or_refuse(session, CallRecord, record_id)
    if only is not None and only not in {call.caller_user_id, call.callee_user_id}:
        raise NotFound
    return call
