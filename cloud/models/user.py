"""Users, the names by which they are dialled, and their lines."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Identified, OfTenant, Versioned, belongs_to, of_tenant, referable


class User(Identified, OfTenant, Versioned, Base):
    """A person (or room, or door) that calls are made by and for, at home at one site."""

    __tablename__ = "users"
    __table_args__ = (of_tenant(), referable(), belongs_to("sites", "site_id"), Index(None, "tenant_id", "site_id"))

    site_id: Mapped[UUID]
    username: Mapped[str]
    display_name: Mapped[str]
    extension: Mapped[str | None]
    aliases: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    permissions: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    email: Mapped[str | None]
    caller_id: Mapped[str | None]
    """The number that calls to the outside show; None: the gateway's."""
    anonymous: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether calls to the outside hide who calls, unless the caller says otherwise for one call."""
    appearances: Mapped[int] = mapped_column(server_default=text("0"))
    """How many calls the user's shared line can have at one time; 0: it is not shared."""
    music: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """`digest` and `name` of the file that those hear whom the user holds; None: that of a group or of the site."""


class UserName(OfTenant, Base):
    """Every user name, extension and alias of a tenant, each once; kept by a trigger on `users`."""

    __tablename__ = "user_names"
    __table_args__ = (belongs_to("users", "user_id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(index=True)


class Line(Identified, OfTenant, Versioned, Base):
    """A user's identity on a device, with credentials of its own."""

    __tablename__ = "lines"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        belongs_to("users", "user_id"),
        belongs_to("devices", "device_id", ondelete="SET NULL (device_id)"),
        ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
        UniqueConstraint("site_id", "auth_username"),
        UniqueConstraint("device_id", "position"),
        CheckConstraint("position between 1 and 64", name="position"),
        Index(None, "tenant_id", "site_id"),
        Index(None, "user_id"),
    )

    site_id: Mapped[UUID]
    user_id: Mapped[UUID]
    device_id: Mapped[UUID | None]
    """None: a soft phone that no device stands for."""
    position: Mapped[int] = mapped_column(server_default=text("1"))
    label: Mapped[str] = mapped_column(server_default="")
    auth_username: Mapped[str]
    secret_id: Mapped[UUID]
    secret_version: Mapped[int]
    """The version of the password that is in use."""
