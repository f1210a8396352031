"""/devices, /device-models and /unknown-phones: phones and gateways, what they can be, and who else asked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Label, Mac, Patch, PathId, Sent, Shown, SiteFilter, Stored, absent
from cloud.api.chalicelib.lines import Line, LinePosition, LineWithPassword, with_password
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.redirects import Redirect
from cloud.api.chalicelib.work import Current
from cloud.pbx import device_models, devices, phones, unknown_phones
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.redirect_accounts import redirects_of
from contract.devices import Catalogue
from contract.snapshot import SettingValue

router = new_router()


ModelKey = Annotated[
    str, Field(pattern=r"^[0-9a-z_-]{1,32}/[0-9a-z_.-]{1,32}$", description="`<vendor>/<model>` of /device-models")
]
ModelPart = Annotated[str, Path(pattern=r"^[0-9a-z_.-]{1,32}$")]
Settings = Annotated[dict[Annotated[str, Field(max_length=128)], SettingValue], Field(max_length=500)]
Serial = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z._-]*$")]
LocationId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
GroupIds = Annotated[list[UUID], Field(max_length=32)]


class Visit(Shown):
    """The last time that a device fetched its files, and how far it is with fetching them again."""

    address: str
    protocol: str
    proof: str = Field(description="certificate, password or none; empty: it has not fetched yet")
    firmware: str
    switch_port: str = Field(description="Where it is plugged in, when a switch or relay said so (DHCP option 82)")
    fetched_at: datetime | None
    fetched_version: int | None = Field(description="The snapshot version that its file was made from")
    resync_state: str = Field(description="deferred, asked, fetched, registered or failed; empty: it was never told")
    resync_text: str
    resync_at: datetime | None


ModelsOf = Annotated[UUID | None, Query(description="Also the models of this tenant's own plug-ins")]
Language = Annotated[str, Query(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="Of labels and help, such as `de`")]


class Device(Stored):
    """A phone or gateway with its lines."""

    tenant_id: UUID
    site_id: UUID
    mac: str
    model: str
    name: str
    serial: str = Field(description="The maker's serial number, which some redirect services ask for; may be empty")
    emergency_location_id: str | None = Field(
        description="Where it is, of the locations in the site's dial plan; null: at the default one"
    )
    settings: dict[str, SettingValue] = Field(description="What it sets itself, by setting path")
    group_ids: list[UUID] = Field(description="The device groups that it is in")
    lines: list[Line]
    visit: Visit | None = Field(None, description="null: no file of its own was fetched yet")
    redirect: Redirect | None = Field(None, description="null: no redirect service is told of it")
    has_admin_password: bool = Field(description="Whether its file tells it a password for its own administration")


class DevicePage(Shown):
    """Some of the devices."""

    items: list[Device]
    next: str | None = None


class DeviceMade(Device):
    """A new device; the passwords of its lines are shown this once."""

    lines: list[LineWithPassword]  # type: ignore[assignment]


class NewDeviceLine(Sent):
    """A line that comes with a new device."""

    user_id: UUID
    position: LinePosition | None = Field(None, description="Absent: the first free place")
    label: Label = ""


class NewDevice(Sent):
    """A device to be, with its lines in one go."""

    site_id: UUID
    mac: Mac
    model: ModelKey
    name: Label = ""
    serial: Serial = ""
    emergency_location_id: LocationId | None = None
    settings: Settings = Field(default={})
    group_ids: GroupIds = Field(default=[])
    user_id: UUID | None = Field(None, description="Short for one line of this user")
    lines: Annotated[list[NewDeviceLine], Field(max_length=64)] = Field(default=[])


class DevicePatch(Patch):
    """What changes at a device; `settings` is a merge patch itself, null takes a value of its own away."""

    mac: Mac = absent()
    model: ModelKey = absent()
    name: Label = absent()
    serial: Serial = absent()
    emergency_location_id: LocationId | None = absent()
    settings: Annotated[dict[Annotated[str, Field(max_length=128)], SettingValue | None], Field(max_length=500)] = (
        absent()
    )
    group_ids: GroupIds = absent()


class ModelOption(Shown):
    """One choice of a setting."""

    value: str
    label: str


class ModelSetting(Shown):
    """One thing that can be set on a device of a model."""

    path: str
    type: str = Field(description="string, integer, boolean or enum")
    default: SettingValue
    label: str
    help: str
    advanced: bool
    minimum: int | None
    maximum: int | None
    max_length: int
    options: list[ModelOption]


class ModelGroup(Shown):
    """Settings that belong on one page."""

    name: str
    label: str
    help: str
    settings: list[ModelSetting]


class DeviceModelSummary(Shown):
    """A model of phone or gateway."""

    key: str = Field(description="`<vendor>/<model>`, as devices name it")
    vendor: str
    vendor_label: str
    name: str
    label: str
    lines: int = Field(description="How many accounts it can register")
    https: bool = Field(description="Whether it fetches its files by HTTPS where its edge has a certificate for it")


class DeviceModel(DeviceModelSummary):
    """A model with all that can be set on it."""

    groups: list[ModelGroup]


class ScopeSettings(Shown):
    """What can be set for many models at once."""

    groups: list[ModelGroup]


class DeviceModelPage(Shown):
    """Every model."""

    items: list[DeviceModelSummary]
    next: str | None = None


class UnknownPhone(Shown):
    """A phone that asked for its configuration and is not known at the site."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    mac: str | None
    vendor: str
    model: str
    firmware: str
    user_agent: str
    address: str
    protocol: str
    certainty: dict[str, str] = Field(
        description="How far each fact may be trusted: hint, likely, claimed, asked, proven"
    )
    switch_port: str
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int


class UnknownPhonePage(Shown):
    """Some of the unknown phones, the latest first."""

    items: list[UnknownPhone]
    next: str | None = None


@router.get("/devices", **operation("listDevices", "devices", "List devices with their lines", "tenant_admin"))
def list_devices(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    site_id: SiteFilter = None,
    mac: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{12}$", description="Only the device with this MAC address")
    ] = None,
) -> DevicePage:
    page = devices.list_devices(work.session, page_request(limit, cursor), site_id=site_id, mac=mac)
    visits = phones.visits_of(work.session, [one.device.id for one in page.items])
    told = redirects_of(work.session, [one.device for one in page.items])
    items = [_device(one, visits.get(one.device.id), told.get(one.device.id)) for one in page.items]
    return DevicePage(items=items, next=encode_cursor(page.next))


@router.post("/devices", **operation("createDevice", "devices", "Create a device with its lines", "tenant_admin", 201))
def create_device(work: Current, body: NewDevice) -> DeviceMade:
    wanted = [devices.DeviceLine(line.user_id, line.position, line.label) for line in body.lines]
    if body.user_id is not None:
        wanted.insert(0, devices.DeviceLine(body.user_id))
    made = devices.create_device(
        work.desk,
        work.services.catalogue,
        devices.DeviceFields(
            body.site_id,
            body.mac,
            body.model,
            body.name,
            dict(body.settings),
            body.group_ids,
            body.serial,
            body.emergency_location_id,
        ),
        wanted,
        named_short=body.user_id is not None,
    )
    shown = _device(devices.DeviceWithLines(made.device, (), made.group_ids)).model_dump()
    return DeviceMade(**{**shown, "lines": [with_password(line) for line in made.lines]})


@router.get("/devices/<device_id>", **operation("getDevice", "devices", "Get a device with its lines", "tenant_admin"))
def get_device(work: Current, device_id: PathId) -> Device:
    visits = phones.visits_of(work.session, [device_id])
    one = devices.get_device(work.session, device_id)
    told = redirects_of(work.session, [one.device])
    return _device(one, visits.get(device_id), told.get(device_id))


@router.patch("/devices/<device_id>", **operation("changeDevice", "devices", "Change a device", "tenant_admin"))
def change_device(work: Current, device_id: PathId, body: DevicePatch, if_match: IfMatch = None) -> Device:
    changed = devices.change_device(
        work.desk, work.services.catalogue, device_id, body.changes(), expected_version(if_match)
    )
    return _device(changed)


@router.delete(
    "/devices/<device_id>",
    **operation("deleteDevice", "devices", "Delete a device with its lines", "tenant_admin", 204),
)
def delete_device(work: Current, device_id: PathId, if_match: IfMatch = None) -> None:
    devices.delete_device(work.desk, device_id, expected_version(if_match))


@router.get("/device-models", **operation("listDeviceModels", "devices", "List device models", "tenant_admin"))
def list_device_models(work: Current, tenant_id: ModelsOf = None) -> DeviceModelPage:
    models = device_models.list_models(_catalogue(work, tenant_id))
    return DeviceModelPage(items=[DeviceModelSummary.model_validate(model) for model in models])


@router.get(
    "/device-models/<vendor>/<model>",
    **operation("getDeviceModel", "devices", "Get a device model with its settings", "tenant_admin"),
)
def get_device_model(
    work: Current, vendor: ModelPart, model: ModelPart, tenant_id: ModelsOf = None, language: Language = "en"
) -> DeviceModel:
    return DeviceModel.model_validate(
        device_models.get_model(_catalogue(work, tenant_id), f"{vendor}/{model}", language)
    )


@router.get(
    "/device-settings",
    **operation("getScopeSettings", "devices", "What can be set for many models at once", "tenant_admin"),
)
def get_scope_settings(
    work: Current,
    scope: Annotated[
        str,
        Query(
            pattern=r"^(\*|[0-9a-z_-]{1,32}(/[0-9a-z_.-]{1,32})?)$",
            description="`*`: what models of several vendors have; `<vendor>`: what any of its models has;"
            " `<vendor>/<model>`",
        ),
    ] = "*",
    tenant_id: ModelsOf = None,
    language: Language = "en",
) -> ScopeSettings:
    groups = device_models.scope_groups(_catalogue(work, tenant_id), scope, language)
    return ScopeSettings(groups=[ModelGroup.model_validate(group) for group in groups])


@router.get(
    "/unknown-phones",
    **operation("listUnknownPhones", "devices", "List phones that asked and are not known", "tenant_admin"),
)
def list_unknown_phones(
    work: Current, limit: Limit = 50, cursor: Cursor = None, site_id: SiteFilter = None
) -> UnknownPhonePage:
    page = unknown_phones.list_unknown_phones(work.session, page_request(limit, cursor), site_id=site_id)
    return UnknownPhonePage(
        items=[UnknownPhone.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.delete(
    "/unknown-phones/<phone_id>",
    **operation("deleteUnknownPhone", "devices", "Forget an unknown phone until it asks again", "tenant_admin", 204),
)
def delete_unknown_phone(work: Current, phone_id: PathId) -> None:
    unknown_phones.delete_unknown_phone(work.desk, phone_id)


def _catalogue(work: Current, tenant_id: UUID | None) -> Catalogue:
    """What Tandem ships, and what the tenant has besides."""
    tenant_id = tenant_id or work.claims.tenant_id
    shipped = work.services.catalogue
    return shipped if tenant_id is None else tenant_catalogue(work.session, shipped, tenant_id)


def _device(one: devices.DeviceWithLines, visit: object = None, redirect: object = None) -> Device:
    row = one.device
    return Device(
        id=row.id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        tenant_id=row.tenant_id,
        site_id=row.site_id,
        mac=row.mac,
        model=row.model,
        name=row.name,
        serial=row.serial,
        emergency_location_id=row.emergency_location_id,
        settings=row.settings,
        group_ids=list(one.group_ids),
        lines=[Line.model_validate(line) for line in one.lines],
        visit=Visit.model_validate(visit) if visit is not None else None,
        redirect=Redirect.model_validate(redirect) if redirect is not None else None,
        has_admin_password=row.admin_secret_id is not None,
    )
