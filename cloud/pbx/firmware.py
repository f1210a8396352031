"""Firmware of a tenant: its versions, the models that each fits, and its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import Firmware, FirmwareFile, FirmwareRollout, Tenant
from cloud.pbx.blobs import Files, is_there
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.errors import Conflict
from cloud.pbx.firmware_rows import files_of, sizes_of
from cloud.pbx.pages import Page, PageRequest, oldest_first
from contract.devices import Catalogue
from contract.snapshot.firmware import FirmwareFileName, FirmwareVersion
from contract.values import Digest

MAX_FIRMWARE: Final = 500
"""Of one tenant, which is what a snapshot holds."""
_FILE_NAME: Final[TypeAdapter[str]] = TypeAdapter(FirmwareFileName)
_VERSION: Final[TypeAdapter[str]] = TypeAdapter(FirmwareVersion)


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a firmware, its size in bytes."""

    name: str
    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FirmwareView:
    """A firmware as it is shown."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    tenant_id: UUID
    vendor: str
    models: Sequence[str]
    firmware_version: str
    notes: str
    files: Sequence[FileView]
    rollouts: int
    """How many rollouts are of it, ended ones included."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of a firmware to be."""

    name: str
    digest: Digest


def list_firmware(
    session: Session, request: PageRequest, tenant_id: UUID | None = None, vendor: str | None = None
) -> Page[FirmwareView]:
    """Firmware, oldest first."""
    query = select(Firmware)
    if tenant_id is not None:
        query = query.where(Firmware.tenant_id == tenant_id)
    if vendor is not None:
        query = query.where(Firmware.vendor == vendor)
    page = oldest_first(session, query, Firmware.id, request)
    return Page(_views(session, page.items), page.next)


def get_firmware(session: Session, firmware_id: UUID) -> FirmwareView:
    """One firmware."""
    return _views(session, [get_or_refuse(session, Firmware, firmware_id)])[0]


def create_firmware(
    desk: Desk,
    shipped: Catalogue,
    files: Files,
    tenant_id: UUID | None,
    *,
    vendor: str,
    models: Sequence[str],
    firmware_version: str,
    notes: str,
    new_files: Sequence[NewFile],
) -> FirmwareView:
    """Make a firmware of files that have been brought; no phone has it before a rollout says so.

    Raises:
        Invalid: naming every problem.
        Conflict: the tenant has this version for one of the models already.
    """
    session = desk.session
    tenant = session.get(Tenant, tenant_id) if tenant_id is not None else None
    if tenant is None:
        raise invalid("tenant_id", unknown("tenant") if tenant_id else "Say which tenant the firmware is for")
    problems = Problems()
    _check_models(problems, tenant_catalogue(session, shipped, tenant.id), vendor, models)
    if not _fits(_VERSION, firmware_version):
        problems.add("firmware_version", "1 to 64 letters, digits, and _ . + -, as the phone says in its User-Agent")
    _check_files(problems, session, files, tenant.id, new_files)
    count = session.scalar(select(func.count()).select_from(Firmware).where(Firmware.tenant_id == tenant.id)) or 0
    if count >= MAX_FIRMWARE:
        problems.add("", f"A tenant has at most {MAX_FIRMWARE} firmware; delete what is not needed any more")
    problems.check()
    same = select(Firmware).where(
        Firmware.tenant_id == tenant.id, Firmware.vendor == vendor, Firmware.firmware_version == firmware_version
    )
    if taken := sorted({model for row in session.scalars(same) for model in row.models} & set(models)):
        raise Conflict(f"There is a firmware {firmware_version} for {', '.join(taken)} already")
    row = Firmware(
        id=desk.tokens.id(),
        tenant_id=tenant.id,
        vendor=vendor,
        models=sorted(models),
        firmware_version=firmware_version,
        notes=notes,
    )
    session.add(row)
    desk.flush()
    for position, file in enumerate(new_files):
        session.add(
            FirmwareFile(tenant_id=tenant.id, firmware_id=row.id, position=position, name=file.name, digest=file.digest)
        )
    desk.flush()
    shown: dict[str, list[Any]] = {
        "firmware_version": [None, firmware_version],
        "vendor": [None, vendor],
        "models": [None, row.models],
    }
    desk.record("firmware.created", "firmware", row.id, shown, tenant.id)
    return get_firmware(session, row.id)


def change_firmware(desk: Desk, firmware_id: UUID, changes: Mapping[str, Any], expected: int | None) -> FirmwareView:
    """Change what people wrote about a firmware (`notes`); all else of it is what its files are."""
    row = get_for_change(desk.session, Firmware, firmware_id)
    check_version(row, expected)
    changed = apply_changes(row, changes)
    if changed:
        desk.flush()
        desk.record("firmware.changed", "firmware", row.id, changed, row.tenant_id)
    return get_firmware(desk.session, firmware_id)


def delete_firmware(desk: Desk, firmware_id: UUID, expected: int | None) -> None:
    """Delete a firmware with its ended rollouts; its files go a day later, unless something else names them.

    Raises:
        Conflict: a rollout of it has not ended.
    """
    session = desk.session
    row = get_for_change(session, Firmware, firmware_id)
    check_version(row, expected)
    rollouts = session.scalars(select(FirmwareRollout).where(FirmwareRollout.firmware_id == firmware_id)).all()
    if going := sum(1 for one in rollouts if one.state != "ended"):
        raise Conflict(f"It is being rolled out ({going} rollouts have not ended); end them first")
    for one in rollouts:
        session.delete(one)
    desk.flush()
    shown: dict[str, list[Any]] = {
        "firmware_version": [row.firmware_version, None],
        "vendor": [row.vendor, None],
        "models": [row.models, None],
    }
    desk.record("firmware.deleted", "firmware", row.id, shown, row.tenant_id)
    session.delete(row)
    desk.flush()


def _check_models(problems: Problems, catalogue: Catalogue, vendor: str, models: Sequence[str]) -> None:
    plugin = catalogue.plugins.get(vendor)
    if plugin is None:
        problems.add("vendor", f"There is no device plug-in {vendor!r}; these are: {', '.join(catalogue.plugins)}")
        return
    if not models:
        problems.add("models", "A firmware fits at least one model")
    if len(set(models)) != len(models):
        problems.add("models", "A model is named twice")
    for place, name in enumerate(models):
        if name not in plugin.models:
            problems.add(f"models.{place}", f"{vendor} has no model {name!r}; these are: {', '.join(plugin.models)}")


def _check_files(
    problems: Problems, session: Session, files: Files, tenant_id: UUID, new_files: Sequence[NewFile]
) -> None:
    if not new_files:
        problems.add("files", "A firmware has at least one file")
    names: set[str] = set()
    for place, file in enumerate(new_files):
        if not _fits(_FILE_NAME, file.name):
            problems.add(
                f"files.{place}.name", "1 to 128 letters, digits, and _ . + -; the first is a letter, digit or _"
            )
        elif file.name.lower() in names:
            problems.add(f"files.{place}.name", "Two files have this name, capitals or not")
        names.add(file.name.lower())
        if not is_there(session, files, tenant_id, file.digest):
            problems.add(f"files.{place}.digest", "There is no such file; announce it, and bring it to its place first")


def _fits(kind: TypeAdapter[str], value: str) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError:
        return False
    return True


def _views(session: Session, rows: Sequence[Firmware]) -> list[FirmwareView]:
    ids = {row.id for row in rows}
    files = files_of(session, ids)
    sizes: dict[UUID, dict[Digest, int]] = {}
    for tenant_id in {row.tenant_id for row in rows}:
        digests = {file.digest for row in rows if row.tenant_id == tenant_id for file in files[row.id]}
        sizes[tenant_id] = sizes_of(session, tenant_id, digests)
    counts: dict[UUID, int] = {}
    if ids:
        query = select(FirmwareRollout.firmware_id, func.count()).where(FirmwareRollout.firmware_id.in_(ids))
        counts.update((row[0], row[1]) for row in session.execute(query.group_by(FirmwareRollout.firmware_id)))
    return [
        FirmwareView(
            id=row.id,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
            tenant_id=row.tenant_id,
            vendor=row.vendor,
            models=row.models,
            firmware_version=row.firmware_version,
            notes=row.notes,
            files=[FileView(file.name, file.digest, sizes[row.tenant_id][file.digest]) for file in files[row.id]],
            rollouts=counts.get(row.id, 0),
        )
        for row in rows
    ]
