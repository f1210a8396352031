"""/sessions, /me and /accounts: logging in, and who may."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, SecretStr

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import Email, IfMatch, Label, Patch, PathId, Role, Sent, Shown, Stored, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.tokens import ACCESS_SECONDS, Claims
from cloud.api.chalicelib.work import Current, Visit, Visitor
from cloud.pbx import accounts, authentication

router = new_router()

NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=256)]


class Credentials(Sent):
    """What somebody logs in with."""

    email: Annotated[str, Field(max_length=254)]
    password: Annotated[SecretStr, Field(max_length=256)]


class Refresh(Sent):
    """A refresh token; it works once."""

    refresh_token: Annotated[SecretStr, Field(min_length=16, max_length=200)]


class Account(Stored):
    """A log-in."""

    role: Role
    email: str
    display_name: str
    msp_id: UUID | None
    tenant_id: UUID | None
    user_id: UUID | None
    enabled: bool


class SessionTokens(Shown):
    """What a log-in is carried on with."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  (the name of the scheme)
    expires_in: int = Field(description="Seconds that the access token is good for")
    refresh_token: str = Field(description="Good for one use; it is answered by the next one")
    account: Account


class AccountPage(Shown):
    """Some of the accounts."""

    items: list[Account]
    next: str | None = None


class NewAccount(Sent):
    """An account to be."""

    role: Role
    email: Email
    password: NewPassword
    display_name: Label = ""
    msp_id: UUID | None = Field(None, description="Of an msp_admin; a provider's own accounts leave it out")
    tenant_id: UUID | None = Field(None, description="Of a tenant_admin or user; a tenant's own accounts leave it out")
    user_id: UUID | None = Field(None, description="The telephone user that the account is for; needed by role user")


class AccountPatch(Patch):
    """What changes at an account."""

    email: Email = absent()
    display_name: Label = absent()
    enabled: bool = absent()
    password: NewPassword = absent()


class PasswordChange(Sent):
    """One's own new password."""

    current_password: Annotated[SecretStr, Field(max_length=256)]
    new_password: NewPassword


@router.post("/sessions", **operation("logIn", "sessions", "Log in", None, 201))
def log_in(visit: Visitor, body: Credentials) -> SessionTokens:
    return _tokens(visit, authentication.log_in(visit.services.gate, body.email, body.password, visit.source))


@router.post("/sessions/refresh", **operation("refreshSession", "sessions", "Carry a log-in on", None, 201))
def refresh_session(visit: Visitor, body: Refresh) -> SessionTokens:
    return _tokens(visit, authentication.refresh(visit.services.gate, body.refresh_token))


@router.delete("/sessions/current", **operation("logOut", "sessions", "Log out: the refresh token ends", "user", 204))
def log_out(work: Current) -> None:
    authentication.log_out(work.session, work.services.clock, work.claims.session_id)


@router.get("/me", **operation("getMe", "accounts", "Who am I", "user"))
def get_me(work: Current) -> Account:
    return Account.model_validate(accounts.get_account(work.session, work.claims.account_id))


@router.post("/me/password", **operation("changeMyPassword", "accounts", "Change my password", "user", 204))
def change_my_password(work: Current, body: PasswordChange) -> None:
    gate = work.services.gate
    accounts.change_own_password(
        work.desk, gate.passwords, gate.failures, work.claims.account_id, body.current_password, body.new_password
    )


@router.get("/accounts", **operation("listAccounts", "accounts", "List accounts", "tenant_admin"))
def list_accounts(work: Current, limit: Limit = 50, cursor: Cursor = None) -> AccountPage:
    page = accounts.list_accounts(work.session, page_request(limit, cursor))
    return AccountPage(items=[Account.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.post("/accounts", **operation("createAccount", "accounts", "Create an account", "tenant_admin", 201))
def create_account(work: Current, body: NewAccount) -> Account:
    claims = work.claims
    inside = body.role in {"tenant_admin", "user"}
    fields = accounts.AccountFields(
        role=body.role,
        email=body.email,
        password=body.password,
        display_name=body.display_name,
        msp_id=body.msp_id or (claims.msp_id if body.role == "msp_admin" else None),
        tenant_id=body.tenant_id or (claims.tenant_id if inside else None),
        user_id=body.user_id,
    )
    return Account.model_validate(accounts.create_account(work.desk, work.services.gate.passwords, fields, claims.role))


@router.get("/accounts/<account_id>", **operation("getAccount", "accounts", "Get an account", "tenant_admin"))
def get_account(work: Current, account_id: PathId) -> Account:
    return Account.model_validate(accounts.get_account(work.session, account_id))


@router.patch("/accounts/<account_id>", **operation("changeAccount", "accounts", "Change an account", "tenant_admin"))
def change_account(work: Current, account_id: PathId, body: AccountPatch, if_match: IfMatch = None) -> Account:
    row = accounts.change_account(
        work.desk,
        work.services.gate.passwords,
        account_id,
        body.changes(),
        expected_version(if_match),
        work.claims.role,
    )
    return Account.model_validate(row)


@router.delete(
    "/accounts/<account_id>", **operation("deleteAccount", "accounts", "Delete an account", "tenant_admin", 204)
)
def delete_account(work: Current, account_id: PathId, if_match: IfMatch = None) -> None:
    accounts.delete_account(work.desk, account_id, expected_version(if_match), work.claims.role)


def _tokens(visit: Visit, session: authentication.LogIn) -> SessionTokens:
    account = Account.model_validate(session.account)
    claims = Claims(
        account_id=account.id,
        email=account.email,
        session_id=session.session_id,
        role=account.role,
        msp_id=account.msp_id,
        tenant_id=account.tenant_id,
        user_id=account.user_id,
    )
    return SessionTokens(
        access_token=visit.services.access.sign(claims),
        expires_in=ACCESS_SECONDS,
        refresh_token=session.refresh_token.get_secret_value(),
        account=account,
    )
