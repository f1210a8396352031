"""Orders to phones of a site to fetch their files again, and how far each phone is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import Device, Edge, ResyncItem, ResyncJob, Site
from cloud.pbx.checks import Problems, get_or_refuse, unknown
from cloud.pbx.commands import VALID_SECONDS, give_command
from cloud.pbx.desk import Desk
from cloud.pbx.device_models import ANNOUNCED
from cloud.pbx.pages import Page, PageRequest, newest_first, oldest_first

STATES: Final = ("waiting", "deferred", "asked", "fetched", "registered", "failed")
ORDER_EDGES: Final = "resync_phones"
IDS_PER_ARGUMENT: Final = 27
"""A command's argument has at most 1024 characters."""
ARGUMENTS_PER_COMMAND: Final = 28
NOT_TAKEN: Final = "The edge did not take the order in time"


@dataclass(frozen=True, slots=True)
class ItemView:
    """One phone of an order."""

    tenant_id: UUID
    device_id: UUID
    mac: str
    name: str
    state: str
    text: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class JobView:
    """An order, and how many phones are how far."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    reboot: bool
    created_at: datetime
    total: int
    counts: Mapping[str, int]
    done: bool
    """Whether nothing more is to come."""


def order_resync(desk: Desk, site_id: UUID, device_ids: Sequence[UUID] | None, *, reboot: bool) -> JobView:
    """Have phones of a site fetch again; None: every phone of the site.

    Raises:
        NotFound: there is no such site.
        Invalid: a device is not the site's, or there is none.
    """
    site = get_or_refuse(desk.session, Site, site_id)
    query = select(Device.id).where(Device.site_id == site.id, Device.model != ANNOUNCED)
    found = set(desk.session.scalars(query if device_ids is None else query.where(Device.id.in_(device_ids))))
    problems = Problems()
    for place, device_id in enumerate(device_ids or ()):
        if device_id not in found:
            problems.add(f"device_ids.{place}", unknown("device"))
    if not found and not problems:
        problems.add("device_ids", "The site has no phones that could be told")
    problems.check()
    now = desk.clock.now()
    job = ResyncJob(id=desk.tokens.id(), tenant_id=site.tenant_id, site_id=site.id, reboot=reboot, created_at=now)
    desk.session.add(job)
    desk.flush()
    ids = sorted(found)
    desk.session.add_all(
        ResyncItem(tenant_id=site.tenant_id, job_id=job.id, device_id=device_id, changed_at=now) for device_id in ids
    )
    desk.flush()
    edges = desk.session.scalars(
        select(Edge.id).where(Edge.site_id == site.id, Edge.enrolled_at.isnot(None), Edge.revoked_at.is_(None))
    )
    for edge_id in edges.all():
        for arguments in _arguments(job, ids):
            give_command(desk.session, desk.tokens, edge_id, ORDER_EDGES, arguments, now)
    shown: dict[str, list[Any]] = {"devices": [None, len(ids)], "reboot": [None, reboot]}
    desk.record("site.resynced", "site", site.id, shown, site.tenant_id)
    return _views(desk.session, [job], now)[0]


def get_job(session: Session, job_id: UUID, now: datetime) -> JobView:
    """One order."""
    return _views(session, [get_or_refuse(session, ResyncJob, job_id)], now)[0]


def list_jobs(session: Session, request: PageRequest, now: datetime, site_id: UUID | None = None) -> Page[JobView]:
    """Orders, the latest first."""
    query = select(ResyncJob)
    if site_id is not None:
        query = query.where(ResyncJob.site_id == site_id)
    page = newest_first(session, query, ResyncJob.created_at, ResyncJob.id, request)
    return Page(_views(session, page.items, now), page.next)


def list_items(
    session: Session, request: PageRequest, job_id: UUID, now: datetime, state: str | None = None
) -> Page[ItemView]:
    """The phones of an order; none of an order that is not there."""
    job = session.get(ResyncJob, job_id)
    if job is None:
        return Page([], None)
    query = select(ResyncItem).where(ResyncItem.job_id == job.id)
    if state is not None:
        kept = [each for each in STATES if _how(job, each, "", now)[0] == state]
        query = query.where(ResyncItem.state.in_(kept))
    page = oldest_first(session, query, ResyncItem.device_id, request)
    devices = session.scalars(select(Device).where(Device.id.in_([item.device_id for item in page.items])))
    known = {device.id: device for device in devices}
    views = []
    for item in page.items:
        how, text = _how(job, item.state, item.text, now)
        device = known[item.device_id]
        views.append(ItemView(job.tenant_id, item.device_id, device.mac, device.name, how, text, item.changed_at))
    return Page(views, page.next)


def _arguments(job: ResyncJob, ids: Sequence[UUID]) -> list[dict[str, str]]:
    """What each command says; a command names so many phones at most."""
    per_command = IDS_PER_ARGUMENT * ARGUMENTS_PER_COMMAND
    commands = []
    for first in range(0, len(ids), per_command):
        part = ids[first : first + per_command]
        named = {
            f"devices_{place:02}": ",".join(map(str, part[start : start + IDS_PER_ARGUMENT]))
            for place, start in enumerate(range(0, len(part), IDS_PER_ARGUMENT))
        }
        commands.append({"job_id": str(job.id), "reboot": "true" if job.reboot else "false", **named})
    return commands


def _how(job: ResyncJob, state: str, text: str, now: datetime) -> tuple[str, str]:
    """A phone's state; an order that the edge has not taken by now is carried out no more."""
    # Longer than the order is valid: a phone of a large site waits for its turn at the edge.
    if state == "waiting" and now - job.created_at > timedelta(seconds=4 * VALID_SECONDS):
        return "failed", NOT_TAKEN
    return state, text


def _views(session: Session, jobs: Sequence[ResyncJob], now: datetime) -> list[JobView]:
    counts: dict[UUID, Counter[str]] = {job.id: Counter() for job in jobs}
    by_id = {job.id: job for job in jobs}
    rows = session.execute(
        select(ResyncItem.job_id, ResyncItem.state, func.count())
        .where(ResyncItem.job_id.in_(by_id))
        .group_by(ResyncItem.job_id, ResyncItem.state)
    )
    for job_id, state, count in rows:
        counts[job_id][_how(by_id[job_id], state, "", now)[0]] += count
    return [
        JobView(
            id=job.id,
            tenant_id=job.tenant_id,
            site_id=job.site_id,
            reboot=job.reboot,
            created_at=job.created_at,
            total=counts[job.id].total(),
            counts={state: counts[job.id][state] for state in STATES},
            done=not any(counts[job.id][state] for state in ("waiting", "deferred", "asked")),
        )
        for job in jobs
    ]
