"""/device-plugins: device plug-ins of a tenant's own."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, PathId, Sent, Shown, Stored, TenantFilter
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import device_plugins

router = new_router()


class DevicePlugin(Stored):
    """A plug-in with the models that it brings."""

    tenant_id: UUID
    vendor: str = Field(description="The first half of its models' keys")
    label: str
    models: list[str]
    digest: str = Field(description="SHA-256 of its packed folder, as snapshots name it")
    uses: dict[str, int] = Field(description="How many devices have each model; those that none has are left out")


class DevicePluginPage(Shown):
    """Some of the plug-ins."""

    items: list[DevicePlugin]
    next: str | None = None


class NewDevicePlugin(Sent):
    """A plug-in to be, or a new content of one that is there."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    vendor: Annotated[str, Field(max_length=64, description="What it is called; the first half of its models' keys")]
    archive: Annotated[
        str,
        Field(max_length=400_000, description="A ZIP archive of its folder, in base64; at most 256 KiB of it"),
    ]


@router.get(
    "/device-plugins", **operation("listDevicePlugins", "devices", "List tenants' own device plug-ins", "tenant_admin")
)
def list_device_plugins(
    work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None
) -> DevicePluginPage:
    page = device_plugins.list_plugins(work.session, page_request(limit, cursor), tenant_id)
    return DevicePluginPage(items=_shown(work, page.items), next=encode_cursor(page.next))


@router.post(
    "/device-plugins",
    **operation("uploadDevicePlugin", "devices", "Upload a device plug-in, new or anew", "tenant_admin", 201),
)
def upload_device_plugin(work: Current, body: NewDevicePlugin) -> DevicePlugin:
    made = device_plugins.upload_plugin(
        work.desk,
        work.services.catalogue,
        body.tenant_id or work.claims.tenant_id,
        body.vendor,
        _decoded(body.archive),
    )
    return _shown(work, [made])[0]


@router.get(
    "/device-plugins/<plugin_id>", **operation("getDevicePlugin", "devices", "Get a device plug-in", "tenant_admin")
)
def get_device_plugin(work: Current, plugin_id: PathId) -> DevicePlugin:
    return _shown(work, [device_plugins.get_plugin(work.session, plugin_id)])[0]


@router.delete(
    "/device-plugins/<plugin_id>",
    **operation("deleteDevicePlugin", "devices", "Delete a device plug-in that no device needs", "tenant_admin", 204),
)
def delete_device_plugin(work: Current, plugin_id: PathId, if_match: IfMatch = None) -> None:
    device_plugins.delete_plugin(work.desk, plugin_id, expected_version(if_match))


def _shown(work: Current, rows: Sequence[Any]) -> list[DevicePlugin]:
    return [DevicePlugin.model_validate(one) for one in device_plugins.with_uses(work.session, rows)]


def _decoded(text: str) -> bytes:
    """Bytes from base64; none at all, which are no archive, when it is not."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
