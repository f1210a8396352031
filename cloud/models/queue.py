"""What became of the callers of sites' call queues."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, belongs_to


class QueueCall(Identified, OfTenant, Base):
    """One caller of a queue, from coming to going (`contract.sync.queue_events.QueueCallEnded`)."""

    __tablename__ = "queue_calls"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        UniqueConstraint("site_id", "call_id"),
        Index("ix_queue_calls_site_id_came_at", "site_id", "came_at"),
        Index(None, "tenant_id", "agent_id"),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    call_id: Mapped[str]
    """The edge's own opaque id."""
    queue_id: Mapped[str]
    """A voice service of the site's dial plan, which may be gone."""
    queue_name: Mapped[str]
    """At that time."""
    caller: Mapped[str]
    caller_name: Mapped[str]
    came_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
    outcome: Mapped[str]
    sent_to: Mapped[str]
    agent_id: Mapped[UUID | None]
    """A user, who may be gone."""
    wrap_up_seconds: Mapped[float]
    offers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Who was rung, in turn, as JSON."""
