"""Users: who calls are made by and for; every name of a tenant belongs to one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from cloud.models import Account, Device, Line, Site, User, UserName
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.device_models import check_written
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.dial_plans import check_name_is_free
from cloud.pbx.errors import NotFound
from cloud.pbx.pages import Page, PageRequest, oldest_first
from cloud.pbx.site_links import SHOWN_OF_USERS, publish_others
from contract.devices import Catalogue, DeviceModel
from contract.snapshot import PERMISSIONS

NEW_USERS_MAY = ("CallPickup", "EchoTest", "Intercom", "LocalDialing", "Voicemail")
"""What a user may do unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class UserFields:
    """What a new user is made of."""

    site_id: UUID
    username: str
    display_name: str = ""
    extension: str | None = None
    aliases: list[str] | None = None
    permissions: list[str] | None = None
    enabled: bool = True
    email: str | None = None
    caller_id: str | None = None
    anonymous: bool = False
    appearances: int = 0
    music: dict[str, Any] | None = None


def list_users(
    session: Session,
    request: PageRequest,
    site_id: UUID | None = None,
    search: str | None = None,
    only: UUID | None = None,
) -> Page[User]:
    """Users; `only` narrows to one user, `search` to those with this part in a name."""
    query = select(User)
    if site_id is not None:
        query = query.where(User.site_id == site_id)
    if only is not None:
        query = query.where(User.id == only)
    if search is not None:
        columns = (User.username, User.display_name, User.extension, func.array_to_string(User.aliases, " "))
        query = query.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    return oldest_first(session, query, User.id, request)


def get_user(session: Session, user_id: UUID, only: UUID | None = None) -> User:
    """One user; whoever may see `only` one finds no other."""
    if only is not None and user_id != only:
        raise NotFound
    return get_or_refuse(session, User, user_id)


def create_user(desk: Desk, fields: UserFields) -> User:
    """A new user; the site is published."""
    problems = Problems()
    site = desk.session.get(Site, fields.site_id)
    if site is None:
        problems.add("site_id", unknown("site"))
    wanted = {
        "username": fields.username,
        "display_name": fields.display_name,
        "extension": fields.extension,
        "aliases": list(fields.aliases or []),
        "permissions": list(NEW_USERS_MAY if fields.permissions is None else fields.permissions),
        "enabled": fields.enabled,
        "email": fields.email,
        "caller_id": fields.caller_id,
        "anonymous": fields.anonymous,
        "appearances": fields.appearances,
        "music": fields.music,
    }
    _check(desk.session, problems, site.tenant_id if site else None, site.id if site else None, None, wanted)
    if site is None or problems:
        raise problems.invalid()
    user = User(id=desk.tokens.id(), tenant_id=site.tenant_id, site_id=site.id, **wanted)
    desk.session.add(user)
    desk.flush()
    shown = {name: [None, value] for name, value in wanted.items()}
    desk.record("user.created", "user", user.id, shown, user.tenant_id)
    desk.publish(user.site_id, f"User {user.username} was created")
    publish_others(desk, user.site_id, f"User {user.username} was created at another site")
    return user


def change_user(
    desk: Desk, catalogue: Catalogue, user_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> User:
    """Change a user; the site is published."""
    user = get_for_change(desk.session, User, user_id)
    check_version(user, expected)
    problems = Problems()
    after = {name: changes.get(name, getattr(user, name)) for name in ("username", "extension", "aliases")}
    if "permissions" in changes:
        after["permissions"] = changes["permissions"]
    _check(desk.session, problems, user.tenant_id, user.site_id, user.id, after)
    if "username" in changes:
        catalogue = tenant_catalogue(desk.session, catalogue, user.tenant_id)
        for model in _models_of(desk.session, catalogue, user):
            check_written(problems, model, {"username": after["username"]})
    problems.check()
    if changed := apply_changes(user, changes):
        desk.flush()
        desk.record("user.changed", "user", user.id, changed, user.tenant_id)
        desk.publish(user.site_id, f"User {user.username} was changed")
        if SHOWN_OF_USERS.intersection(changed):
            publish_others(desk, user.site_id, f"User {user.username} was changed at another site")
    return user


def delete_user(desk: Desk, user_id: UUID, expected: int | None) -> None:
    """Delete a user with its lines and its log-in; its calls stay in the records."""
    user = get_for_change(desk.session, User, user_id)
    check_version(user, expected)
    desk.record("user.deleted", "user", user.id, {"username": [user.username, None]}, user.tenant_id)
    for account in desk.session.scalars(select(Account).where(Account.user_id == user.id)):
        desk.record("account.deleted", "account", account.id, {"email": [account.email, None]}, user.tenant_id)
    desk.session.delete(user)
    desk.flush()
    desk.publish(user.site_id, f"User {user.username} was deleted")
    publish_others(desk, user.site_id, f"User {user.username} was deleted at another site")


def _models_of(session: Session, catalogue: Catalogue, user: User) -> list[DeviceModel]:
    """The models of the phones that the user has lines on."""
    query = select(Device.model).join(Line, Line.device_id == Device.id).where(Line.user_id == user.id).distinct()
    return [model for key in session.scalars(query) if (model := catalogue.find(key)) is not None]


def _check(
    session: Session,
    problems: Problems,
    tenant_id: UUID | None,
    site_id: UUID | None,
    user_id: UUID | None,
    wanted: Mapping[str, Any],
) -> None:
    aliases: list[str] = wanted["aliases"]
    named = [("username", wanted["username"])]
    named += [("extension", wanted["extension"])] if wanted["extension"] else []
    named += [(f"aliases.{place}", alias) for place, alias in enumerate(aliases)]
    taken = _taken(session, tenant_id, user_id, [name for _, name in named])
    seen: set[str] = set()
    for field, name in named:
        if name.startswith("*"):
            problems.add(field, "Names that begin with * are feature codes")
        elif name in seen and field != "extension":  # an extension may be the user name as well
            problems.add(field, "The user has this name already")
        elif name in taken:
            problems.add(field, "Another user of the tenant has this name, extension or alias")
        seen.add(name)
    if site_id is not None:
        problems.extend(check_name_is_free(session, site_id, dict(named)))
    for place, permission in enumerate(wanted.get("permissions", ())):
        if permission not in PERMISSIONS:
            known = ", ".join(sorted(PERMISSIONS))
            problems.add(f"permissions.{place}", f"There is no such permission; there are {known}")


def _taken(session: Session, tenant_id: UUID | None, user_id: UUID | None, names: list[str]) -> frozenset[str]:
    if tenant_id is None:
        return frozenset()
    query = select(UserName.name).where(UserName.tenant_id == tenant_id, UserName.name.in_(names))
    if user_id is not None:
        query = query.where(UserName.user_id != user_id)
    return frozenset(session.scalars(query))
