"""Where tenants want to be told what happens, and every message that was to be delivered there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class WebhookEndpoint(Identified, OfTenant, Versioned, Base):
    """A URL that receives signed messages about events of the tenant."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        of_tenant(),
        referable(),
        ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
    )

    url: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    event_types: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Which event types it wants; empty means all."""
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(server_default="")
    secret_id: Mapped[UUID]
    secret_version: Mapped[int]
    """What its messages are signed with."""


class WebhookDelivery(Identified, OfTenant, Created, Base):
    """One message to one endpoint, and how its delivery goes."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        belongs_to("webhook_endpoints", "endpoint_id"),
        UniqueConstraint("endpoint_id", "message_id"),
        CheckConstraint("state in ('pending', 'delivered', 'failed', 'cancelled')", name="state"),
        Index("ix_webhook_deliveries_endpoint_id_created_at", "endpoint_id", "created_at"),
        Index("ix_webhook_deliveries_tenant_id_created_at", "tenant_id", "created_at"),
    )

    endpoint_id: Mapped[UUID]
    message_id: Mapped[str]
    """The `webhook-id` header: the same in every attempt."""
    event_type: Mapped[str]
    body: Mapped[str]
    """The JSON text that is signed and sent."""
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_attempt_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    response_status: Mapped[int | None]
    """HTTP status of the last attempt; None when no answer came."""
    response_text: Mapped[str] = mapped_column(server_default="")
    """The beginning of the last answer."""
    error: Mapped[str] = mapped_column(server_default="")
    """Why the last attempt failed."""
    delivered_at: Mapped[datetime | None]
