"""Device plug-ins that operators brought: one packed folder each."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, Versioned, of_tenant


class DevicePlugin(Identified, OfTenant, Versioned, Base):
    """A plug-in of one tenant."""

    __tablename__ = "device_plugins"
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "vendor"),
        CheckConstraint("octet_length(content) <= 262144", name="content"),
    )

    vendor: Mapped[str]
    label: Mapped[str]
    models: Mapped[list[str]]
    """The names of its models."""
    digest: Mapped[str]
    """SHA-256 of `content`, in lower-case hexadecimal."""
    content: Mapped[bytes] = mapped_column(deferred=True)
    """A ZIP archive as `contract.devices.archive.pack` makes it."""
