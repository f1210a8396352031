"""A tenant's accounts at vendors' redirect services, and how far each phone is told there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceRedirect, RedirectAccount, Tenant
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Conflict, FieldProblem
from cloud.pbx.outbox import request_job
from cloud.pbx.pages import Page, PageRequest, oldest_first
from cloud.pbx.redirect_requests import CHECK_REDIRECT, request_pushes, request_sync
from cloud.pbx.redirect_services import PHONES_URL, SERVICES
from cloud.pbx.redirects import LACKING
from cloud.pbx.webhooks import url_problems


@dataclass(frozen=True, slots=True)
class AccountFields:
    """What a new account is made of; None: the service's own, or the usual."""

    service: str
    username: str
    password: SecretStr
    api_url: str | None
    phones_url: str | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account, and how many phones are in each state at its service."""

    account: RedirectAccount
    phones: Mapping[str, int]


def list_accounts(session: Session, request: PageRequest, tenant_id: UUID | None = None) -> Page[RedirectAccount]:
    """Accounts, the oldest first."""
    query = select(RedirectAccount)
    if tenant_id is not None:
        query = query.where(RedirectAccount.tenant_id == tenant_id)
    return oldest_first(session, query, RedirectAccount.id, request)


def get_account(session: Session, account_id: UUID) -> RedirectAccount:
    """One account."""
    return get_or_refuse(session, RedirectAccount, account_id)


def with_phones(session: Session, accounts: Sequence[RedirectAccount]) -> list[AccountView]:
    """Accounts with their counts: one statement more, however many."""
    counts: dict[UUID, dict[str, int]] = {account.id: {} for account in accounts}
    if counts:
        query = select(DeviceRedirect.account_id, DeviceRedirect.state, func.count())
        query = query.where(DeviceRedirect.account_id.in_(counts))
        for account_id, state, count in session.execute(
            query.group_by(DeviceRedirect.account_id, DeviceRedirect.state)
        ):
            counts[account_id][state] = count
    return [AccountView(account, counts[account.id]) for account in accounts]


def create_account(
    desk: Desk, tenant_id: UUID | None, fields: AccountFields, *, insecure_allowed: bool = False
) -> RedirectAccount:
    """A new account; what its service is to know is told from then on.

    Raises:
        Invalid: naming what cannot be accepted.
    """
    service = SERVICES[fields.service]
    api_url, phones_url = fields.api_url or service.api_url, fields.phones_url or PHONES_URL
    problems = Problems()
    problems.extend(_url_problems(api_url, phones_url, insecure_allowed=insecure_allowed))
    if tenant_id is None:
        problems.add("tenant_id", "Say which tenant the account belongs to")
    elif desk.session.get(Tenant, tenant_id) is None:
        problems.add("tenant_id", unknown("tenant"))
    else:
        taken = select(RedirectAccount.id).where(
            RedirectAccount.tenant_id == tenant_id, RedirectAccount.vendor == service.vendor
        )
        if desk.session.scalar(taken) is not None:
            problems.add("service", "The tenant has an account for this vendor's phones")
    if tenant_id is None or problems:
        raise problems.invalid()
    secret = desk.keep_secret(tenant_id, fields.password)
    account = RedirectAccount(
        id=desk.tokens.id(),
        tenant_id=tenant_id,
        vendor=service.vendor,
        service=service.key,
        api_url=api_url,
        phones_url=phones_url,
        username=fields.username,
        secret_id=secret.secret_id,
        secret_version=secret.version,
        enabled=fields.enabled,
    )
    desk.session.add(account)
    desk.flush()
    shown: dict[str, list[Any]] = {"service": [None, service.key], "username": [None, fields.username]}
    desk.record("redirect_account.created", "redirect_account", account.id, shown, tenant_id)
    request_sync(desk.session, desk.tokens, tenant_id)
    return account


def change_account(
    desk: Desk, account_id: UUID, changes: Mapping[str, Any], expected: int | None, *, insecure_allowed: bool = False
) -> RedirectAccount:
    """Change an account; what failed so far is told again. Disabling takes back what was told."""
    account = get_for_change(desk.session, RedirectAccount, account_id)
    check_version(account, expected)
    wanted = dict(changes)
    password: SecretStr | None = wanted.pop("password", None)
    wanted_api, wanted_phones = wanted.get("api_url", account.api_url), wanted.get("phones_url", account.phones_url)
    problems = Problems()
    problems.extend(_url_problems(wanted_api, wanted_phones, insecure_allowed=insecure_allowed))
    if wanted_api != account.api_url and password is None:
        problems.add("password", "Give the password again where it is to be sent to another address")
    problems.check()
    changed = apply_changes(account, wanted)
    if password is not None:
        kept = desk.keep_secret(account.tenant_id, password, account.secret_id)
        account.secret_version = kept.version
        changed["password"] = [None, "changed"]
    if changed:
        account.check_state, account.check_text, account.checked_at = "", "", None
        desk.flush()
        desk.record("redirect_account.changed", "redirect_account", account.id, changed, account.tenant_id)
        failed = select(DeviceRedirect).where(
            DeviceRedirect.account_id == account.id,
            DeviceRedirect.state == "failed",
            DeviceRedirect.problem.not_in(LACKING),
        )
        rows = desk.session.scalars(failed.with_for_update()).all()
        request_pushes(desk.session, desk.tokens, rows, desk.clock.now())
        request_sync(desk.session, desk.tokens, account.tenant_id)
    return account


def delete_account(desk: Desk, account_id: UUID, expected: int | None) -> None:
    """Delete an account that no phone is told of any more.

    Raises:
        Conflict: its service still sends phones: it has to be disabled first, which takes that back.
    """
    account = get_for_change(desk.session, RedirectAccount, account_id)
    check_version(account, expected)
    told = select(func.count()).where(
        DeviceRedirect.account_id == account.id, DeviceRedirect.state.in_(("pushed", "removing"))
    )
    if count := desk.session.scalar(told):
        raise Conflict(f"The service still sends {count} phones: disable the account first, which takes that back")
    desk.record(
        "redirect_account.deleted",
        "redirect_account",
        account.id,
        {"service": [account.service, None]},
        account.tenant_id,
    )
    desk.session.delete(account)
    desk.flush()


def check_account(desk: Desk, account_id: UUID) -> RedirectAccount:
    """Have the log-in tried; how it went is in the account soon after."""
    account = get_for_change(desk.session, RedirectAccount, account_id)
    account.check_state, account.check_text = "pending", ""
    desk.flush()
    request_job(
        desk.session,
        desk.tokens,
        tenant_id=account.tenant_id,
        kind=CHECK_REDIRECT,
        key=str(account.id),
        payload={},
    )
    return account


def list_redirects(
    session: Session, request: PageRequest, account_id: UUID | None = None, state: str | None = None
) -> Page[DeviceRedirect]:
    """What services are told of phones, also of those that are deleted and still to be taken off."""
    query = select(DeviceRedirect)
    if account_id is not None:
        query = query.where(DeviceRedirect.account_id == account_id)
    if state is not None:
        query = query.where(DeviceRedirect.state == state)
    return oldest_first(session, query, DeviceRedirect.id, request)


def redirects_of(session: Session, devices: Collection[Device]) -> dict[UUID, DeviceRedirect]:
    """What a service is told of each of these devices; of several, the one that is not being taken off."""
    places = {(device.tenant_id, device.mac): device.id for device in devices}
    if not places:
        return {}
    query = select(DeviceRedirect).where(DeviceRedirect.mac.in_({mac for _, mac in places}))
    found: dict[UUID, DeviceRedirect] = {}
    for row in session.scalars(query.order_by(DeviceRedirect.state == "removing")):
        device_id = places.get((row.tenant_id, row.mac))
        if device_id is not None:
            found.setdefault(device_id, row)
    return found


def push_again(desk: Desk, device_id: UUID) -> DeviceRedirect:
    """Tell a phone's redirect service again, now.

    Raises:
        Conflict: no service is told of this phone, or it cannot be.
    """
    device = get_for_change(desk.session, Device, device_id)
    row = redirects_of(desk.session, [device]).get(device.id)
    if row is None:
        raise Conflict("No redirect service is told of this phone: the tenant has no account for its vendor")
    row = get_for_change(desk.session, DeviceRedirect, row.id)
    if not row.url:
        raise Conflict(row.problem_text or "The phone is being taken off the service")
    request_pushes(desk.session, desk.tokens, [row], desk.clock.now())
    desk.record("device.redirect_pushed", "device", device.id, {"mac": [device.mac, device.mac]}, device.tenant_id)
    return row


def _url_problems(api_url: str, phones_url: str, *, insecure_allowed: bool) -> list[FieldProblem]:
    found = [FieldProblem("api_url", one.message) for one in url_problems(api_url, insecure_allowed=insecure_allowed)]
    example = phones_url.replace("{host}", "host.example").replace("{mac}", "001565000001")
    found += [FieldProblem("phones_url", one.message) for one in url_problems(example, insecure_allowed=True)]
    if "{" in example or "}" in example:
        found.append(FieldProblem("phones_url", "knows {host} and {mac} only"))
    return found
