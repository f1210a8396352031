"""What was published to a site, and what changed between two versions."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Snapshot
from cloud.pbx.errors import NotFound
from contract.snapshot import parse_snapshot
from contract.sync.delta import SnapshotDelta, diff


def list_snapshots(
    session: Session, site_id: UUID, limit: int, before: int | None
) -> tuple[list[Snapshot], int | None]:
    """Published versions, the newest first, and the version that the next page begins before."""
    query = select(Snapshot).where(Snapshot.site_id == site_id)
    if before is not None:
        query = query.where(Snapshot.version < before)
    rows = list(session.scalars(query.order_by(Snapshot.version.desc()).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].version if len(rows) > limit else None


def get_snapshot(session: Session, site_id: UUID, version: int) -> Snapshot:
    """One published version.

    Raises:
        NotFound: the site is not there, or has no such version.
    """
    row = session.get(Snapshot, (site_id, version))
    if row is None:
        raise NotFound
    return row


def diff_snapshots(session: Session, site_id: UUID, since: int, version: int) -> SnapshotDelta:
    """The changes that lead from version `since` to `version`."""
    old, new = (parse_snapshot(get_snapshot(session, site_id, one).content) for one in (since, version))
    return diff(old, new)
