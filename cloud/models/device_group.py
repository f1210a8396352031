"""Groups of devices that are configured together."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class DeviceGroup(Identified, OfTenant, Versioned, Base):
    """Devices of a tenant, at any of its sites, with what is set for all of them."""

    __tablename__ = "device_groups"
    __table_args__ = (
        of_tenant(),
        referable(),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("weight between 0 and 10000", name="weight"),
    )

    name: Mapped[str]
    weight: Mapped[int] = mapped_column(server_default=text("0"))
    """Of a device's groups the heavier wins."""
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """`contract.snapshot.LevelSettings`: scope → path → value."""


class DeviceGroupMember(OfTenant, Base):
    """One device in one group."""

    __tablename__ = "device_group_members"
    __table_args__ = (
        belongs_to("device_groups", "group_id"),
        belongs_to("devices", "device_id"),
        Index(None, "device_id"),
    )

    group_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
