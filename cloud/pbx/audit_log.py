"""Who changed what, as it is read; it is written by audit.py."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import AuditEntry
from cloud.pbx.pages import Page, PageRequest, newest_first


def list_audit(
    session: Session, request: PageRequest, resource: str | None = None, resource_id: str | None = None
) -> Page[AuditEntry]:
    """Changes, the latest first."""
    query = select(AuditEntry)
    if resource is not None:
        query = query.where(AuditEntry.resource == resource)
    if resource_id is not None:
        query = query.where(AuditEntry.resource_id == resource_id)
    return newest_first(session, query, AuditEntry.at, AuditEntry.id, request)
