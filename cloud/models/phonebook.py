"""Phonebooks of sites."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from cloud.models.base import Base, Identified, OfTenant, Versioned, belongs_to


class PhonebookEntry(Identified, OfTenant, Versioned, Base):
    """Somebody beyond the site whose name is shown when he calls."""

    __tablename__ = "phonebook_entries"
    __table_args__ = (belongs_to("sites", "site_id"), Index(None, "site_id"))

    site_id: Mapped[UUID]
    name: Mapped[str]
    numbers: Mapped[list[str]]
