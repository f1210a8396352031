"""Number pools: which numbers a tenant has, what each is used for at its sites, and the next one that is free."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import DialPlan, NumberPool, Site, Tenant, User
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.compiler import country_of, dial_plan_of
from cloud.pbx.desk import Desk
from cloud.pbx.dial_plans import put_dial_plan
from cloud.pbx.errors import Conflict, FieldProblem, TooMany
from cloud.pbx.pages import Page, PageRequest, oldest_first
from cloud.pbx.telephone_numbers import e164, shown
from contract import snapshot as contract

MAX_PER_TENANT: Final = 200
MAX_NUMBERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Use:
    """What a number is used for.

    Args:
        site_id, site_name: where.
        what: `number` of the dial plan, `alias` of a user, a group or a voice service, `caller_id` of a user, `place`
            that emergency calls are sent back to.
        destination: what is dialled for it, or whose it is.
    """

    site_id: UUID
    site_name: str
    what: str
    destination: str


@dataclass(frozen=True, slots=True)
class PoolNumber:
    """One number of a pool; nothing in `uses`: it is free.

    Args:
        number: in E.164.
        shown: as people write it abroad.
        uses: of it.
    """

    number: str
    shown: str
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool, with how many of its numbers are used."""

    pool: NumberPool
    last: str
    used: int


def list_pools(session: Session, request: PageRequest, tenant_id: UUID | None = None) -> Page[NumberPool]:
    """Pools, the oldest first."""
    query = select(NumberPool)
    if tenant_id is not None:
        query = query.where(NumberPool.tenant_id == tenant_id)
    return oldest_first(session, query, NumberPool.id, request)


def views(session: Session, pools: list[NumberPool]) -> list[PoolView]:
    """What is shown of pools."""
    used = {tenant_id: uses_of(session, tenant_id) for tenant_id in {pool.tenant_id for pool in pools}}
    return [
        PoolView(pool, last_of(pool), sum(number in used[pool.tenant_id] for number in numbers_of(pool)))
        for pool in pools
    ]


def get_pool(session: Session, pool_id: UUID) -> NumberPool:
    """One pool."""
    return get_or_refuse(session, NumberPool, pool_id)


def create_pool(
    desk: Desk, tenant_id: UUID | None, name: str, first: str, count: int, country: str | None
) -> NumberPool:
    """A new pool.

    Args:
        first: the first number, as people of `country` write it, or in E.164.
        count: how many numbers follow each other from there on, it included.
        country: ISO 3166-1; None: `first` begins with a plus.

    Raises:
        Invalid: the first or the last is no telephone number.
        Conflict: another pool of the tenant has some of them.
        TooMany: the tenant has as many pools as it may.
    """
    problems = Problems()
    whole = e164(first, country)
    if tenant_id is None:
        problems.add("tenant_id", "Say which tenant the numbers belong to")
    elif desk.session.get(Tenant, tenant_id) is None:
        problems.add("tenant_id", unknown("tenant"))
    if whole is None:
        problems.extend([_no_number("first", first, country)])
    elif e164(_at(whole, count - 1), None) is None:
        problems.add("count", f"{_at(whole, count - 1)}, the last of them, is no telephone number")
    if tenant_id is None or whole is None or problems:
        raise problems.invalid()
    # Two pools made at one moment are made one after the other.
    get_for_change(desk.session, Tenant, tenant_id)
    others = list(desk.session.scalars(select(NumberPool).where(NumberPool.tenant_id == tenant_id)))
    if len(others) >= MAX_PER_TENANT:
        raise TooMany(f"A tenant has at most {MAX_PER_TENANT} number pools")
    pool = NumberPool(id=desk.tokens.id(), tenant_id=tenant_id, name=name, first=whole, count=count)
    for other in others:
        if _overlap(pool, other):
            raise Conflict(f"{other.name} has {other.first} to {last_of(other)} already")
    desk.session.add(pool)
    desk.flush()
    told: dict[str, list[Any]] = {"name": [None, name], "first": [None, whole], "count": [None, count]}
    desk.record("number_pool.created", "number_pool", pool.id, told, tenant_id)
    return pool


def change_pool(desk: Desk, pool_id: UUID, changes: Mapping[str, Any], expected: int | None) -> NumberPool:
    """Give a pool another name."""
    pool = get_for_change(desk.session, NumberPool, pool_id)
    check_version(pool, expected)
    if changed := apply_changes(pool, changes):
        desk.flush()
        desk.record("number_pool.changed", "number_pool", pool.id, changed, pool.tenant_id)
    return pool


def delete_pool(desk: Desk, pool_id: UUID, expected: int | None) -> None:
    """Forget a pool; what its numbers are used for stays."""
    pool = get_for_change(desk.session, NumberPool, pool_id)
    check_version(pool, expected)
    desk.record("number_pool.deleted", "number_pool", pool.id, {"name": [pool.name, None]}, pool.tenant_id)
    desk.session.delete(pool)
    desk.flush()


def pool_numbers(session: Session, pool_id: UUID, *, free: bool, after: int, limit: int) -> list[PoolNumber]:
    """Numbers of a pool in their order.

    Args:
        free: only those that nothing uses.
        after: so many numbers from the first on are passed over.
        limit: how many at most.
    """
    pool = get_pool(session, pool_id)
    used = uses_of(session, pool.tenant_id)
    found = []
    for number in list(numbers_of(pool))[after:]:
        uses = tuple(used.get(number, ()))
        if not (free and uses):
            found.append(PoolNumber(number, shown(number, None), uses))
        if len(found) >= limit:
            break
    return found


def assign(desk: Desk, pool_id: UUID, site_id: UUID, destination: str, name: str, number: str | None) -> PoolNumber:
    """Give a number of a pool to something at a site: its dial plan is saved and published.

    Args:
        destination: what is dialled for it inside the site.
        name: what it is for; may be empty.
        number: which, in E.164; None: the next free one.

    Raises:
        Invalid: there is no such site of the tenant, or the number is not in the pool.
        Conflict: it, or all of the pool, is used already.
    """
    # Two assignments at one moment take two numbers.
    pool = get_for_change(desk.session, NumberPool, pool_id)
    site = desk.session.get(Site, site_id)
    problems = Problems()
    if site is None or site.tenant_id != pool.tenant_id:
        problems.add("site_id", unknown("site"))
    if number is not None and number not in set(numbers_of(pool)):
        problems.add("number", f"{pool.name} has the numbers {pool.first} to {last_of(pool)}")
    if site is None or problems:
        raise problems.invalid()
    used = uses_of(desk.session, pool.tenant_id)
    wanted = [number] if number is not None else numbers_of(pool)
    taken = next((one for one in wanted if one not in used), None)
    if taken is None and number is not None:
        use = used[number][0]
        raise Conflict(f"{number} is used at {use.site_name} for {use.destination} already")
    if taken is None:
        raise Conflict(f"Every number of {pool.name} is used")
    plan = dial_plan_of(desk.session, site_id)
    added = contract.InwardNumber(number=taken, destination=destination, name=name)
    put_dial_plan(desk, site_id, plan.model_copy(update={"numbers": (*plan.numbers, added)}), None)
    told: dict[str, list[Any]] = {"number": [None, taken], "destination": [None, destination]}
    desk.record("number_pool.assigned", "number_pool", pool.id, told, pool.tenant_id)
    return PoolNumber(taken, shown(taken, None), (Use(site.id, site.name, "number", destination),))


def numbers_of(pool: NumberPool) -> Iterator[str]:
    """Every number of a pool, in E.164."""
    return (_at(pool.first, place) for place in range(pool.count))


def last_of(pool: NumberPool) -> str:
    """The last number of a pool."""
    return _at(pool.first, pool.count - 1)


def uses_of(session: Session, tenant_id: UUID) -> dict[str, list[Use]]:
    """What the numbers of a tenant are used for, by number in E.164."""
    found: dict[str, list[Use]] = {}
    rows = session.execute(select(DialPlan.site_id, DialPlan.document).where(DialPlan.tenant_id == tenant_id))
    plans: dict[UUID, dict[str, Any]] = {site_id: document for site_id, document in rows}  # noqa: C416 - rows, typed
    countries = {}
    for site in session.scalars(select(Site).where(Site.tenant_id == tenant_id).order_by(Site.id)):
        countries[site.id] = (site.name, country_of(site))
        for what, number, destination in _in_document(plans.get(site.id, {})):
            _note(found, countries[site.id][1], number, Use(site.id, site.name, what, destination))
    columns = (User.site_id, User.username, User.aliases, User.caller_id)
    for site_id, username, aliases, caller_id in session.execute(select(*columns).where(User.tenant_id == tenant_id)):
        name, country = countries[site_id]
        for alias in aliases:
            _note(found, country, alias, Use(site_id, name, "alias", username))
        if caller_id:
            _note(found, country, caller_id, Use(site_id, name, "caller_id", username))
    return found


def _in_document(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Numbers of a dial plan, as (what they are, number, whose)."""
    for one in document.get("numbers") or ():
        yield "number", one["number"], one["destination"]
    for one in (*(document.get("hunt_groups") or ()), *(document.get("voice_services") or ())):
        for alias in one.get("aliases") or ():
            yield "alias", alias, one["name"]
    for one in document.get("locations") or ():
        yield "place", one["caller_id"], one["name"]


def _note(found: dict[str, list[Use]], country: str | None, number: str, use: Use) -> None:
    if (whole := e164(number, country)) is not None:
        found.setdefault(whole, []).append(use)


def _at(first: str, place: int) -> str:
    return f"+{int(first[1:]) + place}"


def _overlap(one: NumberPool, other: NumberPool) -> bool:
    return int(one.first) < int(other.first) + other.count and int(other.first) < int(one.first) + one.count


def _no_number(field: str, number: str, country: str | None) -> FieldProblem:
    hint = f"as people of {country} write it, or with its plus" if country else "with its plus and country code"
    return FieldProblem(field, f"{number} is no telephone number; write one {hint}, such as +41445556677")
