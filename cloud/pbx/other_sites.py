"""How the sites of a tenant know each other: whose edges have an address for it, and who is there.

A site is linked when one of its edges has an address (`sip_host`) and the tenant's authority signed its certificate.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import DialPlan, Edge, Site, User
from contract import snapshot as contract


def site_name(tenant_id: UUID, site_id: UUID) -> str:
    """The name by which the edges of a site prove themselves to other sites of the tenant."""
    return f"{site_id}.{tenant_id}{contract.SITE_NAMES}"


def is_linked(session: Session, site_id: UUID) -> bool:
    """Whether an edge of the site has an address for other sites."""
    query = select(Edge.id).where(Edge.site_id == site_id, Edge.sip_host.is_not(None), Edge.revoked_at.is_(None))
    return session.scalar(query.limit(1)) is not None


def other_sites(session: Session, site: Site) -> tuple[contract.OtherSite, ...]:
    """The sites that this one can call edge to edge, sorted by id; none where it is not linked itself."""
    if not site.sip_certificate_issued or not is_linked(session, site.id):
        return ()
    edges = edges_of_others(session, site)
    rows = session.scalars(select(Site).where(Site.id.in_(edges), Site.sip_certificate_issued)) if edges else ()
    others = {row.id: row for row in rows}
    users: dict[UUID, list[User]] = defaultdict(list)
    for user in session.scalars(select(User).where(User.site_id.in_(others), User.enabled).order_by(User.id)):
        users[user.site_id].append(user)
    documents = {
        row.site_id: row.document for row in session.scalars(select(DialPlan).where(DialPlan.site_id.in_(others)))
    }
    return tuple(
        contract.OtherSite(
            site_id=str(other.id),
            name=other.name,
            certificate_name=site_name(other.tenant_id, other.id),
            edges=tuple(
                contract.EdgeAddress(edge_id=str(edge.id), host=edge.sip_host or "", port=edge.sip_port)
                for edge in edges[other.id]
            ),
            colleagues=tuple(_colleagues(users[other.id], documents.get(other.id, {}))),
        )
        for other in sorted(others.values(), key=lambda one: str(one.id))
    )


def edges_of_others(session: Session, site: Site) -> Mapping[UUID, list[Edge]]:
    """The edges that have an address for this site, by the site that they are of."""
    query = select(Edge).where(
        Edge.tenant_id == site.tenant_id,
        Edge.site_id != site.id,
        Edge.sip_host.is_not(None),
        Edge.revoked_at.is_(None),
    )
    found: dict[UUID, list[Edge]] = defaultdict(list)
    for edge in session.scalars(query.order_by(Edge.id)):
        found[edge.site_id].append(edge)
    return found


def _colleagues(users: Iterable[User], document: Mapping[str, Any]) -> Iterable[contract.Colleague]:
    """Users, then the hunt groups and voice services that are switched on."""
    numbers = {str(one["destination"]): str(one["number"]) for one in reversed(document.get("numbers") or ())}
    for user in users:
        names = _names(user.username, user.extension, user.aliases)
        yield contract.Colleague(
            name=user.display_name, dialled=names, number=_number(names, numbers) or user.caller_id
        )
    for group in (*(document.get("hunt_groups") or ()), *(document.get("voice_services") or ())):
        if group.get("enabled", True):
            names = _names(group["extension"], None, (*(group.get("aliases") or ()), *(group.get("orbits") or ())))
            yield contract.Colleague(name=group["name"], dialled=names, number=_number(names, numbers))


def _names(first: str, second: str | None, more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((first, *((second,) if second else ()), *more)))


def _number(names: Collection[str], numbers: Mapping[str, str]) -> str | None:
    return next((numbers[name] for name in names if name in numbers), None)
