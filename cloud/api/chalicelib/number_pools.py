"""/number-pools: the numbers that a tenant has from its providers, and what each is used for."""

from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import (
    IfMatch,
    Label,
    Name,
    Patch,
    PathId,
    Sent,
    Shown,
    Stored,
    TenantFilter,
    absent,
)
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import number_pools
from cloud.pbx.telephone_numbers import COUNTRIES
from contract.values import SipUser

router = new_router()


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise ValueError("no numbering plan is known of this country; ISO 3166-1 has two capital letters, such as CH")
    return value


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["CH"]), AfterValidator(_country)]
Number = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^\+?[0-9() ./-]+$", examples=["+41445556677"])]
E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$", examples=["+41445556677"])]


class NumberPool(Stored):
    """Numbers one after the other."""

    tenant_id: UUID
    name: str
    first: str = Field(description="In E.164")
    last: str
    count: int
    used: int = Field(description="How many of them something of the tenant uses")


class NumberPoolPage(Shown):
    """Some of the pools."""

    items: list[NumberPool]
    next: str | None = None


class NewNumberPool(Sent):
    """A pool to be."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    name: Name
    first: Number = Field(description="The first number, in E.164 or as people of `country` write it")
    count: int = Field(ge=1, le=number_pools.MAX_NUMBERS)
    country: Country | None = None


class NumberPoolPatch(Patch):
    """What changes at a pool; its numbers stay."""

    name: Name = absent()


class NumberUse(Shown):
    """What a number is used for."""

    site_id: UUID
    site_name: str
    what: Literal["number", "alias", "caller_id", "place"]
    destination: str = Field(description="What is dialled for it, or whose it is")


class PoolNumber(Shown):
    """One number; without uses it is free."""

    number: str = Field(description="In E.164")
    shown: str = Field(description="As people write it")
    uses: list[NumberUse]


class PoolNumbers(Shown):
    """Some of the numbers of a pool, in their order."""

    items: list[PoolNumber]


class NumberAssignment(Sent):
    """What a number is to reach."""

    site_id: UUID
    destination: SipUser = Field(description="What is dialled for it inside the site, such as an extension")
    name: Label = ""
    number: E164 | None = Field(None, description="Which; left out: the next free one")


@router.get("/number-pools", **operation("listNumberPools", "numbers", "List number pools", "tenant_admin"))
def list_number_pools(
    work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None
) -> NumberPoolPage:
    page = number_pools.list_pools(work.session, page_request(limit, cursor), tenant_id=tenant_id)
    views = number_pools.views(work.session, page.items)
    return NumberPoolPage(items=[_shown(one) for one in views], next=encode_cursor(page.next))


@router.post("/number-pools", **operation("createNumberPool", "numbers", "Create a number pool", "tenant_admin", 201))
def create_number_pool(work: Current, body: NewNumberPool) -> NumberPool:
    tenant_id = body.tenant_id or work.claims.tenant_id
    pool = number_pools.create_pool(work.desk, tenant_id, body.name, body.first, body.count, body.country)
    return _one(work, pool.id)


@router.get("/number-pools/<pool_id>", **operation("getNumberPool", "numbers", "Read a number pool", "tenant_admin"))
def get_number_pool(work: Current, pool_id: PathId) -> NumberPool:
    return _one(work, pool_id)


@router.patch(
    "/number-pools/<pool_id>", **operation("changeNumberPool", "numbers", "Rename a number pool", "tenant_admin")
)
def change_number_pool(work: Current, pool_id: PathId, body: NumberPoolPatch, if_match: IfMatch = None) -> NumberPool:
    number_pools.change_pool(work.desk, pool_id, body.changes(), expected_version(if_match))
    return _one(work, pool_id)


@router.delete(
    "/number-pools/<pool_id>",
    **operation("deleteNumberPool", "numbers", "Forget a number pool; uses of its numbers stay", "tenant_admin", 204),
)
def delete_number_pool(work: Current, pool_id: PathId, if_match: IfMatch = None) -> None:
    number_pools.delete_pool(work.desk, pool_id, expected_version(if_match))


@router.get(
    "/number-pools/<pool_id>/numbers",
    **operation("readPoolNumbers", "numbers", "Read the numbers of a pool and their uses", "tenant_admin"),
)
def read_pool_numbers(
    work: Current,
    pool_id: PathId,
    free: Annotated[bool, Query(description="Only those that nothing uses")] = False,
    after: Annotated[int, Query(ge=0, le=number_pools.MAX_NUMBERS, description="So many are passed over")] = 0,
    limit: Limit = 50,
) -> PoolNumbers:
    found = number_pools.pool_numbers(work.session, pool_id, free=free, after=after, limit=limit)
    return PoolNumbers(items=[PoolNumber.model_validate(one) for one in found])


@router.post(
    "/number-pools/<pool_id>/assignments",
    **operation("assignNumber", "numbers", "Give a number of a pool to something at a site", "tenant_admin", 201),
)
def assign_number(work: Current, pool_id: PathId, body: NumberAssignment) -> PoolNumber:
    taken = number_pools.assign(work.desk, pool_id, body.site_id, body.destination, body.name, body.number)
    return PoolNumber.model_validate(taken)


def _one(work: Current, pool_id: UUID) -> NumberPool:
    (view,) = number_pools.views(work.session, [number_pools.get_pool(work.session, pool_id)])
    return _shown(view)


def _shown(view: number_pools.PoolView) -> NumberPool:
    pool = view.pool
    return NumberPool(
        id=pool.id,
        version=pool.version,
        created_at=pool.created_at,
        updated_at=pool.updated_at,
        tenant_id=pool.tenant_id,
        name=pool.name,
        first=pool.first,
        last=view.last,
        count=pool.count,
        used=view.used,
    )
