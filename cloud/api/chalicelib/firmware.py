"""/firmware-files and /firmware: files of phones' firmware, and what they are for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Patch, PathId, Sent, Shown, Stored, TenantFilter, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import blobs, firmware
from cloud.pbx.blobs import Files
from cloud.pbx.checks import invalid
from cloud.pbx.errors import Conflict
from contract.snapshot import MAX_BLOB_BYTES
from contract.values import Digest

router = new_router()

Notes = Annotated[str, StringConstraints(max_length=2000)]
Vendor = Annotated[str, StringConstraints(max_length=32)]


class NewFirmwareFile(Sent):
    """A file that is to be brought."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    digest: Annotated[Digest, Field(description="SHA-256 of its bytes, in lower-case hexadecimal")]
    size_bytes: Annotated[int, Field(ge=1, description=f"At most {MAX_BLOB_BYTES}")]


class UploadPlace(Shown):
    """Where to bring it: a PUT of its bytes, past the API."""

    url: str
    headers: dict[str, str] = Field(description="To be sent with the PUT; they let you in, so tell them to nobody")
    expires_at: datetime


class FirmwareFile(Shown):
    """A file that was announced."""

    digest: str
    size_bytes: int
    place: UploadPlace | None = Field(description="null: the file is there already")


class FilesUsage(Shown):
    """How much a tenant keeps and may keep."""

    used_bytes: int
    quota_bytes: int


class NamedFile(Shown):
    """A file of a firmware."""

    name: str = Field(description="As phones ask for it")
    digest: str
    size_bytes: int


class Firmware(Stored):
    """A version of a vendor's firmware for some of its models."""

    tenant_id: UUID
    vendor: str
    models: list[str] = Field(description="Those of the vendor's that it fits, without the vendor")
    firmware_version: str
    notes: str
    files: list[NamedFile] = Field(description="The first is the one that the phone's own file names")
    rollouts: int = Field(description="How many rollouts are of it, ended ones included")


class FirmwarePage(Shown):
    """Some of the firmware."""

    items: list[Firmware]
    next: str | None = None


class NewNamedFile(Sent):
    """A file that has been brought, and what phones are to ask for it by."""

    name: Annotated[str, Field(max_length=128)]
    digest: Digest


class NewFirmware(Sent):
    """A firmware to be."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    vendor: Vendor
    models: Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=200)]
    firmware_version: Annotated[
        str, Field(max_length=64, description="As phones that run it say in their User-Agent, such as 96.86.0.70")
    ]
    notes: Notes = ""
    files: Annotated[list[NewNamedFile], Field(max_length=64)]


class FirmwarePatch(Patch):
    """What changes at a firmware: what people wrote about it."""

    notes: Notes = absent()


@router.post(
    "/firmware-files",
    **operation("announceFirmwareFile", "firmware", "Have a place to bring a file to", "tenant_admin", 201),
)
def announce_firmware_file(work: Current, body: NewFirmwareFile) -> FirmwareFile:
    tenant_id = body.tenant_id or work.claims.tenant_id
    return FirmwareFile.model_validate(
        blobs.announce_file(work.desk, _files(work), tenant_id, body.digest, body.size_bytes)
    )


@router.get(
    "/firmware-files/usage",
    **operation("getFirmwareFilesUsage", "firmware", "How much a tenant keeps and may keep", "tenant_admin"),
)
def get_firmware_files_usage(work: Current, tenant_id: TenantFilter = None) -> FilesUsage:
    wanted = tenant_id or work.claims.tenant_id
    if wanted is None:
        raise invalid("tenant_id", "Say which tenant")
    return FilesUsage.model_validate(blobs.usage_of(work.session, _files(work), wanted))


@router.get("/firmware", **operation("listFirmware", "firmware", "List firmware", "tenant_admin"))
def list_firmware(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    tenant_id: TenantFilter = None,
    vendor: Annotated[str | None, Query(pattern=r"^[0-9a-z_-]{1,32}$", description="Only this vendor's")] = None,
) -> FirmwarePage:
    page = firmware.list_firmware(work.session, page_request(limit, cursor), tenant_id, vendor)
    return FirmwarePage(items=[Firmware.model_validate(one) for one in page.items], next=encode_cursor(page.next))


@router.post(
    "/firmware",
    **operation("createFirmware", "firmware", "Make a firmware of files that have been brought", "tenant_admin", 201),
)
def create_firmware(work: Current, body: NewFirmware) -> Firmware:
    made = firmware.create_firmware(
        work.desk,
        work.services.catalogue,
        _files(work),
        body.tenant_id or work.claims.tenant_id,
        vendor=body.vendor,
        models=body.models,
        firmware_version=body.firmware_version,
        notes=body.notes,
        new_files=[firmware.NewFile(one.name, one.digest) for one in body.files],
    )
    return Firmware.model_validate(made)


@router.get("/firmware/<firmware_id>", **operation("getFirmware", "firmware", "Get a firmware", "tenant_admin"))
def get_firmware(work: Current, firmware_id: PathId) -> Firmware:
    return Firmware.model_validate(firmware.get_firmware(work.session, firmware_id))


@router.patch(
    "/firmware/<firmware_id>",
    **operation("changeFirmware", "firmware", "Change what is noted about a firmware", "tenant_admin"),
)
def change_firmware(work: Current, firmware_id: PathId, body: FirmwarePatch, if_match: IfMatch = None) -> Firmware:
    changed = firmware.change_firmware(work.desk, firmware_id, body.changes(), expected_version(if_match))
    return Firmware.model_validate(changed)


@router.delete(
    "/firmware/<firmware_id>",
    **operation("deleteFirmware", "firmware", "Delete a firmware that is not being rolled out", "tenant_admin", 204),
)
def delete_firmware(work: Current, firmware_id: PathId, if_match: IfMatch = None) -> None:
    firmware.delete_firmware(work.desk, firmware_id, expected_version(if_match))


def _files(work: Current) -> Files:
    if work.services.files is None:
        raise Conflict("This installation keeps no files; set TANDEM_API_OBJECTS_FOLDER or TANDEM_API_OBJECTS_BUCKET")
    return work.services.files
