"""Which blobs a site's published snapshots name: what its edge may ask for, and nothing else."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Snapshot
from contract.values import Digest

NEWEST: Final = 3
"""Versions that count: an edge that has not applied the newest still fetches what it runs on."""


def named_blobs(session: Session, site_id: UUID) -> Mapping[Digest, int]:
    """The size of each blob that the newest published versions of a site name, in bytes."""
    manifests = session.scalars(
        select(Snapshot.content["blobs"])
        .where(Snapshot.site_id == site_id)
        .order_by(Snapshot.version.desc())
        .limit(NEWEST)
    )
    return {blob["digest"]: blob["size_bytes"] for manifest in manifests for blob in manifest or ()}
