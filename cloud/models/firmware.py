"""Files too large for rows, and firmware: which versions there are, which phones are to have them, how far they are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class Blob(OfTenant, Created, Base):
    """A file in the object store, or one that was announced and may be on its way there."""

    __tablename__ = "blobs"
    __table_args__ = (
        of_tenant(),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("size_bytes between 1 and 536870912", name="size"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-99)
    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of its bytes, in lower-case hexadecimal."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class Firmware(Identified, OfTenant, Versioned, Base):
    """One version of a vendor's firmware for some of its models."""

    __tablename__ = "firmware"
    __table_args__ = (of_tenant(), referable(), Index(None, "tenant_id", "vendor"))

    vendor: Mapped[str]
    models: Mapped[list[str]]
    """Those of the vendor's that it fits, without the vendor."""
    firmware_version: Mapped[str]
    """As phones that run it say in their User-Agent."""
    notes: Mapped[str] = mapped_column(server_default="")


class FirmwareFile(OfTenant, Base):
    """One file of a firmware."""

    __tablename__ = "firmware_files"
    __table_args__ = (
        belongs_to("firmware", "firmware_id"),
        ForeignKeyConstraint(["tenant_id", "digest"], ["blobs.tenant_id", "blobs.digest"]),
        UniqueConstraint("firmware_id", "name"),
        Index(None, "tenant_id", "digest"),
    )

    firmware_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    """The first is the one that the phone's own file names."""
    name: Mapped[str]
    """As the phone asks for it."""
    digest: Mapped[str]


class FirmwareRollout(Identified, OfTenant, Versioned, Base):
    """Who gets a firmware, and when: ring after ring. Of two that fit a phone the newer one counts."""

    __tablename__ = "firmware_rollouts"
    __table_args__ = (
        of_tenant(),
        belongs_to("firmware", "firmware_id", ondelete="NO ACTION"),
        CheckConstraint("state in ('running', 'paused', 'ended')", name="state"),
        Index(None, "tenant_id", "state"),
    )

    firmware_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="running")
    rings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Each with `name`, `starts_at`, `site_ids` and `group_ids`; one without either is for every phone."""


class FirmwareProgress(OfTenant, Base):
    """How far a phone is with a firmware, as its edge last told."""

    __tablename__ = "firmware_progress"
    __table_args__ = (
        belongs_to("devices", "device_id"),
        belongs_to("firmware", "firmware_id"),
        Index(None, "firmware_id"),
    )

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    firmware_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    """`told`, `fetched`, `running` or `failed`."""
    running_version: Mapped[str] = mapped_column(server_default="")
    """What the phone last said it runs."""
    text: Mapped[str] = mapped_column(server_default="")
    """Why it failed."""
    changed_at: Mapped[datetime]


class EdgeBlob(OfTenant, Base):
    """Whether an edge has a file, as it last told."""

    __tablename__ = "edge_blobs"
    __table_args__ = (belongs_to("edges", "edge_id"),)

    edge_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    """`fetched` or `failed`."""
    text: Mapped[str] = mapped_column(server_default="")
    """Why it failed; it is tried again."""
    changed_at: Mapped[datetime]
