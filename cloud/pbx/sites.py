"""Sites: customer locations, each with what is published to it and what its edges say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from cloud.models import Site, Snapshot, Tenant
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.edge_places import EdgeView, views_of_sites
from cloud.pbx.other_sites import is_linked
from cloud.pbx.pages import Page, PageRequest, oldest_first
from cloud.pbx.redirect_requests import request_sync
from cloud.pbx.site_links import publish_all_linked, publish_others
from cloud.pbx.site_policies import changed_policy, in_force
from cloud.pbx.voicemail_lists import check_site_lists
from contract.snapshot import ProvisioningPolicy, RecordingPolicy, SipPolicy, VoicemailPolicy

_POLICIES: Final[dict[str, type[BaseModel]]] = {
    "provisioning": ProvisioningPolicy,
    "sip": SipPolicy,
    "voicemail": VoicemailPolicy,
    "recording": RecordingPolicy,
}


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site as it is shown: its configuration, what is published, and its edges."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    tenant_id: UUID
    name: str
    time_zone: str
    digest_algorithms: Sequence[str]
    provisioning: ProvisioningPolicy
    sip: SipPolicy
    voicemail: VoicemailPolicy
    recording: RecordingPolicy
    wanted_version: int | None
    published_at: datetime | None
    edges: Sequence[EdgeView]


def list_sites(session: Session, request: PageRequest, now: datetime, tenant_id: UUID | None = None) -> Page[SiteView]:
    """Sites with their edges' state: three statements, however many sites."""
    query = select(Site) if tenant_id is None else select(Site).where(Site.tenant_id == tenant_id)
    page = oldest_first(session, query, Site.id, request)
    return Page(_views(session, page.items, now), page.next)


def get_site(session: Session, site_id: UUID, now: datetime) -> SiteView:
    """One site."""
    return _views(session, [get_or_refuse(session, Site, site_id)], now)[0]


def get_site_row(session: Session, site_id: UUID) -> Site:
    """One site's own configuration."""
    return get_or_refuse(session, Site, site_id)


def create_site(
    desk: Desk, tenant_id: UUID | None, name: str, time_zone: str, digest_algorithms: list[str]
) -> SiteView:
    """A new site; its first snapshot is published at once."""
    problems = Problems()
    tenant = desk.session.get(Tenant, tenant_id) if tenant_id is not None else None
    if tenant is None:
        problems.add("tenant_id", unknown("tenant") if tenant_id else "Say which tenant the site belongs to")
    else:
        _check(desk.session, problems, tenant.id, None, {"name": name})
    _check_values(problems, {"time_zone": time_zone, "digest_algorithms": digest_algorithms})
    if tenant is None or problems:
        raise problems.invalid()
    site = Site(
        id=desk.tokens.id(),
        tenant_id=tenant.id,
        name=name,
        time_zone=time_zone,
        digest_algorithms=digest_algorithms,
    )
    desk.session.add(site)
    desk.flush()
    desk.record("site.created", "site", site.id, {"name": [None, name]}, tenant.id)
    desk.publish(site.id, f"Site {name} was created")
    return _views(desk.session, [site], desk.clock.now())[0]


def change_site(desk: Desk, site_id: UUID, changes: Mapping[str, Any], expected: int | None) -> SiteView:
    """Change a site and publish it."""
    site = get_for_change(desk.session, Site, site_id)
    check_version(site, expected)
    problems = Problems()
    _check(desk.session, problems, site.tenant_id, site.id, changes)
    _check_values(problems, changes)
    wanted = dict(changes)
    for field, policy in _POLICIES.items():
        if field in wanted:
            if field == "voicemail":
                check_site_lists(desk.session, problems, site.id, wanted[field] or {})
            wanted[field] = changed_policy(problems, field, policy, getattr(site, field), wanted[field] or {})
    problems.check()
    if changed := apply_changes(site, wanted):
        desk.flush()
        desk.record("site.changed", "site", site.id, changed, site.tenant_id)
        desk.publish(site.id, f"Site {site.name} was changed")
        if "name" in changed:
            publish_others(desk, site.id, f"Site {site.name} has another name")
    return _views(desk.session, [site], desk.clock.now())[0]


def delete_site(desk: Desk, site_id: UUID, expected: int | None) -> None:
    """Delete a site and all it has; its edges are refused from then on."""
    site = get_for_change(desk.session, Site, site_id)
    check_version(site, expected)
    desk.record("site.deleted", "site", site.id, {"name": [site.name, None]}, site.tenant_id)
    linked = is_linked(desk.session, site.id)
    desk.session.delete(site)
    desk.flush()
    if linked:
        publish_all_linked(desk, site.tenant_id, f"Site {site.name} was deleted")
    request_sync(desk.session, desk.tokens, site.tenant_id)
    desk.wake_hub(site.id)


def publish_again(desk: Desk, site_id: UUID) -> SiteView:
    """Compile and publish a site although nothing was changed."""
    site = get_for_change(desk.session, Site, site_id)
    desk.record("site.published", "site", site.id, {}, site.tenant_id)
    desk.publish(site.id, "Published by hand")
    return _views(desk.session, [site], desk.clock.now())[0]


def _check(
    session: Session, problems: Problems, tenant_id: UUID, site_id: UUID | None, wanted: Mapping[str, Any]
) -> None:
    if "name" in wanted:
        same = session.scalar(select(Site.id).where(Site.tenant_id == tenant_id, Site.name == wanted["name"]))
        if same is not None and same != site_id:
            problems.add("name", "The tenant has a site of this name")


def _check_values(problems: Problems, wanted: Mapping[str, Any]) -> None:
    if "time_zone" in wanted and not _is_time_zone(wanted["time_zone"]):
        problems.add("time_zone", "This is no IANA time zone name")
    algorithms = wanted.get("digest_algorithms", [])
    if len(set(algorithms)) != len(algorithms):
        problems.add("digest_algorithms", "Name each algorithm once")


def _is_time_zone(name: str) -> bool:
    try:
        return name == "UTC" or bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False  # OSError: a folder of zones, such as `Europe`


def _views(session: Session, sites: list[Site], now: datetime) -> list[SiteView]:
    ids = [site.id for site in sites]
    edges: dict[UUID, list[EdgeView]] = {}
    for view in views_of_sites(session, ids, now):
        edges.setdefault(view.site_id, []).append(view)
    published = _published(session, ids)
    return [
        SiteView(
            id=site.id,
            version=site.version,
            created_at=site.created_at,
            updated_at=site.updated_at,
            tenant_id=site.tenant_id,
            name=site.name,
            time_zone=site.time_zone,
            digest_algorithms=site.digest_algorithms,
            provisioning=in_force(ProvisioningPolicy, site.provisioning),
            sip=in_force(SipPolicy, site.sip),
            voicemail=in_force(VoicemailPolicy, site.voicemail),
            recording=in_force(RecordingPolicy, site.recording),
            wanted_version=published[site.id][0] if site.id in published else None,
            published_at=published[site.id][1] if site.id in published else None,
            edges=edges.get(site.id, []),
        )
        for site in sites
    ]


def _published(session: Session, site_ids: list[UUID]) -> dict[UUID, tuple[int, datetime]]:
    newest = (
        select(Snapshot.version)
        .where(Snapshot.site_id == Site.id)
        .order_by(Snapshot.version.desc())
        .limit(1)
        .correlate(Site)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Snapshot.site_id, Snapshot.version, Snapshot.created_at).where(
            tuple_(Snapshot.site_id, Snapshot.version).in_(select(Site.id, newest).where(Site.id.in_(site_ids)))
        )
    )
    return {site_id: (version, created_at) for site_id, version, created_at in rows}
