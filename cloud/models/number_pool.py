"""Ranges of telephone numbers that a tenant has from a provider."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from cloud.models.base import Base, Identified, OfTenant, Versioned, of_tenant


class NumberPool(Identified, OfTenant, Versioned, Base):
    """Numbers one after the other, of which each site takes what it needs."""

    __tablename__ = "number_pools"
    __table_args__ = (of_tenant(), CheckConstraint("count between 1 and 10000", name="count"))

    name: Mapped[str]
    first: Mapped[str]
    """In E.164, with its plus."""
    count: Mapped[int]
