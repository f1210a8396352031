"""/msps and /tenants: providers and their customers."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Name, Patch, PathId, Sent, Shown, Stored, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import tenants

router = new_router()

Domain = Annotated[
    str, StringConstraints(to_lower=True, max_length=253, pattern=r"^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$")
]


class Msp(Stored):
    """A managed service provider."""

    name: str


class MspPage(Shown):
    """Some of the providers."""

    items: list[Msp]
    next: str | None = None


class NewMsp(Sent):
    """A provider to be."""

    name: Name


class Tenant(Stored):
    """One customer of a provider."""

    msp_id: UUID
    name: str
    domain: str = Field(description="The SIP domain of every site of the tenant")
    realm: str = Field(description="The digest realm; it never changes")


class TenantPage(Shown):
    """Some of the tenants."""

    items: list[Tenant]
    next: str | None = None


class NewTenant(Sent):
    """A tenant to be."""

    msp_id: UUID | None = Field(None, description="The provider; a provider's own accounts leave it out")
    name: Name
    domain: Domain


class TenantPatch(Patch):
    """What changes at a tenant."""

    name: Name = absent()
    domain: Domain = absent()


@router.get("/msps", **operation("listMsps", "tenants", "List providers", "msp_admin"))
def list_msps(work: Current, limit: Limit = 50, cursor: Cursor = None) -> MspPage:
    page = tenants.list_msps(work.session, page_request(limit, cursor))
    return MspPage(items=[Msp.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.post("/msps", **operation("createMsp", "tenants", "Create a provider", "platform_admin", 201))
def create_msp(work: Current, body: NewMsp) -> Msp:
    return Msp.model_validate(tenants.create_msp(work.desk, body.name))


@router.get("/msps/<msp_id>", **operation("getMsp", "tenants", "Get a provider", "msp_admin"))
def get_msp(work: Current, msp_id: PathId) -> Msp:
    return Msp.model_validate(tenants.get_msp(work.session, msp_id))


@router.get("/tenants", **operation("listTenants", "tenants", "List tenants", "tenant_admin"))
def list_tenants(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    msp_id: Annotated[UUID | None, Query(description="Only tenants of this provider")] = None,
) -> TenantPage:
    page = tenants.list_tenants(work.session, page_request(limit, cursor), msp_id=msp_id)
    return TenantPage(items=[Tenant.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.post("/tenants", **operation("createTenant", "tenants", "Create a tenant", "msp_admin", 201))
def create_tenant(work: Current, body: NewTenant) -> Tenant:
    row = tenants.create_tenant(work.desk, body.msp_id or work.claims.msp_id, body.name, body.domain)
    return Tenant.model_validate(row)


@router.get("/tenants/<tenant_id>", **operation("getTenant", "tenants", "Get a tenant", "tenant_admin"))
def get_tenant(work: Current, tenant_id: PathId) -> Tenant:
    return Tenant.model_validate(tenants.get_tenant(work.session, tenant_id))


@router.patch("/tenants/<tenant_id>", **operation("changeTenant", "tenants", "Change a tenant", "msp_admin"))
def change_tenant(work: Current, tenant_id: PathId, body: TenantPatch, if_match: IfMatch = None) -> Tenant:
    row = tenants.change_tenant(work.desk, tenant_id, body.changes(), expected_version(if_match))
    return Tenant.model_validate(row)


@router.delete(
    "/tenants/<tenant_id>", **operation("deleteTenant", "tenants", "Delete a tenant and all it has", "msp_admin", 204)
)
def delete_tenant(work: Current, tenant_id: PathId, if_match: IfMatch = None) -> None:
    tenants.delete_tenant(work.desk, tenant_id, expected_version(if_match))
