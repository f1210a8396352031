"""Vendors' redirect services: how a tenant logs in there, and what each phone's maker is told of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class RedirectAccount(Identified, OfTenant, Versioned, Base):
    """A tenant's account at the service of one vendor."""

    __tablename__ = "redirect_accounts"
    __table_args__ = (
        of_tenant(),
        referable(),
        UniqueConstraint("tenant_id", "vendor"),
        CheckConstraint("check_state in ('', 'pending', 'good', 'bad')", name="check_state"),
        ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
    )

    vendor: Mapped[str]
    """Whose phones: as plug-ins name it in `redirect_service`."""
    service: Mapped[str]
    """Which of the vendor's services (`cloud.pbx.redirect_services`)."""
    api_url: Mapped[str]
    phones_url: Mapped[str]
    """Where phones are sent; `{host}` stands for the site's server name."""
    username: Mapped[str]
    secret_id: Mapped[UUID]
    secret_version: Mapped[int]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    """False: what was told is taken back."""
    check_state: Mapped[str] = mapped_column(server_default="")
    check_text: Mapped[str] = mapped_column(server_default="")
    checked_at: Mapped[datetime | None]


class DeviceRedirect(Identified, OfTenant, Created, Base):
    """What a vendor's service is to know of one phone, and how far it knows it."""

    __tablename__ = "device_redirects"
    __table_args__ = (
        belongs_to("redirect_accounts", "account_id"),
        UniqueConstraint("account_id", "mac"),
        CheckConstraint("state in ('pending', 'pushed', 'removing', 'failed')", name="state"),
        Index("ix_device_redirects_tenant_id_mac", "tenant_id", "mac"),
    )

    account_id: Mapped[UUID]
    mac: Mapped[str]
    url: Mapped[str]
    """Where the phone is sent; empty: it is to be taken off the service."""
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    """Counts what was wished, so that an attempt for an older wish does not count."""
    state: Mapped[str]
    problem: Mapped[str] = mapped_column(server_default="")
    """`claimed`, `credentials`, `refused`, `unreachable`; empty: none."""
    problem_text: Mapped[str] = mapped_column(server_default="")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime | None]
    attempted_at: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]
    """When the service last took it."""
