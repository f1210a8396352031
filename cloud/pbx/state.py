"""Site state in the database: the newest record of each key, as `contract.sync.state.merge` decides it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import collate, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import Site, SiteState
from cloud.pbx.database import SITE_CHANNEL, notify
from cloud.pbx.errors import NotFound
from cloud.pbx.storable import storable
from contract.sync.state import Stamp, StateRecord, merge, next_stamp

CLOUD_NODE = "cloud"
"""Who wrote, in stamps of changes that are made here."""


def merge_records(
    session: Session, tenant_id: UUID, site_id: UUID, records: Iterable[StateRecord], now: datetime
) -> list[StateRecord]:
    """Merge records that an edge (or the portal) wrote; the order of arrival does not matter.

    Returns:
        Those that won, which the site's other edges have to know.
    """
    newest: dict[str, StateRecord] = {}
    for record in records:
        newest[record.key] = merge(newest.get(record.key), record)
    if not newest:
        return []
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": tenant_id,
            "site_id": site_id,
            "key": key,
            "value": storable(record.value),
            "wall_ms": record.stamp.wall_ms,
            "counter": record.stamp.counter,
            "node": record.stamp.node,
            "changed_at": now,
        }
        for key, record in sorted(newest.items())  # sorted: two connections lock keys in the same order
    ]
    write = insert(SiteState).values(rows)
    new = write.excluded
    ours = tuple_(SiteState.wall_ms, SiteState.counter, collate(SiteState.node, "C"))
    theirs = tuple_(new.wall_ms, new.counter, collate(new.node, "C"))
    changed = {name: new[name] for name in ("value", "wall_ms", "counter", "node", "changed_at")}
    won = set(
        session.execute(
            write.on_conflict_do_update(index_elements=["site_id", "key"], set_=changed, where=ours < theirs).returning(
                SiteState.key
            )
        ).scalars()
    )
    if won:
        notify(session, SITE_CHANNEL, str(site_id))
    return [newest[key] for key in sorted(won)]


def site_records(session: Session, site_id: UUID) -> list[StateRecord]:
    """Every record of a site's state, tombstones too, by key."""
    rows = session.execute(select(SiteState).where(SiteState.site_id == site_id).order_by(SiteState.key)).scalars()
    return [_record(row) for row in rows]


def records_since(session: Session, site_id: UUID, since: datetime) -> list[StateRecord]:
    """The records of a site that changed at `since` or later, tombstones too, by key."""
    changed = select(SiteState).where(SiteState.site_id == site_id, SiteState.changed_at >= since)
    return [_record(row) for row in session.execute(changed.order_by(SiteState.key)).scalars()]


def write_state(
    session: Session, site_id: UUID, key: str, value: str | bool | int | None, now: datetime
) -> StateRecord:
    """Change one key from the cloud's side; None removes it.

    Raises:
        NotFound: there is no such site in this scope.
    """
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound
    row = session.get(SiteState, (site_id, key), with_for_update=True)
    last = _record(row).stamp if row is not None else None
    record = StateRecord(key=key, value=value, stamp=next_stamp(last, CLOUD_NODE, int(now.timestamp() * 1000)))
    merge_records(session, site.tenant_id, site_id, [record], now)
    return record


def _record(row: SiteState) -> StateRecord:
    stamp = Stamp(wall_ms=row.wall_ms, counter=row.counter, node=row.node)
    return StateRecord(key=row.key, value=row.value, stamp=stamp)
