"""/users: people (and rooms, and doors) that calls are made by and for."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import (
    LINE,
    Email,
    IfMatch,
    Label,
    Patch,
    PathId,
    Sent,
    Shown,
    SiteFilter,
    Stored,
    absent,
)
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import users
from cloud.pbx.sound_files import check_music
from contract.snapshot import OwnMusic
from contract.snapshot.pattern import Dialled
from contract.values import Extension, SipUser

router = new_router()

Aliases = Annotated[list[SipUser], Field(max_length=32)]
CallerId = Annotated[Dialled, Field(min_length=1)]
Appearances = Annotated[int, Field(ge=0, le=24)]
Permissions = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)]


class User(Stored):
    """A user, at home at one site."""

    tenant_id: UUID
    site_id: UUID
    username: str
    display_name: str
    extension: str | None
    aliases: list[str]
    permissions: list[str]
    enabled: bool
    email: str | None
    caller_id: str | None = Field(description="The number that calls to the outside show; null: the gateway's")
    anonymous: bool = Field(description="Whether calls to the outside hide who calls")
    appearances: int = Field(
        description="How many calls the shared line of the user's phones has at one time; 0: it is not shared"
    )
    music: OwnMusic | None = Field(
        description="What those hear whom the user holds or parks; null: that of a hunt group of his, else the site's"
    )


class UserPage(Shown):
    """Some of the users."""

    items: list[User]
    next: str | None = None


class NewUser(Sent):
    """A user to be."""

    site_id: UUID
    username: SipUser
    display_name: Label = ""
    extension: Extension | None = None
    aliases: Aliases = Field(default=[])
    permissions: Permissions | None = Field(None, description="Absent: those that every new user has")
    enabled: bool = True
    email: Email | None = None
    caller_id: CallerId | None = None
    anonymous: bool = False
    appearances: Appearances = 0
    music: OwnMusic | None = None


class UserPatch(Patch):
    """What changes at a user."""

    username: SipUser = absent()
    display_name: Label = absent()
    extension: Extension | None = absent()
    aliases: Aliases = absent()
    permissions: Permissions = absent()
    enabled: bool = absent()
    email: Email | None = absent()
    caller_id: CallerId | None = absent()
    anonymous: bool = absent()
    appearances: Appearances = absent()
    music: OwnMusic | None = absent()


@router.get("/users", **operation("listUsers", "users", "List users", "user"))
def list_users(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    site_id: SiteFilter = None,
    search: Annotated[
        str | None, Query(min_length=1, max_length=64, pattern=LINE, description="Part of a name, extension or alias")
    ] = None,
) -> UserPage:
    page = users.list_users(
        work.session, page_request(limit, cursor), site_id=site_id, search=search, only=work.only_user
    )
    return UserPage(items=[User.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.post("/users", **operation("createUser", "users", "Create a user", "tenant_admin", 201))
def create_user(work: Current, body: NewUser) -> User:
    if body.music is not None:
        check_music(work.session, work.services.files, body.site_id, body.music)
    return User.model_validate(users.create_user(work.desk, users.UserFields(**body.model_dump())))


@router.get("/users/<user_id>", **operation("getUser", "users", "Get a user", "user"))
def get_user(work: Current, user_id: PathId) -> User:
    return User.model_validate(users.get_user(work.session, user_id, only=work.only_user))


@router.patch("/users/<user_id>", **operation("changeUser", "users", "Change a user", "tenant_admin"))
def change_user(work: Current, user_id: PathId, body: UserPatch, if_match: IfMatch = None) -> User:
    changes = body.changes()
    if (music := changes.get("music")) is not None:
        check_music(work.session, work.services.files, users.get_user(work.session, user_id).site_id, music)
        changes["music"] = music.model_dump()
    return User.model_validate(
        users.change_user(work.desk, work.services.catalogue, user_id, changes, expected_version(if_match))
    )


@router.delete(
    "/users/<user_id>", **operation("deleteUser", "users", "Delete a user with its lines", "tenant_admin", 204)
)
def delete_user(work: Current, user_id: PathId, if_match: IfMatch = None) -> None:
    users.delete_user(work.desk, user_id, expected_version(if_match))
