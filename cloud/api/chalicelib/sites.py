"""/sites: customer locations, each with the state of its edge."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import (
    IfMatch,
    Name,
    Patch,
    PathId,
    Sent,
    Shown,
    Stored,
    TenantFilter,
    TimeZone,
    absent,
)
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import sites

router = new_router()

Algorithms = Annotated[list[Literal["MD5", "SHA-256"]], Field(min_length=1, max_length=2)]


class SiteEdge(Shown):
    """What the site's edge last told."""

    edge_id: UUID
    name: str
    enrolled: bool
    online: bool
    last_seen_at: datetime | None
    transport: str
    address: str
    agent_version: str
    applied_version: int | None = Field(description="The snapshot version that runs at the site")
    applied_at: datetime | None
    rejected_version: int | None = Field(description="The newest version that the edge refused, if one is refused now")
    rejected_problems: list[str]


class Site(Stored):
    """A customer location."""

    tenant_id: UUID
    name: str
    time_zone: str
    digest_algorithms: list[str] = Field(description="Of SIP challenges, in their order")
    wanted_version: int | None = Field(description="The newest published snapshot version")
    published_at: datetime | None
    edges: list[SiteEdge]


class SitePage(Shown):
    """Some of the sites."""

    items: list[Site]
    next: str | None = None


class NewSite(Sent):
    """A site to be."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    name: Name
    time_zone: TimeZone = "UTC"
    digest_algorithms: Algorithms = Field(default=["MD5"])


class SitePatch(Patch):
    """What changes at a site."""

    name: Name = absent()
    time_zone: TimeZone = absent()
    digest_algorithms: Algorithms = absent()


@router.get("/sites", **operation("listSites", "sites", "List sites with their edges' state", "tenant_admin"))
def list_sites(work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None) -> SitePage:
    page = sites.list_sites(work.session, page_request(limit, cursor), work.services.clock.now(), tenant_id=tenant_id)
    return SitePage(items=[Site.model_validate(site) for site in page.items], next=encode_cursor(page.next))


@router.post("/sites", **operation("createSite", "sites", "Create a site", "tenant_admin", 201))
def create_site(work: Current, body: NewSite) -> Site:
    site = sites.create_site(
        work.desk, body.tenant_id or work.claims.tenant_id, body.name, body.time_zone, list(body.digest_algorithms)
    )
    return Site.model_validate(site)


@router.get("/sites/<site_id>", **operation("getSite", "sites", "Get a site with its edges' state", "tenant_admin"))
def get_site(work: Current, site_id: PathId) -> Site:
    return Site.model_validate(sites.get_site(work.session, site_id, work.services.clock.now()))


@router.patch("/sites/<site_id>", **operation("changeSite", "sites", "Change a site", "tenant_admin"))
def change_site(work: Current, site_id: PathId, body: SitePatch, if_match: IfMatch = None) -> Site:
    return Site.model_validate(sites.change_site(work.desk, site_id, body.changes(), expected_version(if_match)))


@router.delete(
    "/sites/<site_id>", **operation("deleteSite", "sites", "Delete a site and all it has", "tenant_admin", 204)
)
def delete_site(work: Current, site_id: PathId, if_match: IfMatch = None) -> None:
    sites.delete_site(work.desk, site_id, expected_version(if_match))


@router.post(
    "/sites/<site_id>/publish",
    **operation("publishSite", "sites", "Compile and publish the site again", "tenant_admin", 202),
)
def publish_site(work: Current, site_id: PathId) -> Site:
    return Site.model_validate(sites.publish_again(work.desk, site_id))
