"""/redirect-accounts and /device-redirects: vendors' redirect services, and what they are told of phones."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, SecretStr, StringConstraints

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Patch, PathId, Sent, Shown, Stored, TenantFilter, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import redirect_accounts

router = new_router()

ServiceKey = Literal[
    "yealink_rps",
    "yealink_ymcs",
    "snom_sraps",
    "snom_redirect",
    "gigaset_grape",
    "gigaset_redirect",
    "fanvil_fdps",
    "grandstream_gdms",
]
Username = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[!#-9;-\[\]-~]+$")]
ServicePassword = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=512,
        description="The password, key or client secret, of GDMS `<API secret>/<password>`; never shown",
    ),
]
ApiUrl = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[^\s\x00-\x1f]+$")]
PhonesUrl = Annotated[
    str,
    Field(
        min_length=7,
        max_length=512,
        pattern=r"^(https?|tftp|ftp)://[^\s\x00-\x1f]+$",
        description="Where phones are sent; `{host}` stands for the site's server name, `{mac}` is left to the phone",
    ),
]


class RedirectAccount(Stored):
    """A tenant's account at a vendor's redirect service."""

    tenant_id: UUID
    vendor: str = Field(description="Whose phones: `redirect_service` of device plug-ins")
    service: str
    api_url: str
    phones_url: str
    username: str = Field(description="The user, key id or client id; of GDMS `<API id>/<user name>`")
    enabled: bool = Field(description="false: what was told is taken back")
    check_state: str = Field(description="How the log-in was last tried: pending, good or bad; empty: it was not")
    check_text: str
    checked_at: datetime | None
    phones: dict[str, int] = Field(description="How many phones are pending, pushed, removing or failed")


class RedirectAccountPage(Shown):
    """Some of the accounts."""

    items: list[RedirectAccount]
    next: str | None = None


class NewRedirectAccount(Sent):
    """An account to be; a tenant has one for each vendor."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    service: ServiceKey
    username: Username
    password: ServicePassword
    api_url: ApiUrl | None = Field(None, description="Absent: the service's own")
    phones_url: PhonesUrl | None = Field(None, description="Absent: `https://{host}:8443/`")
    enabled: bool = True


class RedirectAccountPatch(Patch):
    """What changes at an account; another `api_url` needs the password again."""

    username: Username = absent()
    password: ServicePassword = absent()
    api_url: ApiUrl = absent()
    phones_url: PhonesUrl = absent()
    enabled: bool = absent()


class Redirect(Shown):
    """How far a vendor's service is told where one phone is sent."""

    url: str = Field(description="Where the phone is sent; empty: nowhere")
    state: str = Field(description="pending, pushed, removing or failed")
    problem: str = Field(
        description="claimed (another account has it), credentials, refused, unreachable, no_server_name,"
        " no_serial; empty"
    )
    problem_text: str
    attempts: int
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    pushed_at: datetime | None = Field(description="When the service last took it")


class DeviceRedirect(Redirect):
    """The same, with whose phone it is."""

    id: UUID
    tenant_id: UUID
    account_id: UUID
    mac: str


class DeviceRedirectPage(Shown):
    """Some of the phones that services are told of."""

    items: list[DeviceRedirect]
    next: str | None = None


@router.get(
    "/redirect-accounts",
    **operation("listRedirectAccounts", "redirects", "List accounts at redirect services", "tenant_admin"),
)
def list_redirect_accounts(
    work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None
) -> RedirectAccountPage:
    page = redirect_accounts.list_accounts(work.session, page_request(limit, cursor), tenant_id)
    views = redirect_accounts.with_phones(work.session, page.items)
    return RedirectAccountPage(items=[_account(view) for view in views], next=encode_cursor(page.next))


@router.post(
    "/redirect-accounts",
    **operation("createRedirectAccount", "redirects", "Create an account at a redirect service", "tenant_admin", 201),
)
def create_redirect_account(work: Current, body: NewRedirectAccount) -> RedirectAccount:
    fields = redirect_accounts.AccountFields(
        body.service, body.username, body.password, body.api_url, body.phones_url, body.enabled
    )
    made = redirect_accounts.create_account(
        work.desk,
        body.tenant_id or work.claims.tenant_id,
        fields,
        insecure_allowed=work.services.insecure_webhooks,
    )
    return _shown(work, made)


@router.get(
    "/redirect-accounts/<redirect_account_id>",
    **operation("getRedirectAccount", "redirects", "Get an account at a redirect service", "tenant_admin"),
)
def get_redirect_account(work: Current, redirect_account_id: PathId) -> RedirectAccount:
    return _shown(work, redirect_accounts.get_account(work.session, redirect_account_id))


@router.patch(
    "/redirect-accounts/<redirect_account_id>",
    **operation("changeRedirectAccount", "redirects", "Change, enable or disable an account", "tenant_admin"),
)
def change_redirect_account(
    work: Current, redirect_account_id: PathId, body: RedirectAccountPatch, if_match: IfMatch = None
) -> RedirectAccount:
    row = redirect_accounts.change_account(
        work.desk,
        redirect_account_id,
        body.changes(),
        expected_version(if_match),
        insecure_allowed=work.services.insecure_webhooks,
    )
    return _shown(work, row)


@router.delete(
    "/redirect-accounts/<redirect_account_id>",
    **operation("deleteRedirectAccount", "redirects", "Delete an account that sends no phone", "tenant_admin", 204),
)
def delete_redirect_account(work: Current, redirect_account_id: PathId, if_match: IfMatch = None) -> None:
    redirect_accounts.delete_account(work.desk, redirect_account_id, expected_version(if_match))


@router.post(
    "/redirect-accounts/<redirect_account_id>/check",
    **operation("checkRedirectAccount", "redirects", "Have the log-in tried; see check_state", "tenant_admin", 202),
)
def check_redirect_account(work: Current, redirect_account_id: PathId) -> RedirectAccount:
    return _shown(work, redirect_accounts.check_account(work.desk, redirect_account_id))


@router.get(
    "/device-redirects",
    **operation("listDeviceRedirects", "redirects", "List what services are told of phones", "tenant_admin"),
)
def list_device_redirects(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    redirect_account_id: Annotated[UUID | None, Query(description="Only at this account")] = None,
    state: Annotated[Literal["pending", "pushed", "removing", "failed"] | None, Query()] = None,
) -> DeviceRedirectPage:
    page = redirect_accounts.list_redirects(
        work.session, page_request(limit, cursor), account_id=redirect_account_id, state=state
    )
    return DeviceRedirectPage(
        items=[DeviceRedirect.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.post(
    "/devices/<device_id>/redirect",
    **operation("pushDeviceRedirect", "redirects", "Tell a phone's redirect service again, now", "tenant_admin", 202),
)
def push_device_redirect(work: Current, device_id: PathId) -> Redirect:
    return Redirect.model_validate(redirect_accounts.push_again(work.desk, device_id))


def _shown(work: Current, account: Any) -> RedirectAccount:
    return _account(redirect_accounts.with_phones(work.session, [account])[0])


def _account(view: redirect_accounts.AccountView) -> RedirectAccount:
    row = view.account
    names = [name for name in RedirectAccount.model_fields if name != "phones"]
    return RedirectAccount(**{name: getattr(row, name) for name in names}, phones=dict(view.phones))
