"""The inbox: every event of an edge is kept here, in one transaction, before the hub acknowledges it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import EventRow
from cloud.pbx.database import EVENTS_CHANNEL, notify
from cloud.pbx.edges import KnownEdge
from cloud.pbx.storable import storable
from cloud.tokens import Tokens
from contract.sync.messages import Event


def keep_events(session: Session, tokens: Tokens, edge: KnownEdge, events: Sequence[Event], now: datetime) -> int:
    """Keep events of one outbox epoch; those already kept are not kept twice.

    An edge sends in order, and may leave numbers out (its outbox compacts); so the highest number kept stands for
    all before it. A connection whose events could not be kept must end, and not go on with later ones.

    Args:
        events: all of the same epoch, in the order in which they arrived.
        now: when they arrived, in UTC.

    Returns:
        The highest sequence kept of that epoch: what to acknowledge once this transaction is committed.

    Raises:
        ValueError: there are no events, or of several epochs.
    """
    epochs = {event.epoch for event in events}
    if len(epochs) != 1:
        raise ValueError("events of exactly one outbox epoch can be kept at once")
    rows = [
        {
            "id": tokens.id(),
            "tenant_id": edge.tenant_id,
            "site_id": edge.site_id,
            "edge_id": edge.edge_id,
            "epoch": event.epoch,
            "sequence": event.sequence,
            "kind": event.body.what.kind,
            "at": event.body.at,
            "payload": storable(event.body.model_dump(mode="json")),
            "received_at": now,
        }
        for event in events
    ]
    kept = insert(EventRow).on_conflict_do_nothing(index_elements=["edge_id", "epoch", "sequence"])
    session.execute(kept, rows)
    notify(session, EVENTS_CHANNEL)
    return acknowledged(session, edge.edge_id, epochs.pop())


def acknowledged(session: Session, edge_id: UUID, epoch: str) -> int:
    """The highest sequence kept of an edge's outbox epoch; 0 when there is none."""
    highest = select(func.max(EventRow.sequence)).where(EventRow.edge_id == edge_id, EventRow.epoch == epoch)
    return session.execute(highest).scalar_one() or 0
