"""Devices: phones and gateways that a site provisions, created with their lines in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cloud.models import Device, Line, Site, UnknownPhone, User
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.device_levels import groups_of, set_groups
from cloud.pbx.device_models import check_device, check_written
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.emergency_locations import locations_of
from cloud.pbx.lines import LineFields, LineMade, add_line
from cloud.pbx.pages import Page, PageRequest, oldest_first
from cloud.pbx.phone_history import note
from contract.devices import Catalogue, DeviceModel, Value


@dataclass(frozen=True, slots=True)
class DeviceFields:
    """What a new device is made of."""

    site_id: UUID
    mac: str
    model: str
    name: str
    settings: dict[str, Value]
    group_ids: Sequence[UUID] = ()
    serial: str = ""
    emergency_location_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A line that a new device comes with; position None: the first free place."""

    user_id: UUID
    position: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class DeviceWithLines:
    """A device and the lines on it, by position."""

    device: Device
    lines: Sequence[Line]
    group_ids: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class DeviceMade:
    """A new device, its lines with their passwords."""

    device: Device
    lines: Sequence[LineMade]
    group_ids: Sequence[UUID] = ()


def list_devices(
    session: Session, request: PageRequest, site_id: UUID | None = None, mac: str | None = None
) -> Page[DeviceWithLines]:
    """Devices with their lines and groups: three statements, however many devices."""
    query = select(Device)
    if site_id is not None:
        query = query.where(Device.site_id == site_id)
    if mac is not None:
        query = query.where(Device.mac == mac)
    page = oldest_first(session, query, Device.id, request)
    return Page(_with_lines(session, page.items), page.next)


def get_device(session: Session, device_id: UUID) -> DeviceWithLines:
    """One device."""
    return _with_lines(session, [get_or_refuse(session, Device, device_id)])[0]


def create_device(
    desk: Desk, catalogue: Catalogue, fields: DeviceFields, lines: Sequence[DeviceLine], *, named_short: bool = False
) -> DeviceMade:
    """A new device with its lines; the site is published.

    Args:
        named_short: the first line was asked for by `user_id` alone, and its problem is told there.
    """
    problems = Problems()
    site = desk.session.get(Site, fields.site_id)
    if site is None:
        problems.add("site_id", unknown("site"))
    else:
        _check_mac(desk.session, problems, site.tenant_id, fields.mac, None)
    if site is not None:
        catalogue = tenant_catalogue(desk.session, catalogue, site.tenant_id)
        _check_place(desk.session, problems, site.id, fields.emergency_location_id)
    model = check_device(catalogue, problems, fields.model, fields.settings)
    users = _check_lines(desk.session, problems, site, model, lines, named_short=named_short)
    if site is None or problems:
        raise problems.invalid()
    device = Device(
        id=desk.tokens.id(),
        tenant_id=site.tenant_id,
        site_id=site.id,
        mac=fields.mac,
        model=fields.model,
        name=fields.name,
        settings=fields.settings,
        serial=fields.serial,
        emergency_location_id=fields.emergency_location_id,
    )
    desk.session.add(device)
    desk.flush()
    set_groups(desk, device, fields.group_ids)
    seen = desk.session.execute(
        delete(UnknownPhone)
        .where(UnknownPhone.tenant_id == site.tenant_id, UnknownPhone.mac == fields.mac)
        .returning(UnknownPhone.address, UnknownPhone.protocol, UnknownPhone.switch_port)
    ).first()
    desk.flush()
    if seen is not None:
        note(desk.session, desk.tokens, device, desk.clock.now(), "adopted", dict(seen._mapping))
    shown = {"mac": [None, fields.mac], "model": [None, fields.model], "name": [None, fields.name]}
    shown |= {"serial": [None, fields.serial]} if fields.serial else {}
    place = fields.emergency_location_id
    shown |= {"emergency_location_id": [None, place]} if place is not None else {}
    desk.record("device.created", "device", device.id, shown, device.tenant_id)
    places = _places(lines)
    made = [
        add_line(desk, users[line.user_id], device, LineFields(line.user_id, device.id, place, line.label))
        for line, place in zip(lines, places, strict=True)
    ]
    desk.flush()
    desk.publish(device.site_id, f"Device {fields.mac} was created")
    return DeviceMade(device, made, sorted(fields.group_ids))


def change_device(
    desk: Desk, catalogue: Catalogue, device_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> DeviceWithLines:
    """Change a device; `settings` is merged (null takes a setting back to its default); the site is published."""
    device = get_for_change(desk.session, Device, device_id)
    check_version(device, expected)
    problems = Problems()
    wanted = dict(changes)
    if "settings" in wanted:
        merged = {**device.settings, **wanted["settings"]}
        wanted["settings"] = {path: value for path, value in merged.items() if value is not None}
    if "mac" in wanted:
        _check_mac(desk.session, problems, device.tenant_id, wanted["mac"], device.id)
    if "emergency_location_id" in wanted:
        _check_place(desk.session, problems, device.site_id, wanted["emergency_location_id"])
    shown = _with_lines(desk.session, [device])[0]
    if "model" in wanted or "settings" in wanted:
        settings = wanted.get("settings", device.settings)
        catalogue = tenant_catalogue(desk.session, catalogue, device.tenant_id)
        model = check_device(catalogue, problems, wanted.get("model", device.model), settings)
        if model is not None and any(line.position > model.lines for line in shown.lines):
            problems.add("model", f"{model.label} has {model.lines} lines; the device uses more")
        if model is not None:
            _check_lines_written(desk.session, problems, model, shown.lines)
    problems.check()
    group_ids = wanted.pop("group_ids", None)
    changed = apply_changes(device, wanted)
    if group_ids is not None and set(group_ids) != set(shown.group_ids):
        changed["group_ids"] = [sorted(map(str, shown.group_ids)), sorted(map(str, group_ids))]
        set_groups(desk, device, group_ids)
        shown = replace(shown, group_ids=sorted(group_ids))
        device.updated_at = desk.clock.now()  # so that the version counts this too
    if changed:
        desk.flush()
        desk.record("device.changed", "device", device.id, changed, device.tenant_id)
        desk.publish(device.site_id, f"Device {device.mac} was changed")
    return shown


def delete_device(desk: Desk, device_id: UUID, expected: int | None) -> None:
    """Delete a device with its lines; its file is no longer served, and it is refused registration."""
    device = get_for_change(desk.session, Device, device_id)
    check_version(device, expected)
    for line in _with_lines(desk.session, [device])[0].lines:
        desk.record("line.deleted", "line", line.id, {"auth_username": [line.auth_username, None]}, line.tenant_id)
        desk.session.delete(line)
    desk.flush()
    desk.record("device.deleted", "device", device.id, {"mac": [device.mac, None]}, device.tenant_id)
    desk.session.delete(device)
    desk.flush()
    desk.publish(device.site_id, f"Device {device.mac} was deleted")


def _check_mac(session: Session, problems: Problems, tenant_id: UUID, mac: str, device_id: UUID | None) -> None:
    taken = session.scalar(select(Device.id).where(Device.tenant_id == tenant_id, Device.mac == mac))
    if taken is not None and taken != device_id:
        problems.add("mac", "The tenant has a device with this MAC address")


def _check_place(session: Session, problems: Problems, site_id: UUID, location_id: str | None) -> None:
    """Whether the site's dial plan has this place."""
    if location_id is not None and all(one.location_id != location_id for one in locations_of(session, site_id)):
        problems.add("emergency_location_id", "The site's dial plan has no such location")


def _check_lines(
    session: Session,
    problems: Problems,
    site: Site | None,
    model: DeviceModel | None,
    lines: Sequence[DeviceLine],
    *,
    named_short: bool,
) -> dict[UUID, User]:
    ids = {line.user_id for line in lines}
    users = {user.id: user for user in session.scalars(select(User).where(User.id.in_(ids)))} if ids else {}
    seen: set[int] = set()
    for place, (line, position) in enumerate(zip(lines, _places(lines), strict=True)):
        short = named_short and place == 0
        prefix = "" if short else f"lines.{place - named_short}."
        user = users.get(line.user_id)
        if user is None:
            problems.add(f"{prefix}user_id", unknown("user"))
        elif site is not None and user.site_id != site.id:
            problems.add(f"{prefix}user_id", "This user is at home at another site")
        elif model is not None:
            check_written(problems, model, {f"{prefix}user_id": user.username})
        if position in seen:
            problems.add(f"{prefix}position", "Another line has this place on the device")
        elif model is not None and position > model.lines:
            problems.add(f"{prefix}position", f"{model.label} has {model.lines} lines")
        seen.add(position)
    return users


def _places(lines: Sequence[DeviceLine]) -> list[int]:
    """The position of each line; those that ask for none get the first free ones."""
    taken = {line.position for line in lines if line.position is not None}
    free = (place for place in range(1, len(lines) + len(taken) + 1) if place not in taken)
    return [line.position if line.position is not None else next(free) for line in lines]


def _with_lines(session: Session, devices: Sequence[Device]) -> list[DeviceWithLines]:
    found: dict[UUID, list[Line]] = {device.id: [] for device in devices}
    if found:
        query = select(Line).where(Line.device_id.in_(found)).order_by(Line.position)
        for line in session.scalars(query):
            if line.device_id is not None:
                found[line.device_id].append(line)
    groups = groups_of(session, list(found))
    return [DeviceWithLines(device, found[device.id], groups[device.id]) for device in devices]


def _check_lines_written(session: Session, problems: Problems, model: DeviceModel, lines: Sequence[Line]) -> None:
    """A model whose files cannot hold what the device's lines are called is not for this device."""
    names = {line.auth_username for line in lines}
    users = select(User.username).where(User.id.in_([line.user_id for line in lines]))
    names.update(session.scalars(users))
    unwritable = sorted(name for name in names if model.refusal(name) is not None)
    if unwritable:
        problems.add("model", f"The files of {model.label} cannot hold the name {unwritable[0]}")
