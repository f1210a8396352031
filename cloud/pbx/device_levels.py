"""What is set for many devices at once, and where each value of one device comes from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceGroup, DeviceGroupMember, Line, Site, Tenant, User
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, invalid, unknown
from cloud.pbx.compiler import dial_plan_of
from cloud.pbx.desk import Desk
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.pages import Page, PageRequest, oldest_first
from contract import snapshot as contract
from contract.devices import (
    Catalogue,
    Level,
    LevelSettings,
    Resolved,
    Value,
    check_level,
    feature_code_level,
    multicast_level,
    record_key_level,
    resolve,
)
from contract.dialplan import feature_codes

SettingsPatch = Mapping[str, Mapping[str, Value | None]]
"""Scope → path → value; None takes the value away."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its devices."""

    id: UUID
    version: int
    created_at: Any
    updated_at: Any
    tenant_id: UUID
    name: str
    weight: int
    settings: Mapping[str, Mapping[str, Value]]
    device_ids: Sequence[UUID]


def list_groups(session: Session, request: PageRequest, tenant_id: UUID | None = None) -> Page[GroupView]:
    """Groups with their devices: two statements, however many."""
    query = select(DeviceGroup)
    if tenant_id is not None:
        query = query.where(DeviceGroup.tenant_id == tenant_id)
    page = oldest_first(session, query, DeviceGroup.id, request)
    return Page(_views(session, page.items), page.next)


def get_group(session: Session, group_id: UUID) -> GroupView:
    """One group."""
    return _views(session, [get_or_refuse(session, DeviceGroup, group_id)])[0]


def create_group(
    desk: Desk,
    catalogue: Catalogue,
    tenant_id: UUID | None,
    name: str,
    weight: int = 0,
    settings: LevelSettings | None = None,
    device_ids: Sequence[UUID] = (),
) -> GroupView:
    """A new group; the sites of its devices are published."""
    problems = Problems()
    tenant = desk.session.get(Tenant, tenant_id) if tenant_id is not None else None
    if tenant is None:
        problems.add("tenant_id", unknown("tenant") if tenant_id else "Say which tenant the group belongs to")
        raise problems.invalid()
    _check_settings(tenant_catalogue(desk.session, catalogue, tenant.id), problems, settings or {})
    _check_name(desk.session, problems, tenant.id, name, None)
    devices = _devices(desk.session, problems, tenant.id, device_ids)
    problems.check()
    group = DeviceGroup(
        id=desk.tokens.id(), tenant_id=tenant.id, name=name, weight=weight, settings=_plain(settings or {})
    )
    desk.session.add(group)
    desk.flush()
    _add_members(desk, group, devices)
    shown: dict[str, list[Any]] = {"name": [None, name], "weight": [None, weight], "settings": [None, group.settings]}
    desk.record("device_group.created", "device_group", group.id, shown, tenant.id)
    _publish(desk, {device.site_id for device in devices}, f"Device group {name} was created")
    return get_group(desk.session, group.id)


def change_group(
    desk: Desk, catalogue: Catalogue, group_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> GroupView:
    """Change a group; `settings` is merged, `device_ids` is the new list; the sites that it touches are published."""
    group = get_for_change(desk.session, DeviceGroup, group_id)
    check_version(group, expected)
    wanted = dict(changes)
    problems = Problems()
    if "settings" in wanted:
        wanted["settings"] = merged(group.settings, wanted["settings"])
        own = tenant_catalogue(desk.session, catalogue, group.tenant_id)
        _check_settings(own, problems, wanted["settings"])
    if "name" in wanted:
        _check_name(desk.session, problems, group.tenant_id, wanted["name"], group.id)
    device_ids = wanted.pop("device_ids", None)
    devices = _devices(desk.session, problems, group.tenant_id, device_ids or ())
    problems.check()
    sites = set(_sites_of(desk.session, group.id))
    before = sorted(str(member.device_id) for member in _members(desk.session, [group.id]))
    changed = apply_changes(group, wanted)
    if device_ids is not None and (after := sorted(str(device.id) for device in devices)) != before:
        changed["device_ids"] = [before, after]
        for member in _members(desk.session, [group.id]):
            desk.session.delete(member)
        desk.flush()
        _add_members(desk, group, devices)
        group.updated_at = desk.clock.now()  # so that the version counts this too
    if changed:
        desk.flush()
        desk.record("device_group.changed", "device_group", group.id, changed, group.tenant_id)
        _publish(desk, sites | set(_sites_of(desk.session, group.id)), f"Device group {group.name} was changed")
    return get_group(desk.session, group.id)


def delete_group(desk: Desk, group_id: UUID, expected: int | None) -> None:
    """Delete a group; its devices stay, without what it set for them."""
    group = get_for_change(desk.session, DeviceGroup, group_id)
    check_version(group, expected)
    sites = set(_sites_of(desk.session, group.id))
    desk.record("device_group.deleted", "device_group", group.id, {"name": [group.name, None]}, group.tenant_id)
    desk.session.delete(group)
    desk.flush()
    _publish(desk, sites, f"Device group {group.name} was deleted")


def change_site_settings(
    desk: Desk, catalogue: Catalogue, site_id: UUID, patch: SettingsPatch, expected: int | None
) -> Site:
    """Change what is set for every device of a site; it is published."""
    site = get_for_change(desk.session, Site, site_id)
    if _change(desk, catalogue, site, patch, expected, "site", site.tenant_id):
        desk.publish(site.id, "Settings for the site's devices were changed")
    return site


def change_tenant_settings(
    desk: Desk, catalogue: Catalogue, tenant_id: UUID, patch: SettingsPatch, expected: int | None
) -> Tenant:
    """Change what is set for every device of a tenant; all its sites are published."""
    tenant = get_for_change(desk.session, Tenant, tenant_id)
    if _change(desk, catalogue, tenant, patch, expected, "tenant", tenant.id):
        sites = desk.session.scalars(select(Site.id).where(Site.tenant_id == tenant.id))
        _publish(desk, sites, "Settings for the tenant's devices were changed")
    return tenant


def resolved_settings(session: Session, catalogue: Catalogue, device_id: UUID) -> Sequence[Resolved]:
    """Every setting of a device with its value and where that comes from, as its edge will have it."""
    device = get_or_refuse(session, Device, device_id)
    model = tenant_catalogue(session, catalogue, device.tenant_id).find(device.model)
    if model is None:
        return ()
    site = session.get_one(Site, device.site_id)
    tenant = session.get_one(Tenant, device.tenant_id)
    groups = session.scalars(
        select(DeviceGroup)
        .join(DeviceGroupMember, DeviceGroupMember.group_id == DeviceGroup.id)
        .where(DeviceGroupMember.device_id == device.id)
    )
    plan = dial_plan_of(session, site.id)
    levels = [
        feature_code_level(feature_codes(plan)),
        multicast_level(_listened(session, plan, device)),
        record_key_level(
            session.scalars(
                select(User.permissions).join(Line, Line.user_id == User.id).where(Line.device_id == device.id)
            )
        ),
        Level("tenant", tenant.device_settings, tenant.name),
        Level("site", site.device_settings, site.name),
        *(
            Level("group", group.settings, group.name)
            for group in sorted(groups, key=lambda group: (group.weight, str(group.id)))
        ),
    ]
    return tuple(resolve(model, device.settings, levels).values())


def _listened(session: Session, plan: contract.DialPlan, device: Device) -> Sequence[contract.Paging]:
    """The paging groups whose pages a device listens to, as its edge finds them."""
    lines = session.scalars(select(Line).where(Line.device_id == device.id))
    return contract.listened(plan.voice_services, ((str(device.id), str(line.user_id)) for line in lines)).get(
        str(device.id), ()
    )


def merged(before: Mapping[str, Mapping[str, Value]], patch: SettingsPatch) -> dict[str, dict[str, Value]]:
    """Level settings with a merge patch applied; a scope that nothing is left of is gone."""
    after = {scope: dict(values) for scope, values in before.items()}
    for scope, values in patch.items():
        whole = after.setdefault(scope, {})
        for path, value in values.items():
            if value is None:
                whole.pop(path, None)
            else:
                whole[path] = value
    return {scope: values for scope, values in after.items() if values}


def _change(
    desk: Desk,
    catalogue: Catalogue,
    row: Site | Tenant,
    patch: SettingsPatch,
    expected: int | None,
    kind: str,
    tenant_id: UUID,
) -> bool:
    check_version(row, expected)
    problems = Problems()
    wanted = merged(row.device_settings, patch)
    _check_settings(tenant_catalogue(desk.session, catalogue, tenant_id), problems, wanted)
    problems.check()
    changed = apply_changes(row, {"device_settings": wanted})
    if changed:
        desk.flush()
        desk.record(f"{kind}.device_settings_changed", kind, row.id, changed, tenant_id)
    return bool(changed)


def _check_settings(catalogue: Catalogue, problems: Problems, settings: LevelSettings) -> None:
    for problem in check_level(catalogue, settings):
        problems.add(f"settings.{problem.path}", problem.message)


def _check_name(session: Session, problems: Problems, tenant_id: UUID, name: str, group_id: UUID | None) -> None:
    query = select(DeviceGroup.id).where(DeviceGroup.tenant_id == tenant_id, DeviceGroup.name == name)
    if (taken := session.scalar(query)) is not None and taken != group_id:
        problems.add("name", "The tenant has a device group of this name")


def _devices(session: Session, problems: Problems, tenant_id: UUID, ids: Sequence[UUID]) -> list[Device]:
    if not ids:
        return []
    query = select(Device).where(Device.tenant_id == tenant_id, Device.id.in_(ids))
    found = {device.id: device for device in session.scalars(query)}
    for place, device_id in enumerate(ids):
        if device_id not in found:
            problems.add(f"device_ids.{place}", unknown("device"))
    return list(found.values())


def _add_members(desk: Desk, group: DeviceGroup, devices: Iterable[Device]) -> None:
    desk.session.add_all(
        DeviceGroupMember(tenant_id=group.tenant_id, group_id=group.id, device_id=device.id) for device in devices
    )
    desk.flush()


def set_groups(desk: Desk, device: Device, group_ids: Sequence[UUID]) -> None:
    """Put a device into exactly these groups; the caller publishes its site.

    Raises:
        Invalid: one is no group of the tenant.
    """
    wanted = set(group_ids)
    query = select(DeviceGroup.id).where(DeviceGroup.tenant_id == device.tenant_id, DeviceGroup.id.in_(wanted))
    known = set(desk.session.scalars(query)) if wanted else set()
    if wanted - known:
        raise invalid("group_ids", unknown("device group"))
    there = select(DeviceGroupMember).where(DeviceGroupMember.device_id == device.id)
    for member in desk.session.scalars(there):
        if member.group_id in wanted:
            wanted.discard(member.group_id)
        else:
            desk.session.delete(member)
    desk.session.add_all(
        DeviceGroupMember(tenant_id=device.tenant_id, group_id=group_id, device_id=device.id) for group_id in wanted
    )
    desk.flush()


def groups_of(session: Session, device_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The groups of each device, sorted."""
    found: dict[UUID, list[UUID]] = {device_id: [] for device_id in device_ids}
    if found:
        query = select(DeviceGroupMember).where(DeviceGroupMember.device_id.in_(found))
        for member in session.scalars(query.order_by(DeviceGroupMember.group_id)):
            found[member.device_id].append(member.group_id)
    return found


def _members(session: Session, group_ids: Sequence[UUID]) -> list[DeviceGroupMember]:
    query = select(DeviceGroupMember).where(DeviceGroupMember.group_id.in_(group_ids))
    return list(session.scalars(query.order_by(DeviceGroupMember.device_id)))


def _sites_of(session: Session, group_id: UUID) -> Sequence[UUID]:
    query = (
        select(Device.site_id)
        .join(DeviceGroupMember, DeviceGroupMember.device_id == Device.id)
        .where(DeviceGroupMember.group_id == group_id)
        .group_by(Device.site_id)
        .having(func.count() > 0)
    )
    return list(session.scalars(query))


def _publish(desk: Desk, site_ids: Iterable[UUID], cause: str) -> None:
    for site_id in sorted(site_ids, key=str):
        desk.publish(site_id, cause)


def _plain(settings: LevelSettings) -> dict[str, dict[str, Value]]:
    return {scope: dict(values) for scope, values in settings.items() if values}


def _views(session: Session, groups: Sequence[DeviceGroup]) -> list[GroupView]:
    members: dict[UUID, list[UUID]] = {group.id: [] for group in groups}
    for member in _members(session, list(members)) if members else ():
        members[member.group_id].append(member.device_id)
    return [
        GroupView(
            id=group.id,
            version=group.version,
            created_at=group.created_at,
            updated_at=group.updated_at,
            tenant_id=group.tenant_id,
            name=group.name,
            weight=group.weight,
            settings=group.settings,
            device_ids=members[group.id],
        )
        for group in groups
    ]
