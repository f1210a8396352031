"""/snapshots: what was published to a site, and what changed between two versions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from cloud.api.chalicelib.fields import PathId, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Limit
from cloud.api.chalicelib.work import Current
from cloud.pbx import snapshots

router = new_router()

Version = Annotated[int, Path(ge=1, le=2_000_000_000)]


class SnapshotSummary(Shown):
    """One published version of a site's configuration."""

    site_id: UUID
    version: int
    digest: str = Field(description="Equal exactly when the configuration is")
    cause: str
    created_at: datetime


class Snapshot(SnapshotSummary):
    """A published version with its content."""

    content: dict[str, Any] = Field(description="The snapshot as edges get it; secrets are references")


class SnapshotPage(Shown):
    """Some of the versions, the newest first."""

    items: list[SnapshotSummary]
    next: str | None = None


class SnapshotChange(Shown):
    """What changed in one section."""

    section: str
    change: str = Field(description="replaced (site, dial_plan) or records (users, lines, devices)")
    content: dict[str, Any] | None = Field(None, description="The new content of a replaced section")
    upserted: list[dict[str, Any]] = Field([], description="Records that are new or different")
    removed: list[str] = Field([], description="Ids of records that are gone")


class SnapshotDiff(Shown):
    """What leads from one version to another."""

    from_version: int
    to_version: int
    changes: list[SnapshotChange]


@router.get(
    "/snapshots",
    **operation("listSnapshots", "snapshots", "List a site's published versions", "tenant_admin"),
)
def list_snapshots(
    work: Current,
    site_id: Annotated[UUID, Query(description="The site whose versions are wanted")],
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,9}$", description="`next` of the page before")] = None,
) -> SnapshotPage:
    rows, following = snapshots.list_snapshots(work.session, site_id, limit, int(cursor) if cursor else None)
    return SnapshotPage(
        items=[SnapshotSummary.model_validate(row) for row in rows],
        next=None if following is None else str(following),
    )


@router.get(
    "/snapshots/<site_id>/<version>",
    **operation("getSnapshot", "snapshots", "Get a published version", "tenant_admin"),
)
def get_snapshot(work: Current, site_id: PathId, version: Version) -> Snapshot:
    return Snapshot.model_validate(snapshots.get_snapshot(work.session, site_id, version))


@router.get(
    "/snapshots/<site_id>/<version>/diff",
    **operation("diffSnapshots", "snapshots", "What changed in a version", "tenant_admin"),
)
def diff_snapshots(
    work: Current,
    site_id: PathId,
    version: Version,
    since: Annotated[
        int | None, Query(ge=1, le=2_000_000_000, description="The version to compare with; absent: the one before")
    ] = None,
) -> SnapshotDiff:
    delta = snapshots.diff_snapshots(work.session, site_id, since or max(1, version - 1), version)
    return SnapshotDiff(
        from_version=delta.from_version,
        to_version=delta.to_version,
        changes=[SnapshotChange.model_validate(change.model_dump(mode="json")) for change in delta.changes],
    )
