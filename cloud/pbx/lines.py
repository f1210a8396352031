"""Lines: a user's identity on a device; their passwords are made here and shown once."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Device, Line, User
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.device_models import check_written
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.errors import NotFound
from cloud.pbx.pages import Page, PageRequest, oldest_first
from contract.devices import Catalogue

MAX_POSITION = 64


@dataclass(frozen=True, slots=True)
class LineFields:
    """What a new line is made of; None: made or found here."""

    user_id: UUID
    device_id: UUID | None = None
    position: int | None = None
    label: str = ""
    auth_username: str | None = None


@dataclass(frozen=True, slots=True)
class LineMade:
    """A line with its new password."""

    line: Line
    password: SecretStr


def list_lines(
    session: Session,
    request: PageRequest,
    site_id: UUID | None = None,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    only: UUID | None = None,
) -> Page[Line]:
    """Lines; `only` narrows to those of one user."""
    query = select(Line)
    wanted = ((Line.site_id, site_id), (Line.user_id, user_id), (Line.device_id, device_id), (Line.user_id, only))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    return oldest_first(session, query, Line.id, request)


def get_line(session: Session, line_id: UUID, only: UUID | None = None) -> Line:
    """One line; whoever may see those of `only` one user finds no other."""
    line = get_or_refuse(session, Line, line_id)
    if only is not None and line.user_id != only:
        raise NotFound
    return line


def create_line(desk: Desk, catalogue: Catalogue, fields: LineFields) -> LineMade:
    """A new line; the site is published."""
    problems = Problems()
    user = desk.session.get(User, fields.user_id)
    if user is None:
        problems.add("user_id", unknown("user"))
    device = desk.session.get(Device, fields.device_id) if fields.device_id is not None else None
    if fields.device_id is not None and device is None:
        problems.add("device_id", unknown("device"))
    if user is None or (fields.device_id is not None and device is None):
        raise problems.invalid()
    _check_place(desk.session, problems, user, device, fields.position, None)
    catalogue = tenant_catalogue(desk.session, catalogue, user.tenant_id)
    _check_written(problems, catalogue, user, device, fields.auth_username)
    if fields.auth_username is not None:
        taken = select(Line.id).where(Line.site_id == user.site_id, Line.auth_username == fields.auth_username)
        if desk.session.scalar(taken) is not None:
            problems.add("auth_username", "Another line of the site authenticates as this")
    problems.check()
    made = add_line(desk, user, device, fields)
    desk.flush()
    desk.publish(user.site_id, f"A line of {user.username} was created")
    return made


def add_line(desk: Desk, user: User, device: Device | None, fields: LineFields) -> LineMade:
    """Add a line whose fields were checked; the caller flushes and publishes."""
    password = new_password(desk)
    secret = desk.keep_secret(user.tenant_id, password)
    position = fields.position
    if position is None:
        position = _first_free(desk.session, device.id) if device is not None else 1
    name = fields.auth_username or f"{user.username[:48]}-{desk.tokens.secret(4).hex()}"
    line = Line(
        id=desk.tokens.id(),
        tenant_id=user.tenant_id,
        site_id=user.site_id,
        user_id=user.id,
        device_id=device.id if device is not None else None,
        position=position,
        label=fields.label,
        auth_username=name,
        secret_id=secret.secret_id,
        secret_version=secret.version,
    )
    desk.session.add(line)
    shown: dict[str, list[Any]] = {
        "user_id": [None, str(user.id)],
        "auth_username": [None, name],
        "position": [None, position],
    }
    desk.record("line.created", "line", line.id, shown, line.tenant_id)
    return LineMade(line, password)


def change_line(
    desk: Desk, catalogue: Catalogue, line_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> Line:
    """Change a line; the site is published."""
    line = get_for_change(desk.session, Line, line_id)
    check_version(line, expected)
    problems = Problems()
    user = desk.session.get(User, changes.get("user_id", line.user_id))
    device_id = changes.get("device_id", line.device_id)
    device = desk.session.get(Device, device_id) if device_id is not None else None
    if user is None:
        problems.add("user_id", unknown("user"))
    elif user.site_id != line.site_id:
        problems.add("user_id", "This user is at home at another site")
    if device_id is not None and device is None:
        problems.add("device_id", unknown("device"))
    elif user is not None:
        _check_place(desk.session, problems, user, device, changes.get("position", line.position), line.id)
        catalogue = tenant_catalogue(desk.session, catalogue, user.tenant_id)
        _check_written(problems, catalogue, user, device, changes.get("auth_username", line.auth_username))
    problems.check()
    if changed := apply_changes(line, changes):
        desk.flush()
        desk.record("line.changed", "line", line.id, changed, line.tenant_id)
        desk.publish(line.site_id, f"Line {line.auth_username} was changed")
    return line


def delete_line(desk: Desk, line_id: UUID, expected: int | None) -> None:
    """Delete a line; its phone is refused from then on."""
    line = get_for_change(desk.session, Line, line_id)
    check_version(line, expected)
    desk.record("line.deleted", "line", line.id, {"auth_username": [line.auth_username, None]}, line.tenant_id)
    desk.session.delete(line)
    desk.flush()
    desk.publish(line.site_id, f"Line {line.auth_username} was deleted")


def rotate_password(desk: Desk, line_id: UUID) -> LineMade:
    """Give a line a new password; the old one ends when the edge has applied it."""
    line = get_for_change(desk.session, Line, line_id)
    password = new_password(desk)
    line.secret_version = desk.keep_secret(line.tenant_id, password, line.secret_id).version
    desk.flush()
    desk.record("line.password_changed", "line", line.id, {}, line.tenant_id)
    desk.publish(line.site_id, f"Line {line.auth_username} got a new password")
    return LineMade(line, password)


def new_password(desk: Desk) -> SecretStr:
    """120 bits of randomness in letters and digits that phones' files take everywhere."""
    return SecretStr(base64.b32encode(desk.tokens.secret(15)).decode().lower())


def _check_place(
    session: Session, problems: Problems, user: User, device: Device | None, position: int | None, line_id: UUID | None
) -> None:
    if device is None:
        return
    if device.site_id != user.site_id:
        problems.add("device_id", "This device is at another site than the user")
    if position is not None:
        taken = session.scalar(select(Line.id).where(Line.device_id == device.id, Line.position == position))
        if taken is not None and taken != line_id:
            problems.add("position", "Another line has this place on the device")


def _check_written(
    problems: Problems, catalogue: Catalogue, user: User, device: Device | None, auth_username: str | None
) -> None:
    """What the line is called must fit into the files of its device."""
    model = catalogue.find(device.model) if device is not None else None
    if model is not None:
        check_written(problems, model, {"user_id": user.username, "auth_username": auth_username or ""})


def _first_free(session: Session, device_id: UUID) -> int:
    taken = set(session.scalars(select(Line.position).where(Line.device_id == device_id)))
    return next((place for place in range(1, MAX_POSITION + 1) if place not in taken), MAX_POSITION)
