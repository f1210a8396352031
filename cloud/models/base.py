"""What every table shares: naming of constraints, column types, identity, version and times."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: read in UTC whatever the server's time zone, and refused when it does not say its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Towards the database.

        Raises:
            ValueError: the moment has no time zone.
        """
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database, which answers in the time zone of its server."""
        del dialect
        return None if value is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The root of all tables; its metadata is what migrations are compared with."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (read once by SQLAlchemy)
        datetime: UtcDateTime(),
        str: Text,
        UUID: Uuid,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Identified:
    """A row with an opaque id (UUID version 7, made by `cloud.tokens`)."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-100)


class Created:
    """A row that says when it was made."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=100)


class Versioned(Created):
    """A row that people change: `version` counts its changes and is the API's ETag.

    An update that was based on an older version raises `sqlalchemy.orm.exc.StaleDataError`.
    """

    version: Mapped[int] = mapped_column(sort_order=99)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), sort_order=101)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  (declared_attr hands it the class)
        return {"version_id_col": cls.version}


class OfTenant:
    """A row that belongs to one tenant; row-level security goes by this column."""

    tenant_id: Mapped[UUID] = mapped_column(sort_order=-99)


def belongs_to(table: str, column: str, ondelete: str = "CASCADE") -> ForeignKeyConstraint:
    """A reference to a row of the same tenant.

    The database checks references without row-level security, so the tenant is part of the reference.
    """
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete)


def of_tenant() -> ForeignKeyConstraint:
    """The reference to the tenant itself."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE")


def referable() -> UniqueConstraint:
    """What `belongs_to` of other tables refers to."""
    return UniqueConstraint("tenant_id", "id")
