"""Phones that asked a site for their configuration and are not known there."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import UnknownPhone
from cloud.pbx.checks import get_for_change
from cloud.pbx.desk import Desk
from cloud.pbx.pages import Page, PageRequest, newest_first


def list_unknown_phones(session: Session, request: PageRequest, site_id: UUID | None = None) -> Page[UnknownPhone]:
    """Unknown phones, the latest seen first."""
    query = select(UnknownPhone)
    if site_id is not None:
        query = query.where(UnknownPhone.site_id == site_id)
    return newest_first(session, query, UnknownPhone.last_seen_at, UnknownPhone.id, request)


def delete_unknown_phone(desk: Desk, phone_id: UUID) -> None:
    """Forget a phone; it comes back when it asks again."""
    phone = get_for_change(desk.session, UnknownPhone, phone_id)
    desk.record("unknown_phone.deleted", "unknown_phone", phone.id, {"mac": [phone.mac, None]}, phone.tenant_id)
    desk.session.delete(phone)
    desk.flush()
