"""The inbox of what edges report, and the rows it turns into."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, belongs_to


class EventRow(Identified, OfTenant, Base):
    """One event as an edge sent it; kept before it is acknowledged."""

    __tablename__ = "events"
    __table_args__ = (
        belongs_to("edges", "edge_id"),
        UniqueConstraint("edge_id", "epoch", "sequence"),
        Index("ix_events_waiting", "edge_id", "received_at", postgresql_where=text("ingested_at is null")),
        Index("ix_events_tenant_id_at", "tenant_id", "at"),
        Index(
            "ix_events_failed_faxes",
            "site_id",
            text("md5(payload #>> '{what,sip_call_id}')"),
            postgresql_where=text("kind = 'fax_failed'"),
        ),
    )

    site_id: Mapped[UUID] = mapped_column(index=True)
    edge_id: Mapped[UUID]
    epoch: Mapped[str]
    """Changes when the edge's outbox was lost and started anew."""
    sequence: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    at: Mapped[datetime]
    """When it happened, by the edge's clock."""
    payload: Mapped[dict[str, Any]]
    """`contract.sync.events.EventBody` as JSON."""
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ingested_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    """Why it led to nothing."""


class Registration(Identified, OfTenant, Base):
    """A binding that an edge holds: this line can be reached at this contact."""

    __tablename__ = "registrations"
    __table_args__ = (
        belongs_to("edges", "edge_id"),
        belongs_to("sites", "site_id"),
        UniqueConstraint("edge_id", "line_id", "contact"),
        Index(None, "tenant_id", "site_id"),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(index=True)
    line_id: Mapped[UUID]
    device_id: Mapped[UUID | None]
    contact: Mapped[str]
    user_agent: Mapped[str]
    source: Mapped[str]
    transport: Mapped[str]
    expires_at: Mapped[datetime | None]
    registered_at: Mapped[datetime]
    """When the binding came."""
    refreshed_at: Mapped[datetime]


class CallRecord(Identified, OfTenant, Base):
    """A call detail record (CDR)."""

    __tablename__ = "calls"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        UniqueConstraint("site_id", "call_id"),
        Index("ix_calls_tenant_id_started_at", "tenant_id", "started_at"),
        Index("ix_calls_site_id_started_at", "site_id", "started_at"),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    call_id: Mapped[str]
    """The edge's own opaque id of the call."""
    sip_call_id: Mapped[str]
    caller: Mapped[str]
    callee: Mapped[str]
    caller_user_id: Mapped[UUID | None]
    callee_user_id: Mapped[UUID | None]
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
    disposition: Mapped[str]
    status: Mapped[int]
    interrupted: Mapped[bool]
    reasons: Mapped[list[str]]


class CallQuality(Identified, OfTenant, Base):
    """How well one side of a call was heard (`contract.sync.quality.CallQuality`); it may come before the record."""

    __tablename__ = "call_qualities"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        CheckConstraint("source in ('engine', 'relay', 'phone')", name="source"),
        CheckConstraint("heard in ('caller', 'callee')", name="heard"),
        Index("ix_call_qualities_site_id_call", "site_id", text("md5(sip_call_id)")),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    sip_call_id: Mapped[str]
    at: Mapped[datetime]
    source: Mapped[str]
    heard: Mapped[str | None]
    user_id: Mapped[UUID | None]
    codec: Mapped[str]
    packets: Mapped[int | None]
    lost: Mapped[int | None]
    lost_percent: Mapped[float | None]
    late_percent: Mapped[float | None]
    jitter_ms: Mapped[float | None]
    longest_jitter_ms: Mapped[float | None]
    round_trip_ms: Mapped[float | None]
    mos: Mapped[float | None]


class EmergencyCall(Identified, OfTenant, Base):
    """A call for help, as it was told when it began."""

    __tablename__ = "emergency_calls"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        UniqueConstraint("site_id", "call_id"),
        Index("ix_emergency_calls_tenant_id_at", "tenant_id", "at"),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    call_id: Mapped[str]
    """The edge's own opaque id of the call, as in its record."""
    at: Mapped[datetime]
    number: Mapped[str]
    caller: Mapped[str]
    user_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    source: Mapped[str]
    location_id: Mapped[str | None]
    location_name: Mapped[str]
    address: Mapped[str]
    caller_id: Mapped[str]


class Alarm(Identified, OfTenant, Base):
    """Something at a site that needs a person; open until `cleared_at`."""

    __tablename__ = "alarms"
    __table_args__ = (
        belongs_to("edges", "edge_id"),
        belongs_to("sites", "site_id"),
        Index("uq_alarms_open", "edge_id", "alarm", unique=True, postgresql_where=text("cleared_at is null")),
        Index("ix_alarms_tenant_id_raised_at", "tenant_id", "raised_at"),
    )

    site_id: Mapped[UUID] = mapped_column(index=True)
    edge_id: Mapped[UUID]
    alarm: Mapped[str]
    severity: Mapped[str]
    text: Mapped[str]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]


class UnknownPhone(Identified, OfTenant, Base):
    """A phone that asked for its configuration and is not known at the site."""

    __tablename__ = "unknown_phones"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        UniqueConstraint("site_id", "identity"),
        Index(None, "tenant_id", "site_id"),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    identity: Mapped[str]
    """The MAC address where the phone gave one, else its IP address."""
    mac: Mapped[str | None]
    vendor: Mapped[str]
    model: Mapped[str]
    firmware: Mapped[str]
    user_agent: Mapped[str]
    address: Mapped[str]
    protocol: Mapped[str]
    certainty: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """How far each fact may be trusted, by its name."""
    switch_port: Mapped[str] = mapped_column(server_default="")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    times_seen: Mapped[int]
