"""MSPs and their tenants."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, Versioned


class Msp(Identified, Versioned, Base):
    """A managed service provider: runs the telephone systems of many tenants."""

    __tablename__ = "msps"

    name: Mapped[str] = mapped_column(unique=True)


class Tenant(Identified, Versioned, Base):
    """One customer of an MSP."""

    __tablename__ = "tenants"

    msp_id: Mapped[UUID] = mapped_column(ForeignKey("msps.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str]
    domain: Mapped[str] = mapped_column(unique=True)
    """The SIP domain of every site of the tenant, in lower case."""
    former_domains: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """What the domain was before, newest first."""
    realm: Mapped[str]
    """The digest realm: random, never changed, so that renaming the domain breaks no phone."""
    device_settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """What is set for every device of the tenant: scope → path → value."""
    sip_authority: Mapped[str | None]
    """The certificate of the tenant's own authority for SIP, PEM; None: it was never needed."""
    sip_authority_key_id: Mapped[UUID | None]
    sip_authority_key_version: Mapped[int | None]
    """Its private key, a secret of the tenant."""
