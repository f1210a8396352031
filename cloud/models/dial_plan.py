"""Dial plans of sites, what their tenants expect of them, and what was not published because of that."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, Versioned, belongs_to


class DialPlan(OfTenant, Versioned, Base):
    """One site's dial plan; a site without one has the default."""

    __tablename__ = "dial_plans"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        CheckConstraint("pg_column_size(document) <= 4194304", name="document"),
    )

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    """`contract.snapshot.DialPlan` as JSON."""


class CallAssertion(Identified, OfTenant, Versioned, Base):
    """What has to become of one call; checked before anything is published."""

    __tablename__ = "call_assertions"
    __table_args__ = (belongs_to("sites", "site_id"), Index(None, "site_id"))

    site_id: Mapped[UUID]
    name: Mapped[str]
    content: Mapped[dict[str, Any]]
    """`cloud.pbx.call_assertions.Expectation` as JSON."""


class PublishRefusal(OfTenant, Base):
    """Why a site's newest configuration is not published; gone once one is."""

    __tablename__ = "publish_refusals"
    __table_args__ = (belongs_to("sites", "site_id"),)

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    problems: Mapped[list[str]]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
