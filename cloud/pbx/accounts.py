"""Accounts: who may log in, and with which role; nobody makes an account above their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloud.models import ROLES, Account, Msp, RefreshToken, Tenant, User
from cloud.pbx.authentication import FailureCounter
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Conflict, Forbidden
from cloud.pbx.pages import Page, PageRequest, oldest_first
from cloud.pbx.passwords import Passwords, problem_of

IN_TENANT = frozenset({"tenant_admin", "user"})


@dataclass(frozen=True, slots=True)
class AccountFields:
    """What a new account is made of."""

    role: str
    email: str
    password: SecretStr
    display_name: str = ""
    msp_id: UUID | None = None
    tenant_id: UUID | None = None
    user_id: UUID | None = None


def list_accounts(session: Session, request: PageRequest) -> Page[Account]:
    """The accounts that the transaction sees."""
    return oldest_first(session, select(Account), Account.id, request)


def get_account(session: Session, account_id: UUID) -> Account:
    """One account."""
    return get_or_refuse(session, Account, account_id)


def create_account(desk: Desk, passwords: Passwords, fields: AccountFields, maker_role: str) -> Account:
    """A new account.

    Args:
        maker_role: the role of whoever makes it; `platform_admin` for the first ones.

    Raises:
        Forbidden: the new role is above the maker's.
        Invalid: naming every field that is wrong.
    """
    if _rank(fields.role) > _rank(maker_role):
        raise Forbidden("You cannot make an account above your own role")
    problems = Problems()
    if text := problem_of(fields.password):
        problems.add("password", text)
    _check_place(desk.session, problems, fields)
    problems.check()
    account = Account(
        id=desk.tokens.id(),
        role=fields.role,
        email=fields.email,
        display_name=fields.display_name,
        password_hash=passwords.hash(fields.password),
        msp_id=fields.msp_id if fields.role == "msp_admin" else None,
        tenant_id=fields.tenant_id if fields.role in IN_TENANT else None,
        user_id=fields.user_id if fields.role in IN_TENANT else None,
    )
    desk.session.add(account)
    _flush(desk)
    shown = {"email": [None, account.email], "role": [None, account.role]}
    desk.record("account.created", "account", account.id, shown, account.tenant_id, account.msp_id)
    return account


def ensure_platform_admin(desk: Desk, passwords: Passwords, email: str, password: SecretStr) -> Account | None:
    """The first account; None when there is an account with this address already, which stays as it is."""
    if desk.session.scalar(select(Account.id).where(func.lower(Account.email) == email.lower())) is not None:
        return None
    return create_account(desk, passwords, AccountFields("platform_admin", email, password), "platform_admin")


def change_account(
    desk: Desk,
    passwords: Passwords,
    account_id: UUID,
    changes: Mapping[str, Any],
    expected: int | None,
    maker_role: str,
) -> Account:
    """Change an account; a new password or a disabled account ends its log-ins."""
    account = _reach(desk, account_id, maker_role)
    check_version(account, expected)
    wanted = dict(changes)
    password: SecretStr | None = wanted.pop("password", None)
    if password is not None and (text := problem_of(password)):
        raise invalid("password", text)
    if wanted.get("enabled") is False and account.id == desk.actor.account_id:
        raise invalid("enabled", "You cannot disable yourself")
    changed = apply_changes(account, wanted)
    if password is not None:
        account.password_hash = passwords.hash(password)
    if not changed and password is None:
        return account
    _flush(desk)
    if password is not None or changed.get("enabled") == [True, False]:
        _end_log_ins(desk, account.id)
    action = "account.changed" if changed else "account.password_changed"
    desk.record(action, "account", account.id, changed, account.tenant_id, account.msp_id)
    return account


def change_own_password(
    desk: Desk, passwords: Passwords, failures: FailureCounter, account_id: UUID, current: SecretStr, new: SecretStr
) -> None:
    """Change one's own password; every log-in ends.

    Raises:
        Invalid: the current password is another one, or the new one is none.
        TooManyLogIns: whoever holds an access token alone must not guess the password with it.
    """
    account = get_for_change(desk.session, Account, account_id)
    failures.check(account.email, desk.actor.source)
    if not passwords.fits(account.password_hash, current):
        failures.failed(account.email, desk.actor.source)
        raise invalid("current_password", "This is not your password")
    if text := problem_of(new):
        raise invalid("new_password", text)
    account.password_hash = passwords.hash(new)
    desk.flush()
    _end_log_ins(desk, account.id)
    desk.record("account.password_changed", "account", account.id, {}, account.tenant_id, account.msp_id)


def delete_account(desk: Desk, account_id: UUID, expected: int | None, maker_role: str) -> None:
    """Delete an account; its log-ins end at once, an access token within its fifteen minutes."""
    account = _reach(desk, account_id, maker_role)
    check_version(account, expected)
    if account.id == desk.actor.account_id:
        raise Conflict("You cannot delete yourself")
    shown = {"email": [account.email, None]}
    desk.record("account.deleted", "account", account.id, shown, account.tenant_id, account.msp_id)
    desk.session.delete(account)
    desk.flush()


def _reach(desk: Desk, account_id: UUID, maker_role: str) -> Account:
    account = get_for_change(desk.session, Account, account_id)
    if _rank(account.role) > _rank(maker_role):
        raise Forbidden("This account is above your own role")
    return account


def _rank(role: str) -> int:
    return len(ROLES) - ROLES.index(role)


def _check_place(session: Session, problems: Problems, fields: AccountFields) -> None:
    if fields.role == "msp_admin":
        if fields.msp_id is None:
            problems.add("msp_id", "Say which provider the account belongs to")
        elif session.get(Msp, fields.msp_id) is None:
            problems.add("msp_id", unknown("provider"))
    if fields.role not in IN_TENANT:
        return
    tenant = session.get(Tenant, fields.tenant_id) if fields.tenant_id is not None else None
    if tenant is None:
        problems.add("tenant_id", unknown("tenant") if fields.tenant_id else "Say which tenant the account belongs to")
    user = session.get(User, fields.user_id) if fields.user_id is not None else None
    if fields.user_id is None:
        if fields.role == "user":
            problems.add("user_id", "Say which user the account is for")
    elif user is None or (tenant is not None and user.tenant_id != tenant.id):
        problems.add("user_id", unknown("user"))


def _end_log_ins(desk: Desk, account_id: UUID) -> None:
    desk.session.execute(
        update(RefreshToken)
        .where(RefreshToken.account_id == account_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=desk.clock.now())
    )


def _flush(desk: Desk) -> None:
    try:
        desk.session.flush()
    except IntegrityError:
        raise invalid("email", "There is an account with this e-mail address") from None
