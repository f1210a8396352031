"""Providers (MSPs) and their tenants."""

import base64
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloud.models import Msp, Site, Tenant
from cloud.pbx.checks import apply_changes, check_version, get_for_change, get_or_refuse, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.pages import Page, PageRequest, oldest_first


def list_msps(session: Session, request: PageRequest) -> Page[Msp]:
    """The providers that the transaction sees."""
    return oldest_first(session, select(Msp), Msp.id, request)


def get_msp(session: Session, msp_id: UUID) -> Msp:
    """One provider."""
    return get_or_refuse(session, Msp, msp_id)


def create_msp(desk: Desk, name: str) -> Msp:
    """A new provider."""
    msp = Msp(id=desk.tokens.id(), name=name)
    desk.session.add(msp)
    _unique(desk, "name", "There is a provider of this name")
    desk.record("msp.created", "msp", msp.id, {"name": [None, name]}, msp_id=msp.id)
    return msp


def list_tenants(session: Session, request: PageRequest, msp_id: UUID | None = None) -> Page[Tenant]:
    """The tenants that the transaction sees."""
    query = select(Tenant) if msp_id is None else select(Tenant).where(Tenant.msp_id == msp_id)
    return oldest_first(session, query, Tenant.id, request)


def get_tenant(session: Session, tenant_id: UUID) -> Tenant:
    """One tenant."""
    return get_or_refuse(session, Tenant, tenant_id)


MAX_FORMER_DOMAINS: Final = 16
"""Older ones are forgotten: no phone goes that long without its file."""


def create_tenant(desk: Desk, msp_id: UUID | None, name: str, domain: str) -> Tenant:
    """A new tenant; its digest realm is made here and never changes."""
    msp = desk.session.get(Msp, msp_id) if msp_id is not None else None
    if msp is None:
        raise invalid("msp_id", unknown("provider") if msp_id else "Say which provider the tenant belongs to")
    realm = base64.b32encode(desk.tokens.secret(15)).decode().lower()
    tenant = Tenant(id=desk.tokens.id(), msp_id=msp.id, name=name, domain=domain, realm=realm)
    desk.session.add(tenant)
    _unique(desk, "domain", "This SIP domain is in use")
    desk.record("tenant.created", "tenant", tenant.id, {"name": [None, name], "domain": [None, domain]}, tenant.id)
    return tenant


def change_tenant(desk: Desk, tenant_id: UUID, changes: Mapping[str, Any], expected: int | None) -> Tenant:
    """Change a tenant; a new domain is published to each of its sites."""
    tenant = get_for_change(desk.session, Tenant, tenant_id)
    check_version(tenant, expected)
    changed = apply_changes(tenant, changes)
    if not changed:
        return tenant
    _unique(desk, "domain", "This SIP domain is in use")
    desk.record("tenant.changed", "tenant", tenant.id, changed, tenant.id)
    if "domain" in changed:
        old = [changed["domain"][0], *tenant.former_domains]
        tenant.former_domains = [name for name in old if name != tenant.domain][:MAX_FORMER_DOMAINS]
        for site_id in desk.session.scalars(select(Site.id).where(Site.tenant_id == tenant.id)):
            desk.publish(site_id, "The tenant's SIP domain was changed")
    return tenant


def delete_tenant(desk: Desk, tenant_id: UUID, expected: int | None) -> None:
    """Delete a tenant and all it has."""
    tenant = get_for_change(desk.session, Tenant, tenant_id)
    check_version(tenant, expected)
    # Of the provider, because what belongs to the tenant goes with it.
    desk.record("tenant.deleted", "tenant", tenant.id, {"name": [tenant.name, None]}, msp_id=tenant.msp_id)
    desk.session.delete(tenant)
    desk.flush()


def _unique(desk: Desk, field: str, message: str) -> None:
    """Flush; the one name that other tenants' rows can have taken is told as the field's problem."""
    try:
        desk.session.flush()
    except IntegrityError:
        raise invalid(field, message) from None
