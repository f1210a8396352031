"""The outbox: work is written in the transaction that causes it, and done by whoever claims it afterwards.

A claim lasts for a time; work whose claimer died is claimed again. Work that fails is tried again later and later,
and is put aside as dead in the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from cloud.models import Job
from cloud.pbx.database import JOBS_CHANNEL, Scope, notify
from cloud.tokens import Tokens

CLAIM_SECONDS = 60
"""How long a claimer may be silent."""
RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Pauses after each failure of work that has no schedule of its own; after the last it is dead."""
KEEP_FINISHED = timedelta(days=7)
_ERROR_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that is ours until the claim ends."""

    job_id: UUID
    tenant_id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    attempt: int
    """1 for the first."""

    @property
    def scope(self) -> Scope:
        """Whose rows the work concerns."""
        return Scope(tenant_id=self.tenant_id)


def request_job(
    session: Session,
    tokens: Tokens,
    *,
    tenant_id: UUID,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    run_at: datetime | None = None,
) -> None:
    """Write a job in this transaction, unless one that nobody has claimed says the same already.

    That one stays locked until this transaction ends, so that nobody claims it without seeing what is saved here.

    Args:
        key: what the work is about; names it among jobs of its kind.
        run_at: not before; None means at once.
    """
    row = insert(Job).values(
        id=tokens.id(),
        tenant_id=tenant_id,
        kind=kind,
        key=key,
        payload=dict(payload),
        run_at=run_at if run_at is not None else func.now(),
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["kind", "key"],
            index_where=text("state = 'pending'"),
            set_={"run_at": func.least(Job.run_at, row.excluded.run_at)},
        )
    )
    notify(session, JOBS_CHANNEL, kind)


def claim_jobs(
    session: Session, kinds: Sequence[str], how_many: int, now: datetime, lease_seconds: int = CLAIM_SECONDS
) -> list[ClaimedJob]:
    """Jobs of any tenants that are due, marked as ours; never two of one kind and key at once."""
    rows = session.execute(
        text("select * from claim_jobs(:kinds, :how_many, :at, :lease)"),
        {"kinds": list(kinds), "how_many": how_many, "at": now, "lease": lease_seconds},
    )
    jobs = [ClaimedJob(row.job_id, row.tenant_id, row.kind, row.key, row.payload, row.attempts) for row in rows]
    return sorted(jobs, key=lambda job: job.job_id)


def is_claimed(session: Session, job: ClaimedJob) -> bool:
    """Whether the claim is still this one; locks the job until the transaction ends."""
    row = session.get(Job, job.job_id, with_for_update=True)
    return row is not None and row.state == "claimed" and row.attempts == job.attempt


def finish_job(session: Session, job: ClaimedJob, now: datetime) -> None:
    """The work is done; call it in the transaction that did it."""
    row = session.get(Job, job.job_id, with_for_update=True)
    if row is not None:
        row.state, row.finished_at, row.claimed_until, row.error = "done", now, None, ""
        session.flush()
        notify(session, JOBS_CHANNEL, job.kind)  # work of the same key may wait for this one's end


def postpone_job(session: Session, job: ClaimedJob, run_at: datetime, error: str) -> None:
    """The work is to be done later; a job of the same kind and key that nobody has claimed yet takes its place."""
    row = session.get(Job, job.job_id, with_for_update=True)
    if row is None:
        return
    other = aliased(Job)
    follows = exists().where(
        other.kind == job.kind, other.key == job.key, other.state == "pending", other.id != job.job_id
    )
    row.error, row.claimed_until = error[:_ERROR_LENGTH], None
    if session.execute(select(follows)).scalar_one():
        row.state, row.finished_at = "done", run_at
    else:
        row.state, row.run_at = "pending", run_at
    session.flush()


def return_job(session: Session, job: ClaimedJob, run_at: datetime, error: str) -> None:
    """Nobody could begin the work: the claim is given back and the attempt does not count."""
    if is_claimed(session, job):
        session.get_one(Job, job.job_id).attempts -= 1
        postpone_job(session, job, run_at, error)


def bury_job(session: Session, job: ClaimedJob, now: datetime, error: str) -> None:
    """The work is given up: kept as dead, for people to see."""
    row = session.get(Job, job.job_id, with_for_update=True)
    if row is not None:
        row.state, row.finished_at, row.claimed_until, row.error = "dead", now, None, error[:_ERROR_LENGTH]
        session.flush()


def fail_job(
    session: Session,
    job: ClaimedJob,
    now: datetime,
    error: str,
    fraction: float,
    schedule: Sequence[float] = RETRY_SECONDS,
) -> datetime | None:
    """The work failed: later again, or never.

    Args:
        fraction: in [0, 1), stretches the pause by up to a tenth, so that many failures do not return at once.
        schedule: seconds after each failure.

    Returns:
        When it is tried again; None when it is dead.
    """
    if job.attempt > len(schedule):
        bury_job(session, job, now, error)
        return None
    run_at = now + timedelta(seconds=schedule[job.attempt - 1] * (1 + 0.1 * fraction))
    postpone_job(session, job, run_at, error)
    return run_at


def release_claims(session: Session, now: datetime) -> None:
    """Make claimed jobs of this scope due again: for a worker that starts and knows that it is the only one."""
    for row in session.execute(select(Job).where(Job.state == "claimed").with_for_update()).scalars().all():
        claimed = ClaimedJob(row.id, row.tenant_id, row.kind, row.key, row.payload, row.attempts)
        postpone_job(session, claimed, now, "its worker ended")


def forget_finished(session: Session, now: datetime) -> None:
    """Delete jobs of this scope that were done long ago; dead ones stay."""
    session.execute(delete(Job).where(Job.state == "done", Job.finished_at < now - KEEP_FINISHED))
