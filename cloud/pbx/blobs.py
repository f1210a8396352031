"""Files of a tenant in the object store: announced, brought past the API, and gone when nothing names them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import Blob, FirmwareFile, Tenant
from cloud.objects import ObjectStore, UploadPlace, UploadPlaces
from cloud.pbx.checks import Problems, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.sound_blobs import named_sounds
from contract.snapshot import MAX_BLOB_BYTES
from contract.values import Digest

GRACE: Final = timedelta(days=1)
"""How long a file that nothing names is kept: it may have been brought for what is about to be saved."""
_SWEPT_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Files:
    """Where files are kept, and how much of them a tenant may have.

    Args:
        store: the objects.
        places: where clients bring them.
        quota_bytes: of one tenant altogether.
    """

    store: ObjectStore
    places: UploadPlaces
    quota_bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was announced.

    Args:
        place: where to bring it; None: it is there already.
    """

    digest: Digest
    size_bytes: int
    place: UploadPlace | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a tenant keeps, and may keep, in bytes."""

    used_bytes: int
    quota_bytes: int


def announce_file(desk: Desk, files: Files, tenant_id: UUID | None, digest: Digest, size_bytes: int) -> Upload:
    """Have a place for a file of a tenant; what nothing names any more makes room for it.

    Raises:
        Invalid: no such tenant, too large, another size than the file of this digest has, or beyond the quota.
    """
    tenant = desk.session.get(Tenant, tenant_id, with_for_update=True) if tenant_id is not None else None
    if tenant is None:
        raise invalid("tenant_id", unknown("tenant") if tenant_id else "Say which tenant the file is for")
    _sweep(desk, files.store, tenant.id)
    row = desk.session.get(Blob, (tenant.id, digest))
    problems = Problems()
    if size_bytes > MAX_BLOB_BYTES:
        problems.add("size_bytes", f"A file has at most {MAX_BLOB_BYTES} bytes")
    elif row is not None and row.size_bytes != size_bytes:
        problems.add("size_bytes", f"The file with this digest was announced with {row.size_bytes} bytes")
    elif row is None:
        usage = usage_of(desk.session, files, tenant.id)
        if usage.used_bytes + size_bytes > usage.quota_bytes:
            problems.add(
                "size_bytes",
                f"The tenant keeps {usage.used_bytes} bytes of files and may keep {usage.quota_bytes}; delete firmware "
                "that is not needed any more",
            )
    problems.check()
    if row is None:
        desk.session.add(Blob(tenant_id=tenant.id, digest=digest, size_bytes=size_bytes))
        desk.flush()
    if files.store.size_bytes(tenant.id, digest) == size_bytes:
        return Upload(digest, size_bytes, None)
    return Upload(digest, size_bytes, files.places.place(tenant.id, digest, size_bytes))


def usage_of(session: Session, files: Files, tenant_id: UUID) -> Usage:
    """How much a tenant keeps, what is still to come included."""
    used = session.scalar(select(func.sum(Blob.size_bytes)).where(Blob.tenant_id == tenant_id))
    return Usage(int(used or 0), files.quota_bytes)


def is_there(session: Session, files: Files, tenant_id: UUID, digest: Digest) -> bool:
    """Whether the tenant has announced and brought this file."""
    row = session.get(Blob, (tenant_id, digest))
    return row is not None and files.store.size_bytes(tenant_id, digest) == row.size_bytes


def _sweep(desk: Desk, store: ObjectStore, tenant_id: UUID) -> None:
    """Let go of what nothing names; the object first, so that a row without one is all that a crash leaves."""
    named = select(FirmwareFile.digest).where(FirmwareFile.tenant_id == tenant_id)
    before: datetime = desk.clock.now() - GRACE
    query = (
        select(Blob)
        .where(
            Blob.tenant_id == tenant_id,
            Blob.created_at < before,
            Blob.digest.not_in(named),
            Blob.digest.not_in(named_sounds(desk.session, tenant_id)),
        )
        .limit(_SWEPT_AT_ONCE)
    )
    for row in desk.session.scalars(query).all():
        store.delete(tenant_id, row.digest)
        desk.session.delete(row)
    desk.flush()
