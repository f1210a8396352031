"""What trunks prove themselves with at their providers; all else about them is in the dial plan."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, OfTenant, belongs_to


class TrunkPassword(OfTenant, Created, Base):
    """The password of one trunk of a site's dial plan; it stays when the trunk goes, which may come back."""

    __tablename__ = "trunk_passwords"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
    )

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    gateway_id: Mapped[str] = mapped_column(primary_key=True)
    """As the dial plan names the trunk."""
    secret_id: Mapped[UUID]
    secret_version: Mapped[int]
