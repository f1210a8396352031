"""Asking for what redirect services are to be told: jobs of the outbox, done by `cloud.pbx.redirects`."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import DeviceRedirect, RedirectAccount
from cloud.pbx.outbox import request_job
from cloud.tokens import Tokens

SYNC_REDIRECTS: Final = "sync_redirects"
PUSH_REDIRECT: Final = "push_redirect"
CHECK_REDIRECT: Final = "check_redirect"
PACE_SECONDS: Final = 0.5
"""Between two pushes to one account."""


def request_sync(session: Session, tokens: Tokens, tenant_id: UUID) -> None:
    """Have the redirect services told what changed, once this transaction is committed; nothing without an account."""
    if session.scalar(select(RedirectAccount.id).where(RedirectAccount.tenant_id == tenant_id).limit(1)) is not None:
        request_job(session, tokens, tenant_id=tenant_id, kind=SYNC_REDIRECTS, key=str(tenant_id), payload={})


def request_pushes(session: Session, tokens: Tokens, rows: Iterable[DeviceRedirect], now: datetime) -> None:
    """Have each of these told, as a new wish, at the pace of its account."""
    slots: dict[UUID, datetime] = {}
    session.flush()
    for row in rows:
        if row.account_id not in slots:
            last = select(func.max(DeviceRedirect.next_attempt_at)).where(
                DeviceRedirect.account_id == row.account_id, DeviceRedirect.attempts == 0
            )
            slots[row.account_id] = max(session.scalar(last) or now, now)
        at = slots[row.account_id]
        slots[row.account_id] = at + timedelta(seconds=PACE_SECONDS)
        row.state = "pending" if row.url else "removing"
        row.problem, row.problem_text, row.attempts, row.next_attempt_at = "", "", 0, at
        row.revision += 1
        session.flush()
        request_job(
            session,
            tokens,
            tenant_id=row.tenant_id,
            kind=PUSH_REDIRECT,
            key=f"{row.id}:{row.revision}",
            payload={"redirect_id": str(row.id), "revision": row.revision},
            run_at=at,
        )
