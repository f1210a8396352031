"""Sound files that a tenant keeps by name: music, greetings and announcements."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from cloud.models.base import Base, Created, Identified, OfTenant, of_tenant


class Sound(Identified, OfTenant, Created, Base):
    """A file of the tenant that can be played at sites; it is kept until somebody deletes it."""

    __tablename__ = "sounds"
    __table_args__ = (
        of_tenant(),
        ForeignKeyConstraint(["tenant_id", "digest"], ["blobs.tenant_id", "blobs.digest"]),
        UniqueConstraint("tenant_id", "digest"),
        CheckConstraint("seconds >= 0", name="seconds"),
    )

    digest: Mapped[str]
    name: Mapped[str]
    """For people."""
    seconds: Mapped[float]
