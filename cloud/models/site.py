"""Sites, their published snapshots and what users changed at them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class Site(Identified, OfTenant, Versioned, Base):
    """One customer location."""

    __tablename__ = "sites"
    __table_args__ = (
        of_tenant(),
        referable(),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("cardinality(digest_algorithms) between 1 and 2", name="digest_algorithms"),
        CheckConstraint("sip_certificate is null or octet_length(sip_certificate) <= 32768", name="sip_certificate"),
        CheckConstraint("(sip_certificate is null) = (sip_key_version is null)", name="sip_key"),
        ForeignKeyConstraint(
            ["tenant_id", "sip_key_id", "sip_key_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
    )

    name: Mapped[str]
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    """An IANA time zone name."""
    digest_algorithms: Mapped[list[str]] = mapped_column(server_default=text("'{MD5}'"))
    """In the order of the challenges (RFC 8760 §2.2)."""
    device_settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What is set for every device of the site: scope → path → value."""
    provisioning: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What differs from `contract.snapshot.ProvisioningPolicy`'s defaults."""
    sip: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What differs from `contract.snapshot.SipPolicy`'s defaults."""
    voicemail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What differs from `contract.snapshot.VoicemailPolicy`'s defaults."""
    recording: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What differs from `contract.snapshot.RecordingPolicy`'s defaults."""
    sip_certificate: Mapped[str | None]
    """What the edge shows to SIP phones, with its chain, PEM; None: the edge signs its own."""
    sip_certificate_issued: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the tenant's own authority signed it; else somebody brought it."""
    sip_key_id: Mapped[UUID | None]
    sip_key_version: Mapped[int | None]
    """Its private key."""


class Snapshot(OfTenant, Created, Base):
    """One published configuration of a site; never changed."""

    __tablename__ = "snapshots"
    __table_args__ = (belongs_to("sites", "site_id"),)

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counts up by one for each publication of the site."""
    digest: Mapped[str]
    """Equal exactly when the configuration is."""
    content: Mapped[dict[str, Any]]
    """`contract.snapshot.Snapshot` as JSON."""
    cause: Mapped[str]
    """What was changed, for people."""


class SiteState(OfTenant, Base):
    """The newest known value of one key of a site's state (`contract.sync.state.StateRecord`)."""

    __tablename__ = "site_state"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        Index("ix_site_state_site_id_changed_at", "site_id", "changed_at"),
    )

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB(none_as_null=False))
    """JSON null is a tombstone."""
    wall_ms: Mapped[int] = mapped_column(BigInteger)
    counter: Mapped[int]
    node: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
