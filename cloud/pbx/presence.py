"""Telling, once each time, that an edge came or went: what leases say now against what was told last."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from cloud.models import EdgeLease
from cloud.pbx.edges import is_online
from cloud.pbx.webhooks import announce
from cloud.tokens import Tokens


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """An edge that came or went, and nobody was told yet."""

    tenant_id: UUID
    edge_id: UUID


def presence_changes(session: Session, now: datetime) -> list[PresenceChange]:
    """Edges of any tenants whose presence is not what was told last."""
    rows = session.execute(text("select tenant_id, edge_id from presence_changes(:at)"), {"at": now})
    return [PresenceChange(row.tenant_id, row.edge_id) for row in rows]


def tell_presence(session: Session, tokens: Tokens, edge_id: UUID, now: datetime) -> bool:
    """Announce `edge.online` or `edge.offline`; False when somebody did already."""
    lease = session.get(EdgeLease, edge_id, with_for_update=True)
    if lease is None or lease.announced_online == is_online(lease, now):
        return False
    lease.announced_online = not lease.announced_online
    session.flush()
    event_type = "edge.online" if lease.announced_online else "edge.offline"
    told = {
        "site_id": str(lease.site_id),
        "edge_id": str(edge_id),
        "last_seen_at": lease.last_seen_at.isoformat().replace("+00:00", "Z") if lease.last_seen_at else None,
    }
    announce(session, tokens, lease.tenant_id, event_type, now, told)
    return True
