"""Work to be done after a transaction: written in it, done outside it. And what keeps work from being done twice."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, of_tenant


class Job(Identified, OfTenant, Created, Base):
    """One piece of work of the outbox."""

    __tablename__ = "jobs"
    __table_args__ = (
        of_tenant(),
        CheckConstraint("state in ('pending', 'claimed', 'done', 'dead')", name="state"),
        Index("uq_jobs_unclaimed", "kind", "key", unique=True, postgresql_where=text("state = 'pending'")),
        Index("ix_jobs_due", "run_at", postgresql_where=text("state = 'pending'")),
        Index("ix_jobs_claimed", "kind", "key", "claimed_until", postgresql_where=text("state = 'claimed'")),
    )

    kind: Mapped[str]
    """What is to be done, such as `publish_site`; one function does each kind."""
    key: Mapped[str]
    """What the work is about; at most one unclaimed job of a kind exists for it."""
    payload: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it was claimed."""
    run_at: Mapped[datetime]
    """Not before this moment."""
    claimed_until: Mapped[datetime | None]
    """Whoever claimed it and is silent until then has died."""
    finished_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(server_default="")
    """Why the last attempt failed."""


class IdempotencyRecord(Base):
    """What a function already did, and what came of it (AWS Lambda Powertools' record)."""

    __tablename__ = "idempotency"

    key: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    expires_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""
    in_progress_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Milliseconds since 1970 UTC."""
    data: Mapped[str | None]
    payload_hash: Mapped[str] = mapped_column(server_default="")
