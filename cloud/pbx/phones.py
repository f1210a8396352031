"""What is known of phones from what edges told: the last visit of each device, refusals, files that phones sent."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import DeviceVisit, PhoneRefusal, PhoneUpload
from cloud.pbx.checks import get_for_change, get_or_refuse
from cloud.pbx.desk import Desk
from cloud.pbx.pages import Page, PageRequest, newest_first, oldest_first


def visits_of(session: Session, device_ids: Collection[UUID]) -> dict[UUID, DeviceVisit]:
    """The last visit of each of these devices that has made one."""
    if not device_ids:
        return {}
    rows = session.scalars(select(DeviceVisit).where(DeviceVisit.device_id.in_(device_ids)))
    return {row.device_id: row for row in rows}


def list_refusals(session: Session, request: PageRequest, site_id: UUID | None = None) -> Page[PhoneRefusal]:
    """What phones were refused, the latest first."""
    query = select(PhoneRefusal)
    if site_id is not None:
        query = query.where(PhoneRefusal.site_id == site_id)
    return newest_first(session, query, PhoneRefusal.last_seen_at, PhoneRefusal.id, request)


def delete_refusal(desk: Desk, refusal_id: UUID) -> None:
    """Forget a refusal; it comes back when it happens again."""
    refusal = get_for_change(desk.session, PhoneRefusal, refusal_id)
    shown = {"reason": [refusal.reason, None], "identity": [refusal.identity, None]}
    desk.record("phone_refusal.deleted", "phone_refusal", refusal.id, shown, refusal.tenant_id)
    desk.session.delete(refusal)
    desk.flush()


def list_uploads(session: Session, request: PageRequest, device_id: UUID | None = None) -> Page[PhoneUpload]:
    """The files that phones sent, the oldest name first."""
    query = select(PhoneUpload)
    if device_id is not None:
        query = query.where(PhoneUpload.device_id == device_id)
    return oldest_first(session, query, PhoneUpload.id, request)


def get_upload(session: Session, upload_id: UUID) -> PhoneUpload:
    """One file that a phone sent."""
    return get_or_refuse(session, PhoneUpload, upload_id)
