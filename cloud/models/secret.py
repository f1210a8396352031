"""Secret values, encrypted before they reach the database."""

from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, OfTenant, of_tenant


class Secret(OfTenant, Created, Base):
    """One version of one secret: a value under a data key, the data key under the key service's key."""

    __tablename__ = "secrets"
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "id", "version"),
        CheckConstraint("version >= 1", name="version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_id: Mapped[str]
    """Which key of the key service wraps the data key."""
    wrapped_key: Mapped[bytes]
    sealed: Mapped[bytes]
    """Nonce and AES-256-GCM cipher text; id, version and tenant are authenticated with it."""
