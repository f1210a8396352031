"""Edges: their keys, how they enroll, whether they are here, and what they are told to do."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class Edge(Identified, OfTenant, Versioned, Base):
    """An edge agent's place at a site; it has keys once it has enrolled."""

    __tablename__ = "edges"
    __table_args__ = (of_tenant(), referable(), belongs_to("sites", "site_id"), Index(None, "tenant_id", "site_id"))

    site_id: Mapped[UUID]
    name: Mapped[str]
    identity_key: Mapped[bytes | None]
    """Raw Ed25519 public key, made at the edge."""
    sealing_key: Mapped[bytes | None]
    """Raw X25519 public key, made at the edge; secrets are sealed to it."""
    enrolled_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    """From then on the hub refuses it."""
    sip_host: Mapped[str | None]
    """The IPv4 address at which the tenant's other sites reach it; None: they do not."""
    sip_port: Mapped[int] = mapped_column(server_default="5063")
    """The port there."""


class EnrollmentCode(Identified, OfTenant, Created, Base):
    """A one-time right to become an edge; only the hash of its token is kept."""

    __tablename__ = "enrollment_codes"
    __table_args__ = (belongs_to("edges", "edge_id"),)

    edge_id: Mapped[UUID] = mapped_column(index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the token."""
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class EdgeLease(OfTenant, Base):
    """Whether an edge is here, and what it last said: kept apart from `edges` because it changes all the time.

    An edge is online while `expires_at` lies in the future.
    """

    __tablename__ = "edge_leases"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "edge_id"], ["edges.tenant_id", "edges.id"], ondelete="CASCADE"),
        Index("ix_edge_leases_announced", "expires_at", postgresql_where=text("announced_online")),
    )

    edge_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(index=True)
    hub: Mapped[str] = mapped_column(server_default="")
    """The hub connection that holds the edge; a newer connection takes the lease over."""
    expires_at: Mapped[datetime | None]
    connected_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    transport: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    agent_version: Mapped[str] = mapped_column(server_default="")
    applied_version: Mapped[int | None]
    applied_digest: Mapped[str | None]
    applied_at: Mapped[datetime | None]
    rejected_version: Mapped[int | None]
    rejected_problems: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    rejected_at: Mapped[datetime | None]
    media_engine: Mapped[str] = mapped_column(server_default="")
    """What its voice services run on; empty: it has not told."""
    receives_fax: Mapped[bool | None]
    """None: it has not told."""
    announced_online: Mapped[bool] = mapped_column(server_default=text("false"))
    """What the last `edge.online` or `edge.offline` said."""


class Command(Identified, OfTenant, Created, Base):
    """Something for an edge to do at once; the hub sends it and keeps the answer."""

    __tablename__ = "commands"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "edge_id"], ["edges.tenant_id", "edges.id"], ondelete="CASCADE"),
        Index("ix_commands_open", "edge_id", postgresql_where=text("finished_at is null")),
    )

    edge_id: Mapped[UUID]
    name: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    ok: Mapped[bool | None]
    result: Mapped[str] = mapped_column(server_default="")
