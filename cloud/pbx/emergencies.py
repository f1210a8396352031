"""Calls for help: taken in from edges, told at once, and listed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import DialPlan, EmergencyCall, EventRow, Site
from cloud.pbx.mails import request_mails
from cloud.pbx.pages import Page, PageRequest, newest_first
from cloud.pbx.webhooks import announce
from cloud.tokens import Tokens
from contract.snapshot import EmergencyPolicy
from contract.sync.events import EmergencyCalled


def list_emergencies(session: Session, request: PageRequest, site_id: UUID | None = None) -> Page[EmergencyCall]:
    """Calls for help, the latest first."""
    query = select(EmergencyCall)
    if site_id is not None:
        query = query.where(EmergencyCall.site_id == site_id)
    return newest_first(session, query, EmergencyCall.at, EmergencyCall.id, request)


def take_emergency(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: EmergencyCalled) -> None:
    """Keep a call for help, and tell of it; the same one sent twice is told once."""
    values = what.model_dump(exclude={"kind"})
    for name in ("user_id", "device_id"):
        values[name] = UUID(values[name]) if values[name] else None
    new = session.execute(
        insert(EmergencyCall)
        .values(id=tokens.id(), tenant_id=row.tenant_id, site_id=row.site_id, edge_id=row.edge_id, at=at, **values)
        .on_conflict_do_nothing(index_elements=["site_id", "call_id"])
        .returning(EmergencyCall.id)
    ).scalar_one_or_none()
    if new is not None:
        told = what.model_dump(mode="json", exclude={"kind"})
        where = {"site_id": str(row.site_id), "edge_id": str(row.edge_id)}
        announce(session, tokens, row.tenant_id, "emergency.called", at, {**where, **told})
        _mail(session, tokens, row, at, what)


def _mail(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: EmergencyCalled) -> None:
    """Have the people told whom the site's dial plan names."""
    plan, site = session.get(DialPlan, row.site_id), session.get(Site, row.site_id)
    policy = EmergencyPolicy.model_validate(plan.document.get("emergency", {})) if plan is not None else None
    if policy is None or site is None or not policy.mail_to:
        return
    lines = (
        f"Somebody at {site.name} called {what.number} for help.",
        "",
        f"Time: {at:%Y-%m-%d %H:%M:%S} UTC",
        f"Caller: {what.caller or 'not known'}",
        f"Place: {what.location_name or 'not known'}",
        f"Address: {what.address or 'not known'}",
        f"Call back: {what.caller_id or 'not known'}",
        f"Phone: {what.source}",
        "",
    )
    subject = f"Emergency call to {what.number} at {site.name}"[:255]
    about = f"emergency {row.site_id} {what.call_id}"
    request_mails(session, tokens, row.tenant_id, about, policy.mail_to, subject, "\n".join(lines))
