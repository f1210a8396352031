"""/resync-jobs, /phone-refusals, uploads, imports and DHCP options: phones between the portal and the site."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from cloud.api.chalicelib.fields import PathId, Sent, Shown, SiteFilter
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import device_import, dhcp_options, phone_history, phones, resync, sites
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.phone_history import Kind

router = new_router()

UNKNOWN_HOST: Final = "EDGE-ADDRESS"

State = Literal["waiting", "deferred", "asked", "fetched", "registered", "failed"]


class ResyncOrder(Sent):
    """Which phones are to fetch their files again."""

    device_ids: Annotated[list[UUID] | None, Field(max_length=20_000)] = Field(
        None, description="Absent: every phone of the site"
    )
    reboot: bool = Field(False, description="Have them start again")


class ResyncJob(Shown):
    """An order to phones to fetch their files again, and how many are how far."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    reboot: bool
    created_at: datetime
    total: int
    counts: dict[State, int]
    done: bool = Field(description="Nothing more is to come")


class ResyncJobPage(Shown):
    """Some of the orders, the latest first."""

    items: list[ResyncJob]
    next: str | None = None


class ResyncPhone(Shown):
    """One phone of an order."""

    tenant_id: UUID
    device_id: UUID
    mac: str
    name: str
    state: State
    text: str = Field(description="Why it waits or failed")
    changed_at: datetime


class ResyncPhones(Shown):
    """Some of the phones of an order."""

    items: list[ResyncPhone]
    next: str | None = None


class PhoneRefusal(Shown):
    """Something that a phone asked for and was not given, and why."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    reason: str
    mac: str | None
    device_id: UUID | None
    address: str
    protocol: str
    user_agent: str
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int


class PhoneRefusalPage(Shown):
    """Some of the refusals, the latest first."""

    items: list[PhoneRefusal]
    next: str | None = None


class Happening(Shown):
    """One thing that happened to a phone, or the same several times on end."""

    id: UUID
    kind: Kind
    detail: dict[str, str | int] = Field(
        description="What is told of it: address, protocol, proof, firmware, wanted, version, switch_port, transport,"
        " reason, text, name, model"
    )
    times: int
    first_at: datetime
    at: datetime = Field(description="The last time")


class History(Shown):
    """Some of what happened to a phone, the latest first."""

    items: list[Happening]
    next: str | None = None


class PhoneUpload(Shown):
    """A file that a phone sent."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    device_id: UUID
    name: str
    size: int
    sent_at: datetime


class PhoneUploads(Shown):
    """Some of the files that phones sent."""

    items: list[PhoneUpload]
    next: str | None = None


class PhoneUploadText(PhoneUpload):
    """A file that a phone sent, with its text."""

    text: str = Field(description="Its end, when it is long; passwords are struck out")


class DeviceList(Sent):
    """Many devices at once."""

    csv: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000, strip_whitespace=False)] = Field(
        description="With a first line that names the columns: mac, and any of model, name, users, serial, location"
    )
    only_check: bool = Field(False, description="Say what would be made, and make nothing")


class ListedDevice(Shown):
    """One line of a list of devices."""

    line: int = Field(description="Where it stands in the list, from 1")
    mac: str
    model: str = Field(description="`announced/any`: what its phone will say")
    name: str
    users: list[str] = Field(description="As the list names them; each has a line on the device, in this order")
    serial: str
    location: str = Field(description="Name or id of its emergency location; empty: the site's default")


class DevicesMade(Shown):
    """What an import made, or would make."""

    created: int
    announced: int = Field(description="How many of them wait for their phone to say what model it is")
    rows: list[ListedDevice]


class DeviceListText(Shown):
    """The devices of a site as a list."""

    csv: str = Field(description="As an import reads it: mac, model, name, users, serial, location")


class DhcpOption(Shown):
    """One option to set."""

    code: int
    kind: Literal["text", "addresses"]
    value: str
    purpose: str


class DhcpSnippet(Shown):
    """Text to paste for one DHCP server."""

    server: Literal["kea", "dnsmasq", "windows", "mikrotik"]
    label: str
    where: str
    text: str


class DhcpOptions(Shown):
    """What the site's DHCP server has to say."""

    options: list[DhcpOption]
    snippets: list[DhcpSnippet]


@router.post(
    "/sites/<site_id>/resync",
    **operation("resyncPhones", "phones", "Have phones of a site fetch their files again", "tenant_admin", 202),
)
def resync_phones(work: Current, site_id: PathId, body: ResyncOrder) -> ResyncJob:
    return ResyncJob.model_validate(resync.order_resync(work.desk, site_id, body.device_ids, reboot=body.reboot))


@router.get("/resync-jobs", **operation("listResyncJobs", "phones", "List orders to fetch again", "tenant_admin"))
def list_resync_jobs(
    work: Current, limit: Limit = 50, cursor: Cursor = None, site_id: SiteFilter = None
) -> ResyncJobPage:
    page = resync.list_jobs(work.session, page_request(limit, cursor), work.services.clock.now(), site_id=site_id)
    return ResyncJobPage(items=[ResyncJob.model_validate(one) for one in page.items], next=encode_cursor(page.next))


@router.get("/resync-jobs/<job_id>", **operation("getResyncJob", "phones", "Get an order's progress", "tenant_admin"))
def get_resync_job(work: Current, job_id: PathId) -> ResyncJob:
    return ResyncJob.model_validate(resync.get_job(work.session, job_id, work.services.clock.now()))


@router.get(
    "/resync-phones",
    **operation("listResyncPhones", "phones", "List an order's phones with their state", "tenant_admin"),
)
def list_resync_phones(
    work: Current,
    job_id: Annotated[UUID, Query(description="The order")],
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[State | None, Query(description="Only those that are so far")] = None,
) -> ResyncPhones:
    now = work.services.clock.now()
    page = resync.list_items(work.session, page_request(limit, cursor), job_id, now, state)
    return ResyncPhones(items=[ResyncPhone.model_validate(one) for one in page.items], next=encode_cursor(page.next))


@router.get(
    "/phone-refusals",
    **operation("listPhoneRefusals", "phones", "List what phones were refused, and why", "tenant_admin"),
)
def list_phone_refusals(
    work: Current, limit: Limit = 50, cursor: Cursor = None, site_id: SiteFilter = None
) -> PhoneRefusalPage:
    page = phones.list_refusals(work.session, page_request(limit, cursor), site_id=site_id)
    items = [PhoneRefusal.model_validate(row) for row in page.items]
    return PhoneRefusalPage(items=items, next=encode_cursor(page.next))


@router.delete(
    "/phone-refusals/<refusal_id>",
    **operation("deletePhoneRefusal", "phones", "Forget a refusal until it happens again", "tenant_admin", 204),
)
def delete_phone_refusal(work: Current, refusal_id: PathId) -> None:
    phones.delete_refusal(work.desk, refusal_id)


@router.get(
    "/devices/<device_id>/history",
    **operation("getDeviceHistory", "phones", "What happened to a phone, the latest first", "tenant_admin"),
)
def get_device_history(work: Current, device_id: PathId, limit: Limit = 50, cursor: Cursor = None) -> History:
    page = phone_history.history_of(work.session, device_id, page_request(limit, cursor))
    return History(items=[Happening.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.get(
    "/phone-uploads", **operation("listPhoneUploads", "phones", "List the files that phones sent", "tenant_admin")
)
def list_phone_uploads(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    device_id: Annotated[UUID | None, Query(description="Only of this device")] = None,
) -> PhoneUploads:
    page = phones.list_uploads(work.session, page_request(limit, cursor), device_id)
    return PhoneUploads(items=[PhoneUpload.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.get(
    "/phone-uploads/<upload_id>",
    **operation("getPhoneUpload", "phones", "Get a file that a phone sent", "tenant_admin"),
)
def get_phone_upload(work: Current, upload_id: PathId) -> PhoneUploadText:
    row = phones.get_upload(work.session, upload_id)
    text = row.content.decode("utf-8", "replace")
    return PhoneUploadText(**PhoneUpload.model_validate(row).model_dump(), text=text)


@router.post(
    "/sites/<site_id>/device-import",
    **operation("importDevices", "phones", "Create many devices from a list", "tenant_admin", 201),
)
def import_devices(work: Current, site_id: PathId, body: DeviceList) -> DevicesMade:
    done = device_import.import_devices(
        work.desk, work.services.catalogue, site_id, body.csv, only_check=body.only_check
    )
    return DevicesMade.model_validate(done)


@router.get(
    "/sites/<site_id>/device-list",
    **operation("getDeviceList", "phones", "Get a site's devices as a list that can be imported", "tenant_admin"),
)
def get_device_list(work: Current, site_id: PathId) -> DeviceListText:
    return DeviceListText(csv=device_import.device_list(work.session, site_id))


@router.get(
    "/sites/<site_id>/dhcp-options",
    **operation("getDhcpOptions", "phones", "What the site's DHCP server has to say, ready to paste", "tenant_admin"),
)
def get_dhcp_options(
    work: Current,
    site_id: PathId,
    host: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=253,
            pattern=r"^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$",
            description="Name or IPv4 address of the edge, as phones reach it; absent: the texts say EDGE-ADDRESS",
        ),
    ] = None,
    http_port: Annotated[int, Query(ge=1, le=65535, description="Where the edge serves files by HTTP")] = 8090,
) -> DhcpOptions:
    site = sites.get_site(work.session, site_id, work.services.clock.now())
    vlan = site.provisioning.dhcp.voice_vlan if site.provisioning.dhcp is not None else None
    where = host or site.provisioning.server_name or UNKNOWN_HOST
    options = dhcp_options.options_for(where, http_port, vlan)
    catalogue = tenant_catalogue(work.session, work.services.catalogue, site.tenant_id)
    vendors = dhcp_options.vendor_options_for(catalogue, where, http_port, vlan)
    return DhcpOptions.model_validate(
        {
            "options": [DhcpOption.model_validate(one) for one in options],
            "snippets": [DhcpSnippet.model_validate(one) for one in dhcp_options.snippets(options, vendors)],
        }
    )
