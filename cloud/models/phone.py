"""What edges tell about phones: what they fetched, sent and were refused; and orders to fetch again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, belongs_to, referable


class DeviceVisit(OfTenant, Base):
    """The last time that a device fetched its files, and how far it is with fetching them again."""

    __tablename__ = "device_visits"
    __table_args__ = (belongs_to("devices", "device_id"), Index(None, "tenant_id", "site_id"))

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID]
    address: Mapped[str] = mapped_column(server_default="")
    protocol: Mapped[str] = mapped_column(server_default="")
    proof: Mapped[str] = mapped_column(server_default="")
    """`certificate`, `password` or `none`."""
    user_agent: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str] = mapped_column(server_default="")
    firmware: Mapped[str] = mapped_column(server_default="")
    switch_port: Mapped[str] = mapped_column(server_default="")
    """Where it is plugged in, when a switch or relay said so."""
    fetched_at: Mapped[datetime | None]
    fetched_version: Mapped[int | None]
    """The snapshot version that its file was made from."""
    resync_state: Mapped[str] = mapped_column(server_default="")
    """`deferred`, `asked`, `fetched`, `registered`, `failed`; empty: it was never told to fetch again."""
    resync_text: Mapped[str] = mapped_column(server_default="")
    resync_at: Mapped[datetime | None]


class DeviceHappening(Identified, OfTenant, Base):
    """One thing that happened to a device, or the same thing several times on end."""

    __tablename__ = "device_happenings"
    __table_args__ = (belongs_to("devices", "device_id"), Index("ix_device_happenings_device_id_at", "device_id", "at"))

    device_id: Mapped[UUID]
    kind: Mapped[str]
    """As `cloud.pbx.phone_history.Kind`."""
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What is told of it, such as `protocol` and `address`."""
    times: Mapped[int] = mapped_column(server_default=text("1"))
    first_at: Mapped[datetime]
    at: Mapped[datetime]
    """The last time."""


class PhoneRefusal(Identified, OfTenant, Base):
    """Something that a phone asked for and was not given, and why; counted, by phone and reason."""

    __tablename__ = "phone_refusals"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        UniqueConstraint("site_id", "reason", "identity"),
        Index("ix_phone_refusals_tenant_id_last_seen_at", "tenant_id", "last_seen_at"),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    reason: Mapped[str]
    identity: Mapped[str]
    """The MAC address where it is known, else the IP address."""
    mac: Mapped[str | None]
    device_id: Mapped[UUID | None]
    address: Mapped[str]
    protocol: Mapped[str]
    user_agent: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    times_seen: Mapped[int]


class PhoneUpload(Identified, OfTenant, Base):
    """A file that a phone sent: a log, or what was set on the phone itself. The newest of each name."""

    __tablename__ = "phone_uploads"
    __table_args__ = (belongs_to("devices", "device_id"), UniqueConstraint("device_id", "name"))

    site_id: Mapped[UUID]
    device_id: Mapped[UUID]
    name: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """Its end, when it is longer; passwords are struck out."""
    sent_at: Mapped[datetime]


class ResyncJob(Identified, OfTenant, Created, Base):
    """An order to phones of a site to fetch their files again."""

    __tablename__ = "resync_jobs"
    __table_args__ = (referable(), belongs_to("sites", "site_id"), Index(None, "tenant_id", "site_id"))

    site_id: Mapped[UUID]
    reboot: Mapped[bool] = mapped_column(server_default=text("false"))
    """True: the phones start again."""


class ResyncItem(OfTenant, Base):
    """One phone of an order."""

    __tablename__ = "resync_items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "job_id"], ["resync_jobs.tenant_id", "resync_jobs.id"], ondelete="CASCADE"),
        belongs_to("devices", "device_id"),
        Index(None, "device_id"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="waiting")
    """`waiting` until the edge has it, then `deferred`, `asked`, `fetched`, `registered` or `failed`."""
    text: Mapped[str] = mapped_column(server_default="")
    changed_at: Mapped[datetime]
