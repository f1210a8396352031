"""Reading the files of firmware: what compiling, the API and the progress of rollouts ask alike."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Blob, FirmwareFile
from contract.values import Digest


def files_of(session: Session, firmware_ids: Iterable[UUID]) -> dict[UUID, list[FirmwareFile]]:
    """The files of each firmware, in their order."""
    wanted = set(firmware_ids)
    found: dict[UUID, list[FirmwareFile]] = {firmware_id: [] for firmware_id in wanted}
    if wanted:
        query = select(FirmwareFile).where(FirmwareFile.firmware_id.in_(wanted)).order_by(FirmwareFile.position)
        for row in session.scalars(query):
            found[row.firmware_id].append(row)
    return found


def sizes_of(session: Session, tenant_id: UUID, digests: set[Digest]) -> dict[Digest, int]:
    """The size of each of these files that the tenant has."""
    if not digests:
        return {}
    query = select(Blob.digest, Blob.size_bytes).where(Blob.tenant_id == tenant_id, Blob.digest.in_(digests))
    return {row.digest: row.size_bytes for row in session.execute(query)}
