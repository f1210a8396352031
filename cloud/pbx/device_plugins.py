"""Device plug-ins of a tenant's own: checked in full when they are uploaded, and added to those that Tandem ships."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import Device, DevicePlugin, Site, Tenant
from cloud.pbx.checks import check_version, get_for_change, get_or_refuse, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.device_templates import template_problems
from cloud.pbx.errors import Conflict, FieldProblem, Invalid
from cloud.pbx.pages import Page, PageRequest, oldest_first
from contract.devices import Catalogue, Plugin, PluginProblems, Problem, load_plugin
from contract.devices.archive import pack, unpack
from contract.devices.loading import COMMON, VENDOR

MAX_PLUGINS: Final = 16
"""Of one tenant."""
_MAX_PROBLEMS: Final = 100
_MAX_KNOWN: Final = 64
_known: Final[dict[tuple[str, str], Plugin]] = {}
"""Plug-ins that this process has read already, by name and digest: a content never changes under its digest."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A plug-in that is as it should be, packed."""

    plugin: Plugin
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the packed folder."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class PluginView:
    """A plug-in as it is shown."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    tenant_id: UUID
    vendor: str
    label: str
    models: Sequence[str]
    digest: str
    uses: Mapping[str, int]
    """Model → how many devices have it: what removing the plug-in would break."""


def check_package(vendor: str, data: bytes) -> Checked:
    """A plug-in from what somebody uploads.

    Args:
        vendor: what it is to be called: the first half of its models' keys.
        data: a ZIP archive of its folder.

    Raises:
        PluginProblems: naming every problem by file and line.
    """
    folder = unpack(data, vendor)
    plugin = load_plugin(vendor, folder)
    if problems := template_problems(plugin):
        raise PluginProblems(tuple(problems))
    return Checked(plugin, pack(folder))


def tenant_catalogue(session: Session, shipped: Catalogue, tenant_id: UUID) -> Catalogue:
    """What a tenant chooses device models from: what Tandem ships, and what is its own."""
    rows = session.execute(
        select(DevicePlugin.vendor, DevicePlugin.digest, DevicePlugin.id).where(DevicePlugin.tenant_id == tenant_id)
    ).all()
    plugins = {}
    for row in rows:
        plugin = _known.get((row.vendor, row.digest))
        if plugin is None:
            content = session.scalar(select(DevicePlugin.content).where(DevicePlugin.id == row.id))
            plugin = _load(row.vendor, content or b"")
        plugins[row.vendor] = plugin
    return shipped.extended(plugins)


def list_plugins(session: Session, request: PageRequest, tenant_id: UUID | None = None) -> Page[DevicePlugin]:
    """Plug-ins of tenants' own."""
    query = select(DevicePlugin)
    if tenant_id is not None:
        query = query.where(DevicePlugin.tenant_id == tenant_id)
    return oldest_first(session, query, DevicePlugin.id, request)


def get_plugin(session: Session, plugin_id: UUID) -> DevicePlugin:
    """One plug-in."""
    return get_or_refuse(session, DevicePlugin, plugin_id)


def upload_plugin(desk: Desk, shipped: Catalogue, tenant_id: UUID | None, vendor: str, data: bytes) -> DevicePlugin:
    """A new plug-in, or a new content of one; every site of the tenant is published.

    Raises:
        Invalid: naming every problem of it, each with the file and line as its field.
        Conflict: devices have a model that the new content leaves out.
    """
    tenant = desk.session.get(Tenant, tenant_id) if tenant_id is not None else None
    if tenant is None:
        raise invalid("tenant_id", unknown("tenant") if tenant_id else "Say which tenant the plug-in is for")
    if not VENDOR.fullmatch(vendor) or vendor == COMMON:
        raise invalid("vendor", "1 to 32 lower-case letters, digits, _ and -, and not `common`")
    if vendor in shipped.plugins:
        raise invalid("vendor", "Tandem has a plug-in of this name; give yours another, such as acme-special")
    try:
        checked = check_package(vendor, data)
    except PluginProblems as error:
        raise Invalid(problems=_as_fields(error.problems)) from None
    row = desk.session.scalar(
        select(DevicePlugin).where(DevicePlugin.tenant_id == tenant.id, DevicePlugin.vendor == vendor).with_for_update()
    )
    names = sorted(checked.plugin.models)
    if row is None:
        if len(list(desk.session.scalars(select(DevicePlugin.id).where(DevicePlugin.tenant_id == tenant.id)))) >= (
            MAX_PLUGINS
        ):
            raise invalid("vendor", f"A tenant has at most {MAX_PLUGINS} plug-ins of its own")
        row = DevicePlugin(id=desk.tokens.id(), tenant_id=tenant.id, vendor=vendor)
        desk.session.add(row)
        before = None
    else:
        before = row.digest
        _refuse_used(desk.session, tenant.id, vendor, set(names))
    row.label, row.models, row.digest, row.content = checked.plugin.label, names, checked.digest, checked.content
    desk.flush()
    shown: dict[str, list[Any]] = {"vendor": [vendor, vendor], "digest": [before, row.digest]}
    desk.record("device_plugin.uploaded", "device_plugin", row.id, shown, tenant.id)
    _publish(desk, tenant.id, f"Device plug-in {vendor} was uploaded")
    return row


def delete_plugin(desk: Desk, plugin_id: UUID, expected: int | None) -> None:
    """Delete a plug-in.

    Raises:
        Conflict: devices have one of its models.
    """
    row = get_for_change(desk.session, DevicePlugin, plugin_id)
    check_version(row, expected)
    _refuse_used(desk.session, row.tenant_id, row.vendor, set())
    desk.record("device_plugin.deleted", "device_plugin", row.id, {"vendor": [row.vendor, None]}, row.tenant_id)
    desk.session.delete(row)
    desk.flush()
    _publish(desk, row.tenant_id, f"Device plug-in {row.vendor} was deleted")


def with_uses(session: Session, plugins: Sequence[DevicePlugin]) -> list[PluginView]:
    """Plug-ins with how many devices need them: one statement more, however many."""
    found: dict[UUID, dict[str, int]] = {plugin.id: {} for plugin in plugins}
    places = {(plugin.tenant_id, f"{plugin.vendor}/{name}"): plugin.id for plugin in plugins for name in plugin.models}
    if places:
        wanted = {key for _, key in places}
        query = select(Device.tenant_id, Device.model, func.count()).where(Device.model.in_(wanted))
        for tenant_id, key, count in session.execute(query.group_by(Device.tenant_id, Device.model)):
            if (plugin_id := places.get((tenant_id, key))) is not None:
                found[plugin_id][key.partition("/")[2]] = count
    return [
        PluginView(
            id=row.id,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
            tenant_id=row.tenant_id,
            vendor=row.vendor,
            label=row.label,
            models=row.models,
            digest=row.digest,
            uses=found[row.id],
        )
        for row in plugins
    ]


def _refuse_used(session: Session, tenant_id: UUID, vendor: str, kept: set[str]) -> None:
    query = select(Device.model).where(Device.tenant_id == tenant_id, Device.model.startswith(f"{vendor}/"))
    used = {model.partition("/")[2] for model in session.scalars(query.distinct())}
    if gone := sorted(used - kept):
        raise Conflict(f"Devices have these models of it: {', '.join(gone)}")


def _as_fields(problems: Sequence[Problem]) -> list[FieldProblem]:
    return [FieldProblem(f"{one.file}:{one.line}", one.text) for one in problems[:_MAX_PROBLEMS]]


def _publish(desk: Desk, tenant_id: UUID, cause: str) -> None:
    for site_id in desk.session.scalars(select(Site.id).where(Site.tenant_id == tenant_id)):
        desk.publish(site_id, cause)


def _load(vendor: str, content: bytes) -> Plugin:
    plugin = load_plugin(vendor, unpack(content, vendor))
    if len(_known) >= _MAX_KNOWN:
        _known.pop(next(iter(_known)))
    _known[vendor, hashlib.sha256(content).hexdigest()] = plugin
    return plugin
