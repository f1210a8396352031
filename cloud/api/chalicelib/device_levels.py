"""/device-groups, /…/device-settings: what is set for many devices at once, and where a device's values come from."""

from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Name, Patch, PathId, Sent, Shown, Stored, TenantFilter, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import device_levels, sites, tenants
from contract.devices import Origin
from contract.snapshot import LevelSettings, SettingValue

router = new_router()

Weight = Annotated[int, Field(ge=0, le=10_000, description="Of a device's groups the heavier wins")]
DeviceIds = Annotated[list[UUID], Field(max_length=5000)]
SCOPES = "`*` (every model that has the setting), `<vendor>` or `<vendor>/<model>` → setting path → value"
SettingsShown = Annotated[dict[str, dict[str, SettingValue]], Field(description=SCOPES)]
SettingsMerge = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=65)],
        Annotated[dict[Annotated[str, Field(max_length=128)], SettingValue | None], Field(max_length=500)],
    ],
    Field(max_length=200, description=f"A merge patch; null takes a value away. {SCOPES}"),
]


class DeviceGroup(Stored):
    """Devices that are configured together."""

    tenant_id: UUID
    name: str
    weight: int
    settings: SettingsShown
    device_ids: list[UUID]


class DeviceGroupPage(Shown):
    """Some of the groups."""

    items: list[DeviceGroup]
    next: str | None = None


class NewDeviceGroup(Sent):
    """A group to be."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    name: Name
    weight: Weight = 0
    settings: LevelSettings = Field(default={}, description=SCOPES)
    device_ids: DeviceIds = Field(default=[])


class DeviceGroupPatch(Patch):
    """What changes at a group; `settings` is a merge patch itself, `device_ids` the whole new list."""

    name: Name = absent()
    weight: Weight = absent()
    settings: SettingsMerge = absent()
    device_ids: DeviceIds = absent()


class DeviceSettings(Shown):
    """What is set for every device of a tenant or site."""

    version: int = Field(description="That of the tenant or site; the first part of the ETag, for If-Match")
    settings: SettingsShown


class DeviceSettingsPatch(Patch):
    """What changes in it."""

    settings: SettingsMerge


class SettingStep(Shown):
    """What one level says."""

    origin: Origin
    source: str = Field(description="The name of the tenant, site or group")
    value: SettingValue


class ResolvedSetting(SettingStep):
    """One setting of a device with its value, and what the levels below it say."""

    path: str
    others: list[SettingStep] = Field(description="The strongest first, the model's default last")


class ResolvedSettings(Shown):
    """Every setting of a device, as its edge writes it."""

    items: list[ResolvedSetting]


@router.get(
    "/device-groups",
    **operation("listDeviceGroups", "devices", "List device groups with their devices", "tenant_admin"),
)
def list_device_groups(
    work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None
) -> DeviceGroupPage:
    page = device_levels.list_groups(work.session, page_request(limit, cursor), tenant_id)
    return DeviceGroupPage(items=[DeviceGroup.model_validate(one) for one in page.items], next=encode_cursor(page.next))


@router.post(
    "/device-groups", **operation("createDeviceGroup", "devices", "Create a device group", "tenant_admin", 201)
)
def create_device_group(work: Current, body: NewDeviceGroup) -> DeviceGroup:
    made = device_levels.create_group(
        work.desk,
        work.services.catalogue,
        body.tenant_id or work.claims.tenant_id,
        body.name,
        body.weight,
        body.settings,
        body.device_ids,
    )
    return DeviceGroup.model_validate(made)


@router.get("/device-groups/<group_id>", **operation("getDeviceGroup", "devices", "Get a device group", "tenant_admin"))
def get_device_group(work: Current, group_id: PathId) -> DeviceGroup:
    return DeviceGroup.model_validate(device_levels.get_group(work.session, group_id))


@router.patch(
    "/device-groups/<group_id>", **operation("changeDeviceGroup", "devices", "Change a device group", "tenant_admin")
)
def change_device_group(
    work: Current, group_id: PathId, body: DeviceGroupPatch, if_match: IfMatch = None
) -> DeviceGroup:
    changed = device_levels.change_group(
        work.desk, work.services.catalogue, group_id, body.changes(), expected_version(if_match)
    )
    return DeviceGroup.model_validate(changed)


@router.delete(
    "/device-groups/<group_id>",
    **operation("deleteDeviceGroup", "devices", "Delete a device group; its devices stay", "tenant_admin", 204),
)
def delete_device_group(work: Current, group_id: PathId, if_match: IfMatch = None) -> None:
    device_levels.delete_group(work.desk, group_id, expected_version(if_match))


@router.get(
    "/sites/<site_id>/device-settings",
    **operation("getSiteDeviceSettings", "devices", "Get what is set for every device of a site", "tenant_admin"),
)
def get_site_device_settings(work: Current, site_id: PathId) -> DeviceSettings:
    site = sites.get_site_row(work.session, site_id)
    return DeviceSettings(version=site.version, settings=site.device_settings)


@router.patch(
    "/sites/<site_id>/device-settings",
    **operation("changeSiteDeviceSettings", "devices", "Change what is set for every device of a site", "tenant_admin"),
)
def change_site_device_settings(
    work: Current, site_id: PathId, body: DeviceSettingsPatch, if_match: IfMatch = None
) -> DeviceSettings:
    site = device_levels.change_site_settings(
        work.desk, work.services.catalogue, site_id, body.settings, expected_version(if_match)
    )
    return DeviceSettings(version=site.version, settings=site.device_settings)


@router.get(
    "/tenants/<tenant_id>/device-settings",
    **operation("getTenantDeviceSettings", "devices", "Get what is set for every device of a tenant", "tenant_admin"),
)
def get_tenant_device_settings(work: Current, tenant_id: PathId) -> DeviceSettings:
    tenant = tenants.get_tenant(work.session, tenant_id)
    return DeviceSettings(version=tenant.version, settings=tenant.device_settings)


@router.patch(
    "/tenants/<tenant_id>/device-settings",
    **operation(
        "changeTenantDeviceSettings", "devices", "Change what is set for every device of a tenant", "tenant_admin"
    ),
)
def change_tenant_device_settings(
    work: Current, tenant_id: PathId, body: DeviceSettingsPatch, if_match: IfMatch = None
) -> DeviceSettings:
    tenant = device_levels.change_tenant_settings(
        work.desk, work.services.catalogue, tenant_id, body.settings, expected_version(if_match)
    )
    return DeviceSettings(version=tenant.version, settings=tenant.device_settings)


@router.get(
    "/devices/<device_id>/settings",
    **operation(
        "getDeviceSettings", "devices", "Get every setting of a device, and where its value comes from", "tenant_admin"
    ),
)
def get_device_settings(
    work: Current,
    device_id: PathId,
    origin: Annotated[
        Literal["set", "all"], Query(description="`set` leaves out what only the model's default says")
    ] = "all",
) -> ResolvedSettings:
    found = device_levels.resolved_settings(work.session, work.services.catalogue, device_id)
    return ResolvedSettings(
        items=[
            ResolvedSetting(
                path=one.setting.path,
                value=one.value,
                origin=one.origin,
                source=one.source,
                others=[SettingStep(origin=s.origin, source=s.source, value=s.value) for s in one.others],
            )
            for one in found
            if origin == "all" or one.origin != "default"
        ]
    )
