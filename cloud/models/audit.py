"""Who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified


class AuditEntry(Identified, Base):
    """One change made by one account; written in the transaction of the change, never changed."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_tenant_id_at", "tenant_id", "at"), Index("ix_audit_msp_id_at", "msp_id", "at"))

    msp_id: Mapped[UUID | None] = mapped_column(ForeignKey("msps.id", ondelete="CASCADE"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    account_id: Mapped[UUID | None]
    actor: Mapped[str]
    """The account's e-mail address at that time, or the name of a process."""
    action: Mapped[str]
    """Such as `user.updated`."""
    resource: Mapped[str]
    """Kind of the thing changed, such as `user`."""
    resource_id: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Field → [before, after]; never a secret's value."""
    source: Mapped[str] = mapped_column(server_default="")
    """IP address of the request."""
