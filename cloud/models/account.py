"""Who may log in to the portal and the API."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, Versioned

ROLES = ("platform_admin", "msp_admin", "tenant_admin", "user")
"""From everything to one's own telephone."""


class Account(Identified, Versioned, Base):
    """A log-in; what it may see follows from its role and from the MSP or tenant it belongs to."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(
            "case role when 'platform_admin' then msp_id is null and tenant_id is null and user_id is null"
            " when 'msp_admin' then msp_id is not null and tenant_id is null and user_id is null"
            " when 'tenant_admin' then msp_id is null and tenant_id is not null"
            " when 'user' then msp_id is null and tenant_id is not null and user_id is not null else false end",
            name="role",
        ),
        Index("uq_accounts_email", text("lower(email)"), unique=True),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"),
    )

    msp_id: Mapped[UUID | None] = mapped_column(ForeignKey("msps.id", ondelete="CASCADE"), index=True)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID | None]
    """The telephone user this log-in is for; always set for the role `user`."""
    role: Mapped[str]
    email: Mapped[str]
    display_name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    """Argon2id, as text with its parameters."""
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))


class RefreshToken(Identified, Created, Base):
    """One link of a chain of refresh tokens; using a link twice ends the whole chain."""

    __tablename__ = "refresh_tokens"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    """The same for every token that one log-in led to."""
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256; the token itself is nowhere."""
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
