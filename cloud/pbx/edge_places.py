"""Edges as a tenant configures and sees them: places for agents, and whether one is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from cloud.models import Edge, EdgeLease, EnrollmentCode, Site
from cloud.pbx import edges
from cloud.pbx.checks import apply_changes, check_version, get_for_change, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.enrollment import IssuedCode, issue_code
from cloud.pbx.errors import Conflict, NotFound
from cloud.pbx.other_sites import is_linked
from cloud.pbx.pages import Page, PageRequest, Position
from cloud.pbx.sip_certificates import prove_to_other_sites
from cloud.pbx.site_links import publish_all_linked
from contract import snapshot as contract


@dataclass(frozen=True, slots=True)
class EdgeView:
    """An edge with what it last said; a lease that has run out means that it is offline."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    tenant_id: UUID
    site_id: UUID
    name: str
    enrolled_at: datetime | None
    revoked_at: datetime | None
    sip_host: str | None
    sip_port: int
    online: bool
    last_seen_at: datetime | None
    connected_at: datetime | None
    transport: str
    address: str
    agent_version: str
    applied_version: int | None
    applied_at: datetime | None
    rejected_version: int | None
    rejected_problems: Sequence[str]
    media_engine: str
    receives_fax: bool | None

    @property
    def edge_id(self) -> UUID:
        """The same as `id`, for where an edge is shown inside a site."""
        return self.id

    @property
    def enrolled(self) -> bool:
        """Whether an agent has become this edge."""
        return self.enrolled_at is not None


def list_edges(session: Session, request: PageRequest, now: datetime, site_id: UUID | None = None) -> Page[EdgeView]:
    """Edges with their state, one statement; revoked ones are gone from here."""
    query = _query().where(Edge.revoked_at.is_(None))
    if site_id is not None:
        query = query.where(Edge.site_id == site_id)
    if request.after is not None:
        query = query.where(Edge.id > request.after.id)
    rows = session.execute(query.order_by(Edge.id).limit(request.limit + 1)).all()
    items = [_view(edge, lease, now) for edge, lease in rows[: request.limit]]
    return Page(items, Position(None, items[-1].id) if len(rows) > request.limit else None)


def views_of_sites(session: Session, site_ids: Sequence[UUID], now: datetime) -> list[EdgeView]:
    """Every edge of these sites, oldest first."""
    if not site_ids:
        return []
    query = _query().where(Edge.site_id.in_(site_ids), Edge.revoked_at.is_(None)).order_by(Edge.id)
    return [_view(edge, lease, now) for edge, lease in session.execute(query)]


def get_edge(session: Session, edge_id: UUID, now: datetime) -> EdgeView:
    """One edge."""
    row = session.execute(_query().where(Edge.id == edge_id)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row[0], row[1], now)


def create_edge(desk: Desk, site_id: UUID, name: str) -> Edge:
    """A new place for an agent; it is one once an enrollment code was used for it."""
    if desk.session.get(Site, site_id) is None:
        raise invalid("site_id", unknown("site"))
    edge = edges.create_edge(desk.session, desk.tokens, site_id, name)
    desk.record("edge.created", "edge", edge.id, {"name": [None, name]}, edge.tenant_id)
    return edge


def change_edge(desk: Desk, edge_id: UUID, changes: Mapping[str, Any], expected: int | None) -> None:
    """Rename an edge, or say where the tenant's other sites reach it; each of those is published.

    Args:
        changes: `name`; `sip_host`, an IPv4 address or None, and `sip_port`.

    Raises:
        Invalid: the site's certificate is none by which others would know it, or it has enough edges.
        Conflict: it was revoked.
    """
    edge = get_for_change(desk.session, Edge, edge_id)
    check_version(edge, expected)
    if edge.revoked_at is not None and changes.get("sip_host") is not None:
        raise Conflict("This edge was revoked; create another")
    was_linked = is_linked(desk.session, edge.site_id)
    if changed := apply_changes(edge, changes):
        desk.flush()
        desk.record("edge.changed", "edge", edge.id, changed, edge.tenant_id)
    if changed.keys() & {"sip_host", "sip_port"}:
        if edge.sip_host is not None:
            _check_count(desk.session, edge.site_id)
            prove_to_other_sites(desk, edge.site_id)
        _publish_link(desk, edge, was_linked=was_linked)


def _check_count(session: Session, site_id: UUID) -> None:
    query = select(func.count()).where(Edge.site_id == site_id, Edge.sip_host.is_not(None), Edge.revoked_at.is_(None))
    if (session.scalar(query) or 0) > contract.MAX_EDGES:
        raise invalid("sip_host", f"Other sites know {contract.MAX_EDGES} edges of a site at most")


def _publish_link(desk: Desk, edge: Edge, *, was_linked: bool) -> None:
    """Publish the site and those that know, or knew, it."""
    if not was_linked and edge.sip_host is None:
        return
    desk.publish(edge.site_id, f"Where other sites reach edge {edge.name} was changed")
    publish_all_linked(desk, edge.tenant_id, f"Where edge {edge.name} is reached was changed")


def revoke_edge(desk: Desk, edge_id: UUID, expected: int | None) -> None:
    """Refuse an edge from now on: its connection ends, its codes too; its history stays."""
    edge = get_for_change(desk.session, Edge, edge_id)
    check_version(edge, expected)
    if edge.revoked_at is not None:
        return
    edges.revoke_edge(desk.session, edge, desk.clock.now())
    desk.record("edge.revoked", "edge", edge.id, {"name": [edge.name, None]}, edge.tenant_id)
    if edge.sip_host is not None:
        _publish_link(desk, edge, was_linked=True)


def new_enrollment_code(desk: Desk, edge_id: UUID) -> IssuedCode:
    """A new one-time code for an edge; codes that were not used end.

    Raises:
        NotFound: there is no such edge.
        Conflict: it was revoked; create another.
    """
    edge = get_for_change(desk.session, Edge, edge_id)
    if edge.revoked_at is not None:
        raise Conflict("This edge was revoked; create another")
    now = desk.clock.now()
    desk.session.execute(
        update(EnrollmentCode)
        .where(EnrollmentCode.edge_id == edge.id, EnrollmentCode.used_at.is_(None))
        .values(expires_at=now)
    )
    issued = issue_code(desk.session, desk.tokens, edge, now)
    desk.record("edge.enrollment_code_made", "edge", edge.id, {}, edge.tenant_id)
    return issued


def _query() -> Select[Edge, EdgeLease | None]:
    return select(Edge, EdgeLease).outerjoin(EdgeLease, EdgeLease.edge_id == Edge.id)


def _view(edge: Edge, lease: EdgeLease | None, now: datetime) -> EdgeView:
    refused = lease is not None and (lease.rejected_version or 0) > (lease.applied_version or 0)
    return EdgeView(
        id=edge.id,
        version=edge.version,
        created_at=edge.created_at,
        updated_at=edge.updated_at,
        tenant_id=edge.tenant_id,
        site_id=edge.site_id,
        name=edge.name,
        enrolled_at=edge.enrolled_at,
        revoked_at=edge.revoked_at,
        sip_host=edge.sip_host,
        sip_port=edge.sip_port,
        online=edges.is_online(lease, now),
        last_seen_at=lease.last_seen_at if lease else None,
        connected_at=lease.connected_at if lease else None,
        transport=lease.transport if lease else "",
        address=lease.address if lease else "",
        agent_version=lease.agent_version if lease else "",
        applied_version=lease.applied_version if lease else None,
        applied_at=lease.applied_at if lease else None,
        rejected_version=lease.rejected_version if lease and refused else None,
        rejected_problems=lease.rejected_problems if lease and refused else [],
        media_engine=lease.media_engine if lease else "",
        receives_fax=lease.receives_fax if lease else None,
    )
