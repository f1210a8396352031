"""What vendors' redirect services are told of a tenant's phones: worked out from its devices, told one by one.

Every publication of a site asks for `sync_redirects` of its tenant, where the tenant has an account. That job compares
the devices with what was told, and asks for one `push_redirect` per difference, paced, so that a vendor is not
flooded. A push that fails for a while is tried again; one that a vendor refuses waits for people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceRedirect, RedirectAccount, Site
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.outbox import ClaimedJob, fail_job, finish_job, is_claimed, postpone_job
from cloud.pbx.redirect_requests import request_pushes
from cloud.pbx.redirect_services import SERVICES, Problem
from cloud.pbx.secrets import KeyService, SecretVersion, reveal_secret
from cloud.tokens import Tokens
from contract.devices import Catalogue

RETRY_SECONDS: Final = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 43200.0, 86400.0)
"""Pauses after each push that a service did not answer; after the last it has failed."""
MAX_RETRY_AFTER_SECONDS: Final = 86400.0
TEXT_LENGTH: Final = 300
LACKING: Final[Mapping[Problem, str]] = {
    "no_server_name": "The site's rules for phones have no server name that phones could be sent to.",
    "no_serial": "The service takes a phone by its serial number, which this device does not have.",
}
"""What has to be given before a service can be told, and how that is said."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """How to speak to a service."""

    service: str
    api_url: str
    username: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class Push:
    """One thing to tell: where this phone is sent, or (url empty) that it is not sent anywhere any more."""

    redirect_id: UUID
    revision: int
    log_in: LogIn
    mac: str
    url: str
    serial: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    """Where a phone is to be sent, or what that cannot be told for want of."""

    url: str
    lacks: Problem | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said; `problem` is None when it took it."""

    problem: Problem | None = None
    text: str = ""
    retry_after_seconds: float | None = None


def sync_redirects(session: Session, shipped: Catalogue, tokens: Tokens, tenant_id: UUID, now: datetime) -> int:
    """Compare a tenant's devices with what services were told, and request a push per difference; how many."""
    wishes = _wishes(session, shipped, tenant_id)
    rows = session.scalars(select(DeviceRedirect).where(DeviceRedirect.tenant_id == tenant_id).with_for_update()).all()
    known = {(row.account_id, row.mac): row for row in rows}
    changed: list[DeviceRedirect] = []
    for place, wish in wishes.items():
        url = wish.url
        row = known.get(place)
        if row is None:
            row = DeviceRedirect(
                id=tokens.id(),
                tenant_id=tenant_id,
                account_id=place[0],
                mac=place[1],
                url=url,
                state="pending",
                revision=0,
                attempts=0,
            )
            session.add(row)
        elif row.url == url and row.state != "removing" and row.problem not in LACKING:
            continue
        if url:
            row.url = url
            changed.append(row)
        elif row.pushed_at is None and wish.lacks is not None:
            row.url = ""
            row.state, row.problem, row.problem_text = "failed", wish.lacks, LACKING[wish.lacks]
    for place, row in known.items():
        if place in wishes or row.state == "removing" or (row.state == "failed" and not row.url and row.attempts):
            continue
        if row.pushed_at is None and row.attempts == 0:
            session.delete(row)
        else:
            row.url = ""
            changed.append(row)
    request_pushes(session, tokens, changed, now)
    return len(changed)


def begin_push(session: Session, keys: KeyService, job: ClaimedJob, now: datetime) -> Push | None:
    """What a push job is to tell now; None when there is nothing to tell any more, and the job is finished."""
    if not is_claimed(session, job):
        return None
    row = session.get(DeviceRedirect, UUID(job.payload["redirect_id"]))
    if row is None or row.revision != job.payload["revision"] or row.state not in {"pending", "removing"}:
        finish_job(session, job, now)
        return None
    account = session.get_one(RedirectAccount, row.account_id)
    serial = session.scalar(select(Device.serial).where(Device.tenant_id == row.tenant_id, Device.mac == row.mac))
    return Push(row.id, row.revision, log_in_of(session, keys, account), row.mac, row.url, serial or "")


def end_push(
    session: Session,
    job: ClaimedJob,
    push: Push,
    answer: Answer,
    now: datetime,
    fraction: float,
    schedule: Sequence[float] = RETRY_SECONDS,
) -> None:
    """Keep what a push led to: taken, again later, or refused.

    Args:
        fraction: in [0, 1), spreads retries.
        schedule: seconds after each push that was not answered.
    """
    if not is_claimed(session, job):
        return  # the claim ran out meanwhile: whoever has it now keeps what happens
    row = session.get(DeviceRedirect, push.redirect_id, with_for_update=True)
    if row is None:
        finish_job(session, job, now)
        return
    if answer.problem is None and push.url:
        row.pushed_at = now  # the service has it, whatever is wished by now
    if row.revision != push.revision:
        row.attempts = max(row.attempts, 1)  # so that a phone that is deleted is also taken off the service
        finish_job(session, job, now)
        return
    row.attempts += 1
    row.attempted_at, row.next_attempt_at = now, None
    row.problem, row.problem_text = answer.problem or "", answer.text[:TEXT_LENGTH].replace("\0", "")
    if not push.url and answer.problem in {None, "claimed"}:
        session.delete(row)  # nothing of ours is at the service
        finish_job(session, job, now)
    elif answer.problem is None:
        row.state = "pushed"
        finish_job(session, job, now)
    elif answer.problem == "unreachable":
        row.next_attempt_at = _later(session, job, answer, now, fraction, schedule)
        if row.next_attempt_at is None:
            row.state = "failed"
    else:
        row.state = "failed"
        finish_job(session, job, now)
    session.flush()


def begin_check(session: Session, keys: KeyService, job: ClaimedJob, now: datetime) -> LogIn | None:
    """The log-in that is to be tried; None when the account is gone, and the job is finished."""
    if not is_claimed(session, job):
        return None
    account = session.get(RedirectAccount, UUID(job.key))
    if account is None:
        finish_job(session, job, now)
        return None
    return log_in_of(session, keys, account)


def end_check(session: Session, job: ClaimedJob, answer: Answer, now: datetime) -> None:
    """Keep whether the log-in works."""
    if not is_claimed(session, job):
        return
    account = session.get(RedirectAccount, UUID(job.key), with_for_update=True)
    if account is not None:
        account.check_state = "good" if answer.problem is None else "bad"
        account.check_text = answer.text[:TEXT_LENGTH].replace("\0", "")
        account.checked_at = now
        session.flush()
    finish_job(session, job, now)


def log_in_of(session: Session, keys: KeyService, account: RedirectAccount) -> LogIn:
    """How to speak to an account's service.

    Raises:
        SecretUnreadable: its secret cannot be opened.
    """
    secret = reveal_secret(session, keys, SecretVersion(account.secret_id, account.secret_version))
    return LogIn(account.service, account.api_url, account.username, secret)


def _later(
    session: Session, job: ClaimedJob, answer: Answer, now: datetime, fraction: float, schedule: Sequence[float]
) -> datetime | None:
    run_at = fail_job(session, job, now, answer.text, fraction, schedule)
    if run_at is not None and answer.retry_after_seconds is not None:
        wished = now + timedelta(seconds=min(answer.retry_after_seconds, MAX_RETRY_AFTER_SECONDS))
        if wished > run_at:
            run_at = wished
            postpone_job(session, job, run_at, answer.text)
    return run_at


def _wishes(session: Session, shipped: Catalogue, tenant_id: UUID) -> dict[tuple[UUID, str], _Wish]:
    """What is to be told, by account and MAC address."""
    found: dict[tuple[UUID, str], _Wish] = {}
    query = select(RedirectAccount).where(RedirectAccount.tenant_id == tenant_id, RedirectAccount.enabled)
    accounts = {account.vendor: account for account in session.scalars(query)}
    if not accounts:
        return found
    plugins = tenant_catalogue(session, shipped, tenant_id).plugins
    devices = (
        select(Device.mac, Device.model, Device.serial, Site.provisioning)
        .join(Site, Site.id == Device.site_id)
        .where(Device.tenant_id == tenant_id)
        .order_by(Device.id)
    )
    for mac, model, serial, rules in session.execute(devices):
        plugin = plugins.get(model.partition("/")[0])
        account = accounts.get(plugin.redirect_service or "") if plugin is not None else None
        if account is None:
            continue
        host = rules.get("server_name") or ""
        wish = _Wish(account.phones_url.replace("{host}", host))
        if "{host}" in account.phones_url and not host:
            wish = _Wish("", "no_server_name")
        elif SERVICES[account.service].needs_serial and not serial:
            wish = _Wish("", "no_serial")
        found[account.id, mac] = wish
    return found
