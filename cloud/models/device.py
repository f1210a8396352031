"""Phones and gateways that a site provisions."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class Device(Identified, OfTenant, Versioned, Base):
    """One phone or gateway, known by its MAC address."""

    __tablename__ = "devices"
    __table_args__ = (
        of_tenant(),
        referable(),
        belongs_to("sites", "site_id"),
        ForeignKeyConstraint(
            ["tenant_id", "admin_secret_id", "admin_secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
        UniqueConstraint("tenant_id", "mac"),
        CheckConstraint("mac ~ '^[0-9a-f]{12}$'", name="mac"),
        Index(None, "tenant_id", "site_id"),
    )

    site_id: Mapped[UUID]
    mac: Mapped[str]
    """Twelve lower-case hexadecimal digits."""
    model: Mapped[str]
    """`<vendor>/<model>` of a device plug-in."""
    name: Mapped[str] = mapped_column(server_default="")
    serial: Mapped[str] = mapped_column(server_default="")
    """The maker's serial number, which some redirect services ask for."""
    emergency_location_id: Mapped[str | None]
    """Where it is, of the places in the site's dial plan; None: the site's default."""
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What differs from the model's defaults, by setting path."""
    admin_secret_id: Mapped[UUID | None]
    admin_secret_version: Mapped[int | None]
    """The phone's own web password."""
