"""Edges as the cloud sees them: who they are, whether they are here, and what runs at them.

An edge is online while its lease lies in the future. A hub connection takes the lease, renews it, and releases it;
a later connection of the same edge takes it over, and the earlier one learns of that at its next renewal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import Edge, EdgeLease, EventRow, Site
from cloud.pbx.database import EVENTS_CHANNEL, SITE_CHANNEL, Scope, notify
from cloud.pbx.errors import NotFound
from cloud.pbx.storable import storable_text
from cloud.tokens import Tokens
from contract.sync.events import EngineTold

MAX_PROBLEMS = 50
"""How many reasons of a rejection are kept."""


@dataclass(frozen=True, slots=True)
class KnownEdge:
    """An edge that was created here; the keys are None until it enrolled."""

    edge_id: UUID
    tenant_id: UUID
    site_id: UUID
    identity_key: bytes | None
    """Raw Ed25519 public key."""
    sealing_key: bytes | None
    """Raw X25519 public key."""
    revoked: bool

    @property
    def scope(self) -> Scope:
        """Whose rows its connection works on."""
        return Scope(tenant_id=self.tenant_id)


@dataclass(frozen=True, slots=True)
class EdgeNews:
    """What a hub has to know of a connected edge, in one look."""

    edge_id: UUID
    site_id: UUID
    revoked: bool
    wanted_version: int | None
    """The site's newest snapshot version; None before the first publication."""
    wanted_digest: str | None
    state_changed_at: datetime | None
    """When the site's state last changed."""
    open_commands: int
    """How many commands wait to be sent."""
    lease_hub: str | None
    """Which connection holds the lease."""


def find_edge(session: Session, edge_id: UUID | str) -> KnownEdge | None:
    """The edge with this id, in any scope or none; None when there is none."""
    try:
        wanted = edge_id if isinstance(edge_id, UUID) else UUID(edge_id)
    except ValueError:
        return None
    row = session.execute(text("select * from find_edge(:edge)"), {"edge": wanted}).one_or_none()
    if row is None:
        return None
    return KnownEdge(
        edge_id=row.edge_id,
        tenant_id=row.tenant_id,
        site_id=row.site_id,
        identity_key=bytes(row.identity_key) if row.identity_key is not None else None,
        sealing_key=bytes(row.sealing_key) if row.sealing_key is not None else None,
        revoked=row.revoked_at is not None,
    )


def look_after(session: Session, edge_ids: Iterable[UUID]) -> list[EdgeNews]:
    """What is new for these edges of any tenants: the truth that a hub polls; a deleted edge is missing."""
    rows = session.execute(
        text("select * from look_after_edges(cast(:edges as uuid[]))"), {"edges": [str(edge) for edge in edge_ids]}
    )
    return [
        EdgeNews(
            edge_id=row.edge_id,
            site_id=row.site_id,
            revoked=row.revoked_at is not None,
            wanted_version=row.version,
            wanted_digest=row.digest,
            state_changed_at=row.state_changed_at,
            open_commands=row.open_commands,
            lease_hub=row.lease_hub,
        )
        for row in rows
    ]


def create_edge(session: Session, tokens: Tokens, site_id: UUID, name: str) -> Edge:
    """A place for an edge agent at a site, to be filled by an enrollment.

    Raises:
        NotFound: there is no such site in this scope.
    """
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound
    edge = Edge(id=tokens.id(), tenant_id=site.tenant_id, site_id=site.id, name=name)
    session.add(edge)
    session.flush()
    return edge


def revoke_edge(session: Session, edge: Edge, now: datetime) -> None:
    """Refuse this edge from now on; its hub closes the connection."""
    edge.revoked_at = now
    session.flush()
    notify(session, SITE_CHANNEL, str(edge.site_id))


def take_lease(
    session: Session,
    edge: KnownEdge,
    *,
    hub: str,
    now: datetime,
    seconds: float,
    transport: str = "",
    address: str = "",
    agent_version: str = "",
) -> None:
    """A connection of the edge begins; whatever connection held the lease has lost it.

    Args:
        hub: names the connection, unique among all connections of all hubs.
        now: the moment in UTC.
        seconds: how long the lease lasts unless renewed.
        transport: `quic` or `websocket`.
        address: where the edge connects from.
        agent_version: the edge's own version.
    """
    values = {
        "hub": hub,
        "expires_at": now + timedelta(seconds=seconds),
        "connected_at": now,
        "last_seen_at": now,
        "transport": transport,
        "address": address,
        "agent_version": agent_version,
    }
    row = insert(EdgeLease).values(edge_id=edge.edge_id, tenant_id=edge.tenant_id, site_id=edge.site_id, **values)
    announced = session.execute(
        row.on_conflict_do_update(index_elements=["edge_id"], set_=values).returning(EdgeLease.announced_online)
    ).scalar_one()
    if not announced:
        notify(session, EVENTS_CHANNEL)


def renew_lease(session: Session, edge: KnownEdge, hub: str, now: datetime, seconds: float) -> bool:
    """The connection is alive; False when another connection has taken the edge over."""
    renewed = session.execute(
        update(EdgeLease)
        .where(EdgeLease.edge_id == edge.edge_id, EdgeLease.hub == hub)
        .values(expires_at=now + timedelta(seconds=seconds), last_seen_at=now)
        .returning(EdgeLease.announced_online)
    ).scalar_one_or_none()
    if renewed is False:
        notify(session, EVENTS_CHANNEL)
    return renewed is not None


def renew_leases(session: Session, held: Mapping[UUID, str], now: datetime, seconds: float) -> set[UUID]:
    """The connections of one hub are alive; for a session with platform scope.

    Args:
        held: the connection's name by edge.

    Returns:
        The edges whose leases were renewed; another connection has taken over the others, or they were deleted.
    """
    rows = session.execute(
        text(
            "update edge_leases set expires_at = :expires, last_seen_at = :now"
            " from unnest(cast(:edges as uuid[]), cast(:hubs as text[])) as held(edge_id, hub)"
            " where edge_leases.edge_id = held.edge_id and edge_leases.hub = held.hub"
            " returning edge_leases.edge_id, edge_leases.announced_online"
        ),
        {
            "expires": now + timedelta(seconds=seconds),
            "now": now,
            "edges": [str(edge_id) for edge_id in held],
            "hubs": list(held.values()),
        },
    ).all()
    if not all(row.announced_online for row in rows):
        notify(session, EVENTS_CHANNEL)
    return {row.edge_id for row in rows}


def lose_lease(session: Session, edge: KnownEdge, hub: str, now: datetime) -> None:
    """The connection ended; nothing happens when another one holds the edge by now."""
    lost = session.execute(
        update(EdgeLease)
        .where(EdgeLease.edge_id == edge.edge_id, EdgeLease.hub == hub)
        .values(expires_at=now, last_seen_at=now, hub="")
        .returning(EdgeLease.edge_id)
    ).scalar_one_or_none()
    if lost is not None:
        notify(session, EVENTS_CHANNEL)


def record_applied(session: Session, edge: KnownEdge, version: int, digest: str, now: datetime) -> None:
    """This snapshot version runs at the edge; an earlier rejection of it, or of an older one, is history."""
    overtaken = EdgeLease.rejected_version <= version
    _note(
        session,
        edge,
        applied_version=version,
        applied_digest=digest,
        applied_at=now,
        rejected_version=case((overtaken, None), else_=EdgeLease.rejected_version),
        rejected_at=case((overtaken, None), else_=EdgeLease.rejected_at),
        rejected_problems=case((overtaken, text("'{}'::text[]")), else_=EdgeLease.rejected_problems),
    )


def record_rejected(session: Session, edge: KnownEdge, version: int, problems: Sequence[str], now: datetime) -> None:
    """This snapshot version does not run at the edge, and why."""
    _note(
        session,
        edge,
        rejected_version=version,
        rejected_problems=[storable_text(problem[:1024]) for problem in problems[:MAX_PROBLEMS]],
        rejected_at=now,
    )


def _note(session: Session, edge: KnownEdge, **values: object) -> None:
    known = session.execute(
        update(EdgeLease).where(EdgeLease.edge_id == edge.edge_id).values(**values).returning(EdgeLease.edge_id)
    ).scalar_one_or_none()
    if known is None:
        session.execute(insert(EdgeLease).values(edge_id=edge.edge_id, tenant_id=edge.tenant_id, site_id=edge.site_id))
        session.execute(update(EdgeLease).where(EdgeLease.edge_id == edge.edge_id).values(**values))


def is_online(lease: EdgeLease | None, now: datetime) -> bool:
    """Whether the edge is connected at this moment."""
    return lease is not None and lease.expires_at is not None and lease.expires_at > now


def online_edges(session: Session, now: datetime) -> set[UUID]:
    """Ids of the edges in this scope that are connected at this moment."""
    return set(session.execute(select(EdgeLease.edge_id).where(EdgeLease.expires_at > now)).scalars())


def take_engine(session: Session, row: EventRow, what: EngineTold) -> None:
    """Keep what an edge tells of what its voice services run on."""
    session.execute(
        update(EdgeLease)
        .where(EdgeLease.edge_id == row.edge_id)
        .values(media_engine=what.engine, receives_fax=what.receives_fax)
    )


def cannot_receive_fax(session: Session, site_id: UUID) -> str:
    """What an edge of a site runs on that can receive no fax; empty: each can, or has not told."""
    found = session.scalar(
        select(EdgeLease.media_engine)
        .join(Edge, Edge.id == EdgeLease.edge_id)
        .where(EdgeLease.site_id == site_id, EdgeLease.receives_fax.is_(False), Edge.revoked_at.is_(None))
        .limit(1)
    )
    return found or ""
